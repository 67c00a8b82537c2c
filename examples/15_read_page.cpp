// examples/15_read_page.cpp - two networks in a row: where on a page is text, and what does it say?
//   usage: 15_read_page DETECTION.onnx RECOGNITION.onnx KEYS.txt PAGE.npy [ZOOM]
//   e.g.   scripts/fetch-models; models/ocr-models-*/assets holds PP-OCRv4's networks and keys. PAGE.npy: grey [H, W]
//          or colours [H, W, 3], uint8, as numpy.save writes a picture; small letters need a ZOOM of 2
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/infer/submit.hpp>
#include <fanfold/kernel/resize.hpp>
#include <fanfold/onnx/load.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "npy.hpp"

namespace {

using fanfold::tensor;

/// [3, H, W], 0 to 255, of a page as it was saved.
tensor channels_first(const tensor& page) {
    if (page.type() != fanfold::element::uint8 || page.shape().rank() < 2 || page.shape().rank() > 3 ||
        (page.shape().rank() == 3 && page.shape()[2] != 3))
        throw std::runtime_error("expected a page of uint8 [H, W] or [H, W, 3], got " + fanfold::describe(page));
    const std::int64_t height = page.shape()[0], width = page.shape()[1], colours = page.shape().rank() == 3 ? 3 : 1;
    tensor out(fanfold::element::float32, {3, height, width});
    const std::uint8_t* const pixels = page.as<std::uint8_t>().data();
    float* const to = out.as<float>().data();
    for (std::int64_t c = 0; c < 3; ++c)
        for (std::int64_t p = 0; p < height * width; ++p)
            to[c * height * width + p] = pixels[p * colours + std::min(c, colours - 1)];
    return out;
}

/// [3, H, W] with other extents.
tensor resized(const fanfold::tensor_view& picture, std::int64_t height, std::int64_t width) {
    tensor out(fanfold::element::float32, {3, height, width});
    const auto scale = [](std::int64_t to, std::int64_t from) {
        return fanfold::kernel::resize_axis{.scale = static_cast<double>(to) / static_cast<double>(from)};
    };
    const std::array axes{fanfold::kernel::resize_axis{}, scale(height, picture.extent(1)),
                          scale(width, picture.extent(2))};
    fanfold::workspace space;
    fanfold::kernel::resize(picture, axes, out, {.mode = fanfold::kernel::interpolation::linear}, space);
    return out;
}

/// [1, 3, H, W], each channel of 0 to 255 brought to (x / 255 - mean) / deviation.
tensor normalized(const tensor& picture, const std::array<float, 3>& mean, const std::array<float, 3>& deviation) {
    tensor out(fanfold::element::float32, {1, 3, picture.shape()[1], picture.shape()[2]});
    const std::size_t each = picture.as<float>().size() / 3;
    for (std::size_t i = 0; i < 3 * each; ++i)
        out.as<float>().data()[i] = (picture.as<float>().data()[i] / 255 - mean[i / each]) / deviation[i / each];
    return out;
}

/// Pixels [left, right) x [top, bottom).
struct box {
    std::int64_t left, top, right, bottom;
};

/// Boxes around what hangs together in `text`, [H, W], the probability that a pixel is in the middle of a line of text:
/// larger than it, as the network was trained (Liao et al. 2020, Differentiable Binarization), from top to bottom.
std::vector<box> boxes_of(const float* text, std::int64_t height, std::int64_t width) {
    std::vector<box> boxes;
    std::vector<char> seen(static_cast<std::size_t>(height * width));
    for (std::int64_t start = 0; start < height * width; ++start) {
        if (seen[static_cast<std::size_t>(start)] != 0 || text[start] < 0.3F) continue;
        box b{width, height, 0, 0};
        double sum = 0;
        std::vector<std::int64_t> open{start}, inside;
        seen[static_cast<std::size_t>(start)] = 1;
        while (!open.empty()) {
            const std::int64_t at = open.back(), x = at % width, y = at / width;
            open.pop_back();
            inside.push_back(at);
            sum += text[at];
            b = {std::min(b.left, x), std::min(b.top, y), std::max(b.right, x + 1), std::max(b.bottom, y + 1)};
            const auto visit = [&](bool exists, std::int64_t next) {
                if (!exists || seen[static_cast<std::size_t>(next)] != 0 || text[next] < 0.3F) return;
                seen[static_cast<std::size_t>(next)] = 1;
                open.push_back(next);
            };
            visit(x > 0, at - 1);
            visit(x + 1 < width, at + 1);
            visit(y > 0, at - width);
            visit(y + 1 < height, at + width);
        }
        const std::int64_t across = b.right - b.left, down = b.bottom - b.top;
        if (across < 3 || down < 3 || sum / static_cast<double>(inside.size()) < 0.6) continue;
        const auto more = static_cast<std::int64_t>(
            std::lround(1.6 * static_cast<double>(across * down) / static_cast<double>(2 * (across + down))));
        boxes.push_back({std::max<std::int64_t>(b.left - more, 0), std::max<std::int64_t>(b.top - more, 0),
                         std::min(b.right + more, width), std::min(b.bottom + more, height)});
    }
    std::sort(boxes.begin(), boxes.end(),
              [](const box& a, const box& b) { return a.top + a.bottom < b.top + b.bottom; });
    return boxes;
}

/// What the network says at each step, [T, keys]: repetitions once, blanks (0) not at all.
std::string text_of(const fanfold::view<const float>& steps, const std::vector<std::string>& keys) {
    std::string text;
    const auto count = static_cast<std::size_t>(steps.extent(2));
    if (count != keys.size())
        throw std::runtime_error("the network knows " + std::to_string(count) + " keys, the file holds " +
                                 std::to_string(keys.size()) + " with blank and space");
    std::size_t last = 0;
    for (const float* step = steps.data(); step != steps.data() + steps.size(); step += count) {
        const auto best = static_cast<std::size_t>(std::max_element(step, step + count) - step);
        if (best != last && best != 0) text += keys[best];
        last = best;
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 5) {
        std::fprintf(stderr, "usage: 15_read_page DETECTION.onnx RECOGNITION.onnx KEYS.txt PAGE.npy [ZOOM]\n");
        return 2;
    }
    const auto detection = fanfold::onnx::load(argv[1]);
    const auto recognition = fanfold::onnx::load(argv[2]);
    std::vector<std::string> keys{""};  // the blank
    std::ifstream file(argv[3]);
    for (std::string key; std::getline(file, key);) keys.push_back(key);
    keys.emplace_back(" ");

    tensor page = channels_first(npy::read(argv[4]));
    const double zoom = argc > 5 ? std::atof(argv[5]) : 1;
    const auto multiple_of_32 = [&](std::int64_t extent) {  // as the network asks
        return std::max<std::int64_t>(std::lround(static_cast<double>(extent) * zoom / 32), 1) * 32;
    };
    page = resized(page, multiple_of_32(page.shape()[1]), multiple_of_32(page.shape()[2]));
    const std::int64_t height = page.shape()[1], width = page.shape()[2];

    const fanfold::tbb_executor cores;
    const tensor seen = normalized(page, {0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F});
    const fanfold::job where = fanfold::infer(cores, detection, seen);
    if (!where.failures.empty()) throw std::runtime_error(where.failures.front().message);
    const std::vector<box> boxes = boxes_of(where.answers.as<float>().data(), height, width);

    // Lines are of unequal width, so each is a job of its own; all are in flight at once.
    std::vector<fanfold::pending<fanfold::job>> lines;
    for (const box& b : boxes) {
        const auto cut = [](std::int64_t from, std::int64_t to) {
            return std::pair(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
        };
        const auto [left, across] = cut(b.left, b.right);
        const auto [top, down] = cut(b.top, b.bottom);
        const tensor piece(fanfold::as_view(page).slice(1, top, down).slice(2, left, across));
        const std::int64_t letters = std::lround(48.0 * static_cast<double>(across) / static_cast<double>(down));
        const tensor line = resized(piece, 48, std::max<std::int64_t>(letters, 16));
        lines.push_back(fanfold::submit(cores, recognition, normalized(line, {0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F})));
    }
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        const fanfold::job line = lines[i].get();
        if (!line.failures.empty()) throw std::runtime_error(line.failures.front().message);
        std::printf("%4lld %4lld  %s\n", static_cast<long long>(boxes[i].left), static_cast<long long>(boxes[i].top),
                    text_of(line.answers.as<float>(), keys).c_str());
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "15_read_page: %s\n", error.what());
    return 1;
}
