// fanfold/kernel/convolution_nd.hpp - convolution over one to three axes, and its transpose, of shapes and weights that
// are known only when it runs.
//   in    images [N, C, ...], weights [O, C / groups, ...]      out   [N, O, ...]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::fill_n, std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/workspace.hpp"
#include "activation.hpp"
#include "image_panels.hpp"
#include "matmul.hpp"
#include "window_nd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// How a window moves over one to three axes.
struct conv_geometry {
    per_axis stride{1, 1, 1};
    per_axis dilation{1, 1, 1};
    per_axis before{0, 0, 0};  ///< padding; of a transpose: what is cut off
    per_axis after{0, 0, 0};
    std::int64_t groups = 1;

    [[nodiscard]] window_nd window(const shape& weights) const {
        window_nd w{{1, 1, 1}, stride, dilation, before, after};
        for (std::size_t a = 2; a < weights.rank() && a < 5; ++a) w.size[a - 2] = weights[a];
        return w;
    }
};

namespace detail {

inline window3 conv_window(const shape& in, const shape& weights, const conv_geometry& g) {
    const bool fits = in.rank() >= 3 && weights.rank() == in.rank() && g.groups >= 1 && weights[0] % g.groups == 0 &&
                      weights[1] * g.groups == in[1];
    if (!fits)
        throw std::invalid_argument("convolution: " + in.text() + " with weights " + weights.text() + " and " +
                                    std::to_string(g.groups) +
                                    " groups: expected [N, C, ...] and [O, C / groups, ...]");
    window3 w("convolution", in, g.window(weights));
    w.place("convolution", window2d::rounding::floor);
    return w;
}

inline void check_conv(const shape& in, const shape& weights, std::size_t bias, std::int64_t channels, const shape& out,
                       const shape& expected, bool dense) {
    if (!dense || !(out == expected) || (bias != 0 && bias != static_cast<std::size_t>(channels)))
        throw std::invalid_argument("convolution: " + in.text() + " with weights " + weights.text() +
                                    " and a bias of " + std::to_string(bias) + " into " + out.text() +
                                    ", expected dense " + expected.text());
}

inline void conv_nd(isa set, const view<const float>& in, const view<const float>& weights, std::span<const float> bias,
                    const conv_geometry& g, const view<float>& out, workspace& space, activation act) {
    const window3 w = conv_window(in.shape(), weights.shape(), g);
    const std::int64_t outputs = weights.extent(0);
    check_conv(in.shape(), weights.shape(), bias.size(), outputs, out.shape(), w.answer(in.shape(), outputs),
               in.dense() && weights.dense() && out.dense());
    if (out.size() == 0) return;
    const std::int64_t channels = weights.extent(1), of_group = outputs / g.groups, taps = channels * w.window();
    const std::int64_t positions = w.out_plane(), plane = w.in_plane(), block = panel_positions(taps, positions);
    const workspace::scope scope(space);
    const auto panels = space.take<float>(static_cast<std::size_t>(block * taps));
    for (std::int64_t part = 0; part < in.extent(0) * g.groups; ++part) {
        space.stop.check();
        const std::int64_t group = part % g.groups;
        const float* image = in.data() + part * channels * plane;
        for (std::int64_t first = 0; first < positions; first += block) {
            if (first != 0) space.stop.check();
            const std::int64_t count = std::min(block, positions - first);
            image_to_panels(w, 0, taps, first, count, panels.data(),
                            [&](std::int64_t c, std::int64_t i) { return image[c * plane + i]; });
            float* to = out.data() + part * of_group * positions + first;
            matmul(set, {weights.data() + group * of_group * taps, shape{of_group, taps}},
                   {panels.data(), nullptr, static_cast<std::size_t>(taps), static_cast<std::size_t>(count)},
                   {to, shape{of_group, count}, strides{positions, 1}}, activation::none);
            for (std::int64_t o = 0; o < of_group; ++o, to += positions) {
                if (!bias.empty()) {
                    const float b = bias[static_cast<std::size_t>(group * of_group + o)];
                    for (std::int64_t i = 0; i < count; ++i) to[i] += b;
                }
                if (act != activation::none) activate_row(set, act, to, to, static_cast<std::size_t>(count));
            }
        }
    }
}

/// The window of a transpose slides over the answer and stands at every element of `in`.
inline window3 transposed_window(const shape& in, const shape& weights, const conv_geometry& g, const shape& out) {
    const bool fits = in.rank() >= 3 && in.rank() <= 5 && weights.rank() == in.rank() && out.rank() == in.rank() &&
                      g.groups >= 1 && in[1] == weights[0] && in[1] % g.groups == 0 && out[0] == in[0] &&
                      out[1] == weights[1] * g.groups;
    if (!fits)
        throw std::invalid_argument("transposed convolution: " + in.text() + " with weights " + weights.text() +
                                    " and " + std::to_string(g.groups) + " groups into " + out.text() +
                                    ": expected [N, C, ...], [C, O / groups, ...] and [N, O, ...]");
    window3 w("transposed convolution", out, g.window(weights));
    for (std::size_t a = 0; a < 3; ++a) {
        w.out[a] = a + in.rank() < 5 ? 1 : in[a + in.rank() - 3];
        if (w.size[a] < 1 || w.stride[a] < 1 || w.dilation[a] < 1)
            throw std::invalid_argument("transposed convolution: a window, stride or dilation below 1");
    }
    return w;
}

inline void conv_transpose_nd(isa set, const view<const float>& in, const view<const float>& weights,
                              std::span<const float> bias, const conv_geometry& g, const view<float>& out,
                              workspace& space) {
    const window3 w = transposed_window(in.shape(), weights.shape(), g, out.shape());
    check_conv(in.shape(), weights.shape(), bias.size(), out.extent(1), out.shape(), out.shape(),
               in.dense() && weights.dense() && out.dense());
    if (out.size() == 0) return;
    const std::int64_t channels = in.extent(1) / g.groups, outputs = weights.extent(1), taps = w.window();
    const std::int64_t positions = w.out_plane(), plane = w.in_plane();
    const std::int64_t of_group = channels == 0 ? 0 : outputs * taps;  // rows of products; taps of no channels: none
    const std::int64_t together =
        std::min(std::max<std::int64_t>((std::int64_t{1} << 18) / std::max<std::int64_t>(positions, 1), 1), of_group);
    const workspace::scope scope(space);
    const auto panels =
        space.take<float>(packed_view::floats(static_cast<std::size_t>(channels), static_cast<std::size_t>(positions)));
    const auto products = space.take<float>(static_cast<std::size_t>(together * positions));
    for (std::int64_t part = 0; part < in.extent(0) * g.groups; ++part) {
        space.stop.check();
        const std::int64_t group = part % g.groups;
        for (std::int64_t o = 0; o < outputs; ++o)
            std::fill_n(out.data() + (part * outputs + o) * plane, plane,
                        bias.empty() ? 0.0F : bias[static_cast<std::size_t>(group * outputs + o)]);
        const auto packed = pack({in.data() + part * channels * positions, shape{channels, positions}}, panels);
        const float* from = weights.data() + group * channels * outputs * taps;
        for (std::int64_t first = 0; first < of_group; first += together) {
            if (first != 0) space.stop.check();
            const std::int64_t rows = std::min(together, of_group - first);
            matmul(set, {from + first, shape{rows, channels}, strides{1, outputs * taps}}, packed,
                   {products.data(), shape{rows, positions}}, activation::none);
            const float* product = products.data();
            for (std::int64_t row = first; row < first + rows; ++row, product += positions) {
                float* to = out.data() + (part * outputs + row / taps) * plane;
                const std::int64_t k = row % taps, kx = k % w.size[2], ky = k / w.size[2] % w.size[1],
                                   kz = k / w.size[2] / w.size[1];
                const position_range zs(w, 0, kz), ys(w, 1, ky), xs(w, 2, kx);
                for (std::int64_t z = zs.from; z < zs.to; ++z)
                    for (std::int64_t y = ys.from; y < ys.to; ++y) {
                        const std::int64_t oz = z * w.stride[0] - w.before[0] + kz * w.dilation[0];
                        const std::int64_t oy = y * w.stride[1] - w.before[1] + ky * w.dilation[1];
                        const std::int64_t at = (oz * w.in[1] + oy) * w.in[2] + kx * w.dilation[2] - w.before[2];
                        const float* addend = product + (z * w.out[1] + y) * w.out[2];
                        for (std::int64_t x = xs.from; x < xs.to; ++x) to[at + x * w.stride[2]] += addend[x];
                    }
            }
        }
    }
}

/// Calls each(weight offset within a channel pair, image offset) for the taps of one window that lie inside.
template <class Each>
void for_each_weight(const window3& w, std::int64_t position, Each&& each) {
    const tap_range tz = w.taps(0, position / w.out[2] / w.out[1]), ty = w.taps(1, position / w.out[2] % w.out[1]),
                    tx = w.taps(2, position % w.out[2]);
    for (std::int64_t kz = tz.from; kz < tz.to; ++kz)
        for (std::int64_t ky = ty.from; ky < ty.to; ++ky)
            for (std::int64_t kx = tx.from; kx < tx.to; ++kx)
                each((kz * w.size[1] + ky) * w.size[2] + kx,
                     ((tz.start + kz * w.dilation[0]) * w.in[1] + ty.start + ky * w.dilation[1]) * w.in[2] + tx.start +
                         kx * w.dilation[2]);
}

}  // namespace detail

/// What a convolution makes of images of shape `in`.
///
/// errors   throws std::invalid_argument with the numbers when the shapes do not fit or the window fits nowhere
[[nodiscard]] inline shape conv_shape(const shape& in, const shape& weights, const conv_geometry& geometry) {
    return detail::conv_window(in, weights, geometry).answer(in, weights[0]);
}

/// out[n, o, p] = act(bias[o] + sum over c and taps of in[n, c, p * stride + tap * dilation - before] * w[o, c, tap])
///
/// shapes   in [N, C, ...] with one to three spatial axes, weights [O, C / groups, ...], bias [O] or empty, out
///          conv_shape(in, weights, geometry); all dense
/// cost     2 N O P (C / groups) taps flops; copies blocks of windows through about 0.5 MiB of scratch.
///          packed_conv2d is faster for 2-D images of one known size
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error between images when it is time
/// threads  re-entrant with a workspace each. One chain of fused multiply-adds in the order c, tap for each output,
///          then the bias: the bits of an image do not depend on N
/// source   ONNX Conv-11
inline void conv_nd(const view<const float>& in, const view<const float>& weights, std::span<const float> bias,
                    const conv_geometry& geometry, const view<float>& out, workspace& space,
                    activation act = activation::none) {
    detail::conv_nd(active_isa(), in, weights, bias, geometry, out, space, act);
}
/// The same in double, without vectors.
inline void conv_nd(const view<const double>& in, const view<const double>& weights, std::span<const double> bias,
                    const conv_geometry& geometry, const view<double>& out, workspace& space) {
    const detail::window3 w = detail::conv_window(in.shape(), weights.shape(), geometry);
    const std::int64_t outputs = weights.extent(0), channels = weights.extent(1);
    detail::check_conv(in.shape(), weights.shape(), bias.size(), outputs, out.shape(), w.answer(in.shape(), outputs),
                       in.dense() && weights.dense() && out.dense());
    if (out.size() == 0) return;
    double* to = out.data();
    for (std::int64_t at = 0; at < in.extent(0) * outputs; ++at) {  // image, then output channel
        space.stop.check();
        const std::int64_t o = at % outputs, image = at / outputs;
        const std::int64_t first = image * in.extent(1) + o / (outputs / geometry.groups) * channels;
        const bool large = static_cast<double>(channels) * w.most_taps() > 1024;
        for (std::int64_t p = 0; p < w.out_plane(); ++p) {
            if (large) space.stop.check();
            double sum = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(o)];
            for (std::int64_t c = 0; c < channels; ++c)
                detail::for_each_weight(w, p, [&](std::int64_t k, std::int64_t i) {
                    sum +=
                        in.data()[(first + c) * w.in_plane() + i] * weights.data()[(o * channels + c) * w.window() + k];
                });
            *to++ = sum;
        }
    }
}

/// out = bias + each element of `in` times the window, laid down at stride intervals and added up; geometry.before of
/// each axis is cut off in front, and what does not fit out's extents behind: output_padding and output_shape are a
/// matter of out's extents and of `before`, which may be negative.
///
/// shapes   in [N, C, ...], weights [C, O / groups, ...], bias [O] or empty, out [N, O, ...]; all dense
/// cost     2 N (O / groups) C taps P flops, P the positions of `in`; scratch for them in blocks of taps
/// errors   as conv_nd
/// threads  re-entrant with a workspace each; taps are added in row-major order:
///          the bits of an image do not depend on N
/// source   ONNX ConvTranspose-11
inline void conv_transpose_nd(const view<const float>& in, const view<const float>& weights,
                              std::span<const float> bias, const conv_geometry& geometry, const view<float>& out,
                              workspace& space) {
    detail::conv_transpose_nd(active_isa(), in, weights, bias, geometry, out, space);
}
/// The same in double, without vectors.
inline void conv_transpose_nd(const view<const double>& in, const view<const double>& weights,
                              std::span<const double> bias, const conv_geometry& geometry, const view<double>& out,
                              workspace& space) {
    const detail::window3 w = detail::transposed_window(in.shape(), weights.shape(), geometry, out.shape());
    detail::check_conv(in.shape(), weights.shape(), bias.size(), out.extent(1), out.shape(), out.shape(),
                       in.dense() && weights.dense() && out.dense());
    if (out.size() == 0) return;
    const std::int64_t outputs = weights.extent(1), channels = in.extent(1) / geometry.groups;
    for (std::int64_t at = 0; at < out.extent(0) * out.extent(1); ++at) {
        space.stop.check();
        const std::int64_t o = at % out.extent(1), group = o / outputs;
        double* to = out.data() + at * w.in_plane();
        std::fill_n(to, w.in_plane(), bias.empty() ? 0.0 : bias[static_cast<std::size_t>(o)]);
        for (std::int64_t c = group * channels; c < (group + 1) * channels; ++c) {
            const double* image = in.data() + (at / out.extent(1) * in.extent(1) + c) * w.out_plane();
            const double* window = weights.data() + (c * outputs + o % outputs) * w.window();
            space.stop.check();
            const bool large = w.most_taps() > 1024;
            for (std::int64_t p = 0; p < w.out_plane(); ++p) {
                if (large) space.stop.check();
                detail::for_each_weight(w, p, [&](std::int64_t k, std::int64_t i) { to[i] += image[p] * window[k]; });
            }
        }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
