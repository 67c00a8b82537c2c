// fanfold/kernel/max_roi_pool.hpp - the greatest element of each bin of regions of images.
//   in    images [N, C, H, W], regions [R, 5]      out   [R, C, OH, OW]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp, std::max
#include <cmath>      // std::round, std::floor, std::ceil
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/stop.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Cuts each region into OH x OW bins of whole pixels, which may overlap, and takes the maximum of each; 0 for a bin
/// outside the image.
///
/// shapes   in [N, C, H, W], regions [R, 5] as image x1 y1 x2 y2 in units of 1 / scale pixels, out [R, C, OH, OW]; all
///          dense
/// errors   throws std::invalid_argument when the shapes do not fit or an image does not exist;
///          stopped_error when it is time
/// threads  re-entrant
/// source   ONNX MaxRoiPool-1
inline void max_roi_pool(const view<const float>& in, const view<const float>& regions, float scale,
                         const view<float>& out, const stop& stopping = {}) {
    const bool ranks = in.rank() == 4 && regions.rank() == 2 && out.rank() == 4;
    if (!ranks || regions.extent(1) != 5 || out.extent(0) != regions.extent(0) || out.extent(1) != in.extent(1) ||
        !in.dense() || !regions.dense() || !out.dense())
        throw std::invalid_argument("max_roi_pool: " + in.shape().text() + " and regions " + regions.shape().text() +
                                    " into " + out.shape().text());
    const std::int64_t height = in.extent(2), width = in.extent(3), rows = out.extent(2), columns = out.extent(3);
    const auto pixel = [&](float x) {
        const float at = std::round(x * scale);
        return at > -0x1p30F && at < 0x1p30F ? static_cast<std::int64_t>(at) : std::int64_t{0};
    };
    struct range {
        std::int64_t from, to;
    };
    const auto bin = [](std::int64_t first, std::int64_t last, std::int64_t at, std::int64_t count, std::int64_t most) {
        const double size =
            static_cast<double>(std::max<std::int64_t>(last - first + 1, 1)) / static_cast<double>(count);
        const auto edge = [&](double x) {
            return std::clamp<std::int64_t>(static_cast<std::int64_t>(x) + first, 0, most);
        };
        return range{edge(std::floor(static_cast<double>(at) * size)),
                     edge(std::ceil(static_cast<double>(at + 1) * size))};
    };
    float* to = out.data();
    for (std::int64_t r = 0; r < regions.extent(0); ++r) {
        const float* region = regions.data() + r * 5;
        const float image = region[0];
        if (!(image >= 0 && image < static_cast<float>(in.extent(0))))
            throw std::invalid_argument("max_roi_pool: region " + std::to_string(r) + " lies in image " +
                                        std::to_string(image) + " of " + in.shape().text());
        for (std::int64_t c = 0; c < in.extent(1); ++c) {
            const float* pixels = in.data() + (static_cast<std::int64_t>(image) * in.extent(1) + c) * height * width;
            for (std::int64_t y = 0; y < rows; ++y)
                for (std::int64_t x = 0; x < columns; ++x) {
                    const range ys = bin(pixel(region[2]), pixel(region[4]), y, rows, height);
                    const range xs = bin(pixel(region[1]), pixel(region[3]), x, columns, width);
                    if ((ys.to - ys.from) * (xs.to - xs.from) > 1024 || (y == 0 && x == 0)) stopping.check();
                    const bool empty = ys.to <= ys.from || xs.to <= xs.from;
                    float best = empty ? 0.0F : pixels[ys.from * width + xs.from];
                    for (std::int64_t i = ys.from; i < ys.to; ++i)
                        for (std::int64_t k = xs.from; k < xs.to; ++k) best = std::max(best, pixels[i * width + k]);
                    *to++ = best;
                }
        }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
