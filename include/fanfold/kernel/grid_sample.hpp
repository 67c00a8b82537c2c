// fanfold/kernel/grid_sample.hpp - images or volumes sampled at points that another tensor gives.
//   in    images [N, C, H, W], points [N, OH, OW, 2]      out   [N, C, OH, OW]; with one more axis for volumes
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp
#include <array>      // std::array
#include <cmath>      // std::floor, std::nearbyint, std::round
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

struct grid_options {
    enum class mode : std::uint8_t { bilinear, nearest, bicubic };
    enum class padding : std::uint8_t { zeros, border, reflection };
    /// What -1 and 1 mean: the centres of the outermost pixels, or their outer edges.
    enum class corners : std::uint8_t { edges, centres };

    enum mode mode = mode::bilinear;
    enum padding padding = padding::zeros;
    enum corners corners = corners::edges;
};

namespace detail {

inline float reflected(float x, float low, float high) {
    const float range = high - low;
    if (range <= 0) return low;
    if (x >= low && x <= high) return x;
    const float distance = x < low ? low - x : x - high;
    const float times = std::floor(distance / range), rest = distance - times * range;
    const bool even = std::floor(times / 2) * 2 == times;
    return even == (x < low) ? low + rest : high - rest;
}

/// Up to four pixels along one axis and their weights; -1 for a pixel that counts as zero.
struct grid_taps {
    std::array<std::int64_t, 4> at{-1, -1, -1, -1};
    std::array<float, 4> weight{};
    std::uint8_t count = 1;  // a byte: with a wider one g++ -O3 warns of elements behind it

    /// The one element of an axis that is not there.
    grid_taps() : at{0, -1, -1, -1}, weight{1, 0, 0, 0} {}
    /// The nearest of two pixels that are as near: the even one in images, the outer one in volumes, as PyTorch has it.
    enum class halves : std::uint8_t { to_even, outwards };

    grid_taps(float normalized, std::int64_t extent, const grid_options& o, halves nearest = halves::to_even) {
        const auto length = static_cast<float>(extent);
        const bool centres = o.corners == grid_options::corners::centres;
        const float low = centres ? 0.0F : -0.5F, high = centres ? length - 1 : length - 0.5F;
        float x = centres ? (normalized + 1) / 2 * (length - 1) : ((normalized + 1) * length - 1) / 2;
        x = x == x ? std::clamp(x, -0x1p30F, 0x1p30F) : -0x1p30F;  // what an index can hold
        if (o.mode == grid_options::mode::nearest) x = nearest == halves::to_even ? std::nearbyint(x) : std::round(x);
        if (x < low || x > high) {
            if (o.padding == grid_options::padding::border) x = std::clamp(x, 0.0F, length - 1);
            if (o.padding == grid_options::padding::reflection) x = reflected(x, low, high);
        }
        const float floor = std::floor(x), t = x - floor;
        auto first = static_cast<std::int64_t>(floor);
        switch (o.mode) {
            case grid_options::mode::nearest:
                first = static_cast<std::int64_t>(std::nearbyint(x));
                weight = {1, 0, 0, 0};
                break;
            case grid_options::mode::bilinear:
                count = 2;
                weight = {1 - t, t, 0, 0};
                break;
            case grid_options::mode::bicubic: {
                count = 4;
                first -= 1;
                const float a = -0.75F;
                const auto near_one = [a](float d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
                const auto far_one = [a](float d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
                weight = {far_one(1 + t), near_one(t), near_one(1 - t), far_one(2 - t)};
                break;
            }
        }
        for (std::size_t k = 0; k < count; ++k) {
            std::int64_t i = first + static_cast<std::int64_t>(k);
            if (o.padding == grid_options::padding::border) i = std::clamp<std::int64_t>(i, 0, extent - 1);
            if (o.padding == grid_options::padding::reflection && (i < 0 || i >= extent))
                i = std::clamp<std::int64_t>(static_cast<std::int64_t>(reflected(static_cast<float>(i), low, high)), 0,
                                             extent - 1);
            at[k] = i >= 0 && i < extent ? i : -1;
        }
    }
};

}  // namespace detail

/// out[n, c, y, x] = image n at points[n, y, x] = (horizontal, vertical), where -1 and 1 are the image's ends; the same
/// for volumes at (horizontal, vertical, in depth). A NaN lies outside.
///
/// shapes   in [N, C, H, W], points [N, OH, OW, 2], out [N, C, OH, OW]; or in [N, C, D, H, W],
///          points [N, OD, OH, OW, 3], out [N, C, OD, OH, OW]; all dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX GridSample-16, GridSample-20
inline void grid_sample(const view<const float>& in, const view<const float>& points, const grid_options& options,
                        const view<float>& out) {
    const std::size_t rank = in.rank(), axes = rank - 2;
    bool fits = (rank == 4 || rank == 5) && points.rank() == rank && out.rank() == rank && in.dense() &&
                points.dense() && out.dense();
    if (fits)
        fits = points.extent(rank - 1) == static_cast<std::int64_t>(axes) && points.extent(0) == in.extent(0) &&
               out.extent(0) == in.extent(0) && out.extent(1) == in.extent(1) && (out.size() == 0 || in.size() != 0);
    for (std::size_t axis = 0; fits && axis < axes; ++axis) fits = out.extent(axis + 2) == points.extent(axis + 1);
    if (!fits)
        throw std::invalid_argument("grid_sample: " + in.shape().text() + " at " + points.shape().text() + " into " +
                                    out.shape().text() +
                                    ": expected dense [N, C, H, W], [N, OH, OW, 2], [N, C, OH, OW], or one axis more");
    if (out.size() == 0) return;
    const std::int64_t channels = in.extent(1), width = in.extent(rank - 1), height = in.extent(rank - 2);
    const std::int64_t depth = axes == 3 ? in.extent(2) : 1, dims = static_cast<std::int64_t>(axes);
    const std::int64_t positions = static_cast<std::int64_t>(out.size()) / (in.extent(0) * channels);
    for (std::int64_t n = 0; n < in.extent(0); ++n)
        for (std::int64_t p = 0; p < positions; ++p) {
            const float* point = points.data() + (n * positions + p) * dims;
            using halves = detail::grid_taps::halves;
            const halves nearest = axes == 3 ? halves::outwards : halves::to_even;
            const detail::grid_taps xs(point[0], width, options, nearest), ys(point[1], height, options, nearest);
            const detail::grid_taps zs =
                axes == 3 ? detail::grid_taps(point[2], depth, options, nearest) : detail::grid_taps();
            for (std::int64_t c = 0; c < channels; ++c) {
                const float* pixels = in.data() + (n * channels + c) * depth * height * width;
                float sum = 0;
                for (std::size_t j = 0; j < zs.count; ++j) {
                    if (zs.at[j] < 0) continue;
                    const float* plane = pixels + zs.at[j] * height * width;
                    float flat = 0;
                    for (std::size_t i = 0; i < ys.count; ++i) {
                        float row = 0;
                        for (std::size_t k = 0; k < xs.count; ++k)
                            if (ys.at[i] >= 0 && xs.at[k] >= 0)
                                row += xs.weight[k] * plane[ys.at[i] * width + xs.at[k]];
                        flat += ys.weight[i] * row;
                    }
                    sum += zs.weight[j] * flat;
                }
                out.data()[(n * channels + c) * positions + p] = sum;
            }
        }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
