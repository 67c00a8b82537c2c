// fanfold/kernel/roi_align.hpp - regions of images, pooled to one size with interpolated samples.
//   in    images [N, C, H, W], regions [R, 4]      out   [R, C, OH, OW]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <array>      // std::array
#include <cmath>      // std::ceil
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

struct roi_options {
    enum class pooling : std::uint8_t { average, maximum };
    /// output_half_pixel: regions are not shifted by half a pixel and reach over at least one.
    enum class coordinates : std::uint8_t { half_pixel, output_half_pixel };

    enum pooling pooling = pooling::average;
    enum coordinates coordinates = coordinates::half_pixel;
    std::int64_t sampling_ratio = 0;  ///< samples per axis of a bin; 0: as many as pixels
    float spatial_scale = 1;
};

namespace detail {

/// Four neighbours of a sample and their weights; all 0 outside the image.
struct roi_sample {
    std::array<std::int64_t, 4> at{};
    std::array<float, 4> weight{};

    roi_sample(float y, float x, std::int64_t height, std::int64_t width) {
        if (!(y >= -1 && x >= -1 && y <= static_cast<float>(height) && x <= static_cast<float>(width))) return;
        const auto split = [](float p, std::int64_t extent, std::int64_t& low, std::int64_t& high) {
            p = p < 0 ? 0.0F : p;
            low = std::min(static_cast<std::int64_t>(p), extent - 1);
            high = std::min(low + 1, extent - 1);
            return low == extent - 1 ? 0.0F : p - static_cast<float>(low);
        };
        std::int64_t top = 0, bottom = 0, left = 0, right = 0;
        const float ly = split(y, height, top, bottom), lx = split(x, width, left, right);
        at = {top * width + left, top * width + right, bottom * width + left, bottom * width + right};
        weight = {(1 - ly) * (1 - lx), (1 - ly) * lx, ly * (1 - lx), ly * lx};
    }
};

}  // namespace detail

/// Cuts each region into OH x OW bins and takes the mean of bilinear samples in each, or the greatest weighted
/// neighbour of any sample.
///
/// shapes   in [N, C, H, W], regions [R, 4] as x1 y1 x2 y2 in units of 1 / spatial_scale pixels, images [R]: which
///          image each region lies in, out [R, C, OH, OW]; all dense
/// cost     8 R C OH OW samples flops; samples of a bin are placed once for all channels
/// errors   throws std::invalid_argument when the shapes do not fit, an image does not exist, or a bin needs more
///          than 2^20 samples
/// threads  re-entrant with a workspace each
/// source   ONNX RoiAlign-16; RoiAlign-10 with output_half_pixel
inline void roi_align(const view<const float>& in, const view<const float>& regions,
                      std::span<const std::int64_t> images, const roi_options& options, const view<float>& out,
                      workspace& space) {
    const bool ranks = in.rank() == 4 && regions.rank() == 2 && out.rank() == 4;
    if (!ranks || regions.extent(1) != 4 || out.extent(0) != regions.extent(0) || out.extent(1) != in.extent(1) ||
        images.size() != static_cast<std::size_t>(regions.extent(0)) || !in.dense() || !regions.dense() || !out.dense())
        throw std::invalid_argument("roi_align: " + in.shape().text() + " and regions " + regions.shape().text() +
                                    " of " + std::to_string(images.size()) + " images into " + out.shape().text());
    if (out.size() == 0) return;
    const std::int64_t channels = in.extent(1), height = in.extent(2), width = in.extent(3);
    const std::int64_t out_height = out.extent(2), out_width = out.extent(3), plane = height * width;
    const bool half = options.coordinates == roi_options::coordinates::half_pixel;
    const float shift = half ? 0.5F : 0.0F;
    for (std::int64_t r = 0; r < regions.extent(0); ++r) {
        space.stop.check();
        const std::int64_t image = images[static_cast<std::size_t>(r)];
        if (image < 0 || image >= in.extent(0) || plane == 0)
            throw std::invalid_argument("roi_align: region " + std::to_string(r) + " lies in image " +
                                        std::to_string(image) + " of " + in.shape().text());
        const float x = regions(r, 0) * options.spatial_scale - shift,
                    y = regions(r, 1) * options.spatial_scale - shift;
        float wide = regions(r, 2) * options.spatial_scale - shift - x;
        float high = regions(r, 3) * options.spatial_scale - shift - y;
        if (!half) {
            wide = std::max(wide, 1.0F);
            high = std::max(high, 1.0F);
        }
        const float bin_high = high / static_cast<float>(out_height), bin_wide = wide / static_cast<float>(out_width);
        const auto samples = [&](float bin) {
            const float count =
                options.sampling_ratio > 0 ? static_cast<float>(options.sampling_ratio) : std::ceil(bin);
            if (!(count <= 1024))
                throw std::invalid_argument("roi_align: region " + std::to_string(r) + " needs more than 2^20 samples");
            return static_cast<std::int64_t>(std::max(count, 0.0F));
        };
        const std::int64_t rows = samples(bin_high), columns = samples(bin_wide);
        const workspace::scope scope(space);
        const auto placed = space.take<detail::roi_sample>(static_cast<std::size_t>(rows * columns));
        const float* from = in.data() + image * channels * plane;
        for (std::int64_t bin = 0; bin < out_height * out_width; ++bin) {
            const std::int64_t bin_row = bin / out_width, bin_column = bin % out_width;
            const float top = y + static_cast<float>(bin_row) * bin_high;
            const float left = x + static_cast<float>(bin_column) * bin_wide;
            if (rows * columns > 1024) space.stop.check();
            for (std::int64_t i = 0; i < rows * columns; ++i) {
                const std::int64_t row = i / columns, column = i % columns;
                const float dy = (static_cast<float>(row) + 0.5F) * bin_high / static_cast<float>(rows);
                const float dx = (static_cast<float>(column) + 0.5F) * bin_wide / static_cast<float>(columns);
                placed[static_cast<std::size_t>(i)] = detail::roi_sample(top + dy, left + dx, height, width);
            }
            for (std::int64_t c = 0; c < channels; ++c) {
                if (rows * columns > 1024) space.stop.check();
                const float* pixels = from + c * plane;
                float made = 0;
                bool any = false;
                for (const detail::roi_sample& s : placed) {
                    std::array<float, 4> part{};
                    for (std::size_t k = 0; k < 4; ++k) part[k] = s.weight[k] * pixels[s.at[k]];
                    if (options.pooling == roi_options::pooling::average) {
                        made += part[0] + part[1] + part[2] + part[3];
                        continue;
                    }
                    const float most = std::max(std::max(part[0], part[1]), std::max(part[2], part[3]));
                    made = any ? std::max(made, most) : most;
                    any = true;
                }
                if (options.pooling == roi_options::pooling::average && !placed.empty())
                    made /= static_cast<float>(placed.size());
                out.data()[(r * channels + c) * out_height * out_width + bin] = made;
            }
        }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
