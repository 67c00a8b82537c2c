// bench/check_cost.cpp - what checks of answers cost whole networks: medians of interleaved runs, one worker.
//   usage: check_cost ROWS SECONDS MODEL.onnx...    without models: products of ROWS rows with square weights
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/kernel/checked_matmul.hpp>
#include <fanfold/model/operators/convolution.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/images_nhwc.hpp>
#include <fanfold/onnx/load.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "median.hpp"

namespace {

/// Normal weights of a product [inner, columns], in place.
void draw(const float* panels, std::size_t inner, std::size_t columns, std::mt19937& random) {
    auto* to = const_cast<float*>(panels);
    const float size = 1 / std::sqrt(static_cast<float>(inner));
    for (std::size_t at = 0; at < (columns + 15) / 16 * inner * 16; ++at) {
        const std::size_t column = at / (inner * 16) * 16 + at % 16;
        to[at] = column < columns ? size * (static_cast<float>(random() % 4096) / 1024 - 2) : 0.0F;
    }
}

double seconds_of(auto&& run) {
    const auto start = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// One product with weights [side, side], plain and checked in turns.
void square_product(std::int64_t rows, std::int64_t side, double seconds) {
    using namespace fanfold;
    std::mt19937 random(1);
    std::normal_distribution<float> draw;
    std::vector<float> x(static_cast<std::size_t>(rows * side)), w(static_cast<std::size_t>(side * side)), y(x.size()),
        checked(x.size());
    for (float& value : x) value = draw(random);
    for (float& value : w) value = draw(random);
    const kernel::packed_matrix packed(view<const float>(w.data(), shape{side, side}));
    const kernel::product_sums sums = kernel::sums_of(packed.seen());
    const view<const float> in(x.data(), shape{rows, side});
    std::vector<double> plain, ratios;
    std::size_t suspicious = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (int round = -1; round < 3 || std::chrono::steady_clock::now() < end; ++round) {
        const double a = seconds_of([&] { kernel::matmul(in, packed.seen(), {y.data(), shape{rows, side}}); });
        const double b = seconds_of([&] {
            suspicious += kernel::checked_matmul(in, packed.seen(), sums, {checked.data(), shape{rows, side}});
        });
        if (round < 0) continue;
        plain.push_back(a);
        ratios.push_back(b / a);
    }
    std::printf("%4ld x %4ld x %4ld: %7.1f us, checksum %.3f, suspicious %zu\n", static_cast<long>(rows),
                static_cast<long>(side), static_cast<long>(side), 1e6 * median(plain), median(ratios), suspicious);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace fanfold;
    if (argc < 3) return 2;
    const auto rows = static_cast<std::size_t>(std::strtoull(argv[1], nullptr, 10));
    const double seconds = std::strtod(argv[2], nullptr);
    if (argc == 3) {
        for (const std::int64_t side : {256, 512, 1024}) square_product(static_cast<std::int64_t>(rows), side, seconds);
        return 0;
    }
    std::printf("%-28s %10s %10s %10s %10s %14s %12s\n", "rows/s and ratios of time", "rows/s", "finite", "digests",
                "checksum", "its products", "suspicious");
    for (int file = 3; file < argc; ++file) {
        const std::string path = argv[file];
        const graph model = onnx::load(path);
        const value_type& type = model.state().values[model.state().inputs[0]].type;
        const std::size_t fixed = model.rows_per_call();
        const std::size_t count = fixed != 0 ? fixed : rows;
        tensor images(type.type, type.shape.at(count));
        std::mt19937 random(1);
        for (float& pixel : images.as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;
        for (const graph_step& step :
             model.state().steps) {  // weights that repeat, as files of shapes alone have, are suspicious
            if (const auto* d = step.op.as<dense>()) draw(d->seen().panels, d->seen().inner, d->seen().columns, random);
            if (const auto* c = step.op.as<convolution>()) {
                const auto depth = static_cast<std::size_t>(c->weights().plan().depth);
                const auto* weights = reinterpret_cast<const float*>(c->weights().memory().data());
                const std::size_t floats = c->weights().memory().size() / sizeof(float);
                draw(weights, depth, floats / (depth + 1) / 16 * 16, random);  // whole sixteens: packed in another way
            }
            if (const auto* c = step.op.as<convolution_nhwc>(); c != nullptr && c->direct() != nullptr)
                for (std::int64_t group = 0; group < c->direct()->geometry().groups; ++group) {
                    const auto w = c->direct()->call(group, 0, c->direct()->outputs());
                    draw(w.panels, w.depth, w.columns, random);
                }
        }
        model.prepare_checksums();
        const options how{.partition = contiguous{.rows_per_shard = 64}};
        std::vector<options> ways(3, how);
        ways[1].verify = fanfold::finite{};
        ways[2].digests = digests::of_rows;
        const serial_executor here;

        // Checksums without infer, which would compute anew what is suspicious: weights that repeat are.
        workspace space(model.workspace_bytes(count));
        const tensor_view in = images;
        const std::vector<tensor_type> types = model.answers(batch(images));
        std::vector<tensor> answers;
        for (const tensor_type& one : types) answers.emplace_back(one.type, one.shape);
        const std::vector<mutable_tensor_view> out(answers.begin(), answers.end());
        sum_checks sums;
        const auto run = [&](std::size_t way) {
            const auto start = std::chrono::steady_clock::now();
            if (way < 3) {
                if (!infer(here, model, images, ways[way]).failures.empty()) std::printf("rows failed\n");
            } else {
                space.sums = way == 4 ? &sums : nullptr;
                model(batch_view({&in, 1}, count), mutable_batch_view(out, count), space);
            }
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        std::vector<std::vector<double>> took(5), ratios(5);
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
        for (int round = -1; round < 3 || std::chrono::steady_clock::now() < end; ++round) {
            double s[5];
            for (std::size_t way = 0; way < 5; ++way) s[way] = run(way);
            for (std::size_t way = 0; way < 5 && round >= 0; ++way) {
                took[way].push_back(s[way]);
                ratios[way].push_back(s[way] / s[way < 3 ? 0 : 3]);
            }
        }
        std::printf("%-28s %10.1f %10.3f %10.3f %10.3f %14zu %12zu\n", path.substr(path.rfind('/') + 1).c_str(),
                    static_cast<double>(count) / median(took[3]), median(ratios[1]), median(ratios[2]),
                    median(ratios[4]), sums.rows() / (took[4].size() + 1), sums.suspicious());
    }
}
