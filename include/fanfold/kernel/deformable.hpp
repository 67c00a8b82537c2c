// fanfold/kernel/deformable.hpp - convolution whose taps stand where another tensor moves them.
//   in    [N, C, H, W], weights [O, C / groups, kh, kw], offsets, a mask, a bias      out   [N, O, OH, OW]
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>      // std::floor
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "../core/view.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// The image between its pixels; beyond them it is 0.
template <class T>
[[nodiscard]] T between_pixels(const T* image, std::int64_t height, std::int64_t width, T y, T x) {
    if (!(y > -1 && y < static_cast<T>(height) && x > -1 && x < static_cast<T>(width))) return 0;
    const auto top = static_cast<std::int64_t>(std::floor(y)), left = static_cast<std::int64_t>(std::floor(x));
    const T down = y - static_cast<T>(top), right = x - static_cast<T>(left);
    const auto pixel = [&](std::int64_t i, std::int64_t j) {
        return i >= 0 && i < height && j >= 0 && j < width ? image[i * width + j] : T{0};
    };
    return (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
           down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1));
}

}  // namespace detail

/// What a deformable convolution reads; mask and bias may be empty.
template <class T>
struct deformable_input {
    view<const T> x, weights, offsets, mask;
    std::span<const T> bias;
};

/// out = the convolution, where tap (i, j) at (y, x) reads the image moved by offsets[n, group, i, j, (0, 1), y, x],
/// times mask[n, group, i, j, y, x].
///
/// shapes   x [N, C, H, W], weights [O, C / g.groups, kh, kw], offsets [N, offset_groups * kh * kw * 2, OH, OW], mask
///          [N, offset_groups * kh * kw, OH, OW] or empty, bias [O] or empty, out [N, O, OH, OW]; all dense
/// cost     C / groups * kh * kw floats of scratch
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error when it is time
/// threads  re-entrant with a workspace each; the bits of an image do not depend on N
/// source   ONNX DeformConv-19; Dai et al. 2017, Zhu et al. 2019
template <class T>
void deformable_convolution(const deformable_input<T>& in, const conv2d_geometry& g, std::int64_t offset_groups,
                            const view<T>& out, workspace& space) {
    const auto& [x, w, offsets, mask, bias] = in;
    bool fits = x.rank() == 4 && w.rank() == 4 && offsets.rank() == 4 && out.rank() == 4 && g.groups >= 1 &&
                offset_groups >= 1 && x.dense() && w.dense() && offsets.dense() && out.dense();
    const std::int64_t images = fits ? x.extent(0) : 0, channels = fits ? x.extent(1) : 0;
    const std::int64_t taps = fits ? w.extent(2) * w.extent(3) : 0, outputs = fits ? w.extent(0) : 0;
    if (fits && channels == 0) fits = g.groups <= outputs && offset_groups == 1;  // any number divides 0
    if (fits) {
        const std::int64_t oh = detail::conv_positions(g, {w.extent(2), w.extent(3)}, 0, x.extent(2));
        const std::int64_t ow = detail::conv_positions(g, {w.extent(2), w.extent(3)}, 1, x.extent(3));
        fits = channels == w.extent(1) * g.groups && outputs % g.groups == 0 && channels % offset_groups == 0 &&
               out.shape() == shape{images, outputs, oh, ow} &&
               offsets.shape() == shape{images, offset_groups * taps * 2, oh, ow} &&
               (mask.size() == 0 || (mask.shape() == shape{images, offset_groups * taps, oh, ow} && mask.dense())) &&
               (bias.empty() || bias.size() == static_cast<std::size_t>(outputs));
    }
    if (!fits)
        throw std::invalid_argument("deformable_convolution: " + x.shape().text() + " by " + w.shape().text() +
                                    " with offsets " + offsets.shape().text() + " and mask " + mask.shape().text() +
                                    " in " + std::to_string(g.groups) + " and " + std::to_string(offset_groups) +
                                    " groups into " + out.shape().text());
    const std::int64_t height = x.extent(2), width = x.extent(3), kw = w.extent(3);
    const std::int64_t oh = out.extent(2), ow = out.extent(3), plane = oh * ow;
    const std::int64_t each = channels / g.groups, made = outputs / g.groups, together = channels / offset_groups;
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    const std::span<T> column = space.take<T>(static_cast<std::size_t>(each * taps));
    for (std::int64_t n = 0; n < images; ++n)
        for (std::int64_t group = 0; group < g.groups; ++group)
            for (std::int64_t p = 0; p < plane; ++p) {
                if (each * taps * made > 1024 || p == 0) space.stop.check();
                T* next = column.data();
                for (std::int64_t c = group * each; c < (group + 1) * each; ++c)
                    for (std::int64_t tap = 0; tap < taps; ++tap) {
                        const std::int64_t at = (n * offset_groups + c / together) * taps + tap;
                        const T* moved = offsets.data() + at * 2 * plane + p;
                        const std::int64_t down = p / ow * g.stride[0] - g.padding[0] + tap / kw * g.dilation[0];
                        const std::int64_t across = p % ow * g.stride[1] - g.padding[1] + tap % kw * g.dilation[1];
                        const auto y = static_cast<T>(down), z = static_cast<T>(across);
                        const T* image = x.data() + (n * channels + c) * height * width;
                        const T value = detail::between_pixels(image, height, width, y + moved[0], z + moved[plane]);
                        *next++ = mask.size() == 0 ? value : value * mask.data()[at * plane + p];
                    }
                for (std::int64_t o = group * made; o < (group + 1) * made; ++o) {
                    const T* row = w.data() + o * each * taps;
                    T sum = bias.empty() ? T{0} : bias[static_cast<std::size_t>(o)];
                    for (std::int64_t k = 0; k < each * taps; ++k) sum += row[k] * column[static_cast<std::size_t>(k)];
                    out.data()[(n * outputs + o) * plane + p] = sum;
                }
            }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
