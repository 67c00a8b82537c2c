// fanfold/kernel/depthwise_nhwc.hpp - 2-D convolution of each channel by itself, channels side by side.
//   in    images [N, H, W, C], weights [C, 1, kh, kw] packed      out   act(bias + convolution + addend)
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../context/stop.hpp"
#include "../context/tile_loop.hpp"
#include "../core/tensor.hpp"
#include "activation.hpp"
#include "image_rows.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

struct depthwise_call {
    const float* in;
    const float* weights;  // [taps][channels padded to 16]
    const float* bias;
    const float* addend;  // null: none
    float* out;
    std::int64_t channels, height, width, out_width, top, left;
    std::int64_t first, last;  // output rows
    std::array<std::int64_t, 2> size, stride, dilation;
    activation act;
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/depthwise_nhwc.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/depthwise_nhwc.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/depthwise_nhwc.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Owns the packed weights and bias of a convolution with as many groups as channels, one output each.
///
/// shapes   weights [C, 1, kh, kw] of any strides; bias [C], or of size 0 for none
/// layout   [taps][C padded with zeros to 16]
/// errors   throws std::invalid_argument with the numbers when the shapes do not fit or the geometry makes no sense
/// threads  const use from any thread
class packed_depthwise_nhwc {
public:
    packed_depthwise_nhwc(const view<const float>& weights, const view<const float>& bias,
                          const conv2d_geometry& geometry)
        : geometry_(geometry) {
        detail::check_conv_weights(weights, bias.shape(), geometry);
        if (weights.extent(1) != 1 || geometry.groups != weights.extent(0))
            throw std::invalid_argument("conv2d: weights " + weights.shape().text() + " in " +
                                        std::to_string(geometry.groups) + " groups are not one filter a channel");
        channels_ = weights.extent(0);
        size_ = {weights.extent(2), weights.extent(3)};
        for (std::size_t axis = 0; axis < 2; ++axis)
            if (size_[axis] == 1) geometry_.dilation[axis] = 1;
        const std::int64_t padded = (channels_ + 15) / 16 * 16, taps = size_[0] * size_[1];
        data_ = tensor::populated(element::float32, shape{detail::checked_mul("conv2d", padded, taps + 1)});
        auto* to = reinterpret_cast<float*>(data_.data());
        for (std::int64_t tap = 0; tap < taps; ++tap)
            for (std::int64_t c = 0; c < padded; ++c)
                *to++ = c < channels_ ? weights(c, 0, tap / size_[1], tap % size_[1]) : 0.0F;
        for (std::int64_t c = 0; c < padded; ++c) *to++ = c < channels_ && bias.size() != 0 ? bias(c) : 0.0F;
    }

    /// What it makes of images of shape `in`.
    ///
    /// errors   throws std::invalid_argument with the numbers when they do not fit
    [[nodiscard]] shape output(const shape& in) const {
        return detail::conv_output_nhwc(geometry_, size_, channels_, channels_, in);
    }
    [[nodiscard]] std::size_t bytes() const { return data_.bytes(); }
    /// The packed weights and biases.
    [[nodiscard]] std::span<const std::byte> memory() const { return {data_.data(), data_.bytes()}; }

    /// Where things lie; the caller adds the places of one image.
    [[nodiscard]] detail::depthwise_call call(const shape& in, const shape& out) const {
        const auto* weights = reinterpret_cast<const float*>(data_.data());
        detail::depthwise_call c{};
        c.weights = weights;
        c.bias = weights + (channels_ + 15) / 16 * 16 * size_[0] * size_[1];
        c.channels = channels_;
        c.height = in[1];
        c.width = in[2];
        c.out_width = out[2];
        c.top = geometry_.padding[0];
        c.left = geometry_.padding[1];
        c.size = size_;
        c.stride = geometry_.stride;
        c.dilation = geometry_.dilation;
        return c;
    }

private:
    conv2d_geometry geometry_;
    std::array<std::int64_t, 2> size_{};
    std::int64_t channels_ = 0;
    tensor data_;
};

namespace detail {

inline void depthwise_nhwc(isa set, const view<const float>& in, const packed_depthwise_nhwc& w, const view<float>& out,
                           const stop& stop, activation act, const view<const float>& addend,
                           const tile_loop& tiles = {}) {
    const shape expected = w.output(in.shape());
    const bool adds = addend.size() != 0;
    if (!(out.shape() == expected) || !in.dense() || !out.dense() ||
        (adds && (!(addend.shape() == expected) || !addend.dense())))
        throw std::invalid_argument("conv2d: " + in.shape().text() + (adds ? " and " + addend.shape().text() : "") +
                                    " into " + out.shape().text() + ", expected dense " + expected.text());
    if (out.size() == 0) return;
    depthwise_call c = w.call(in.shape(), expected);
    c.act = act;
    const std::size_t in_step = in.shape().with(0, 1).volume(), out_step = expected.with(0, 1).volume();
    const auto kernel = pick(set, &baseline::depthwise_nhwc, &avx2::depthwise_nhwc, &avx512::depthwise_nhwc);
    const std::uint64_t bytes = 4 * std::uint64_t{in.size() + out.size()};
    over_image_rows(tiles, expected, 8 * bytes, [&](std::size_t n, std::int64_t first, std::int64_t last) {
        stop.check();
        depthwise_call some = c;
        some.in = in.data() + n * in_step;
        some.out = out.data() + n * out_step;
        some.addend = adds ? addend.data() + n * out_step : nullptr;
        some.first = first;
        some.last = last;
        kernel(some);
    });
}

}  // namespace detail

/// out[n, y, x, c] = act(bias[c] + sum over ky, kx of in[n, y s + ky d - top, x s + kx d - left, c] * w[c, ky, kx] +
/// addend[n, y, x, c])
///
/// shapes   in [N, H, W, C], out and addend w.output(in), all dense, out not overlapping. An addend of size 0: none
/// cost     2 N C OH OW kh kw flops, no copy; 16 channels of 4 pixels at a time
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error between images when it is time
/// threads  re-entrant; split by `tiles` into rows of images. One chain of fused multiply-adds in the order ky, kx for
///          each output, starting from the bias; taps outside the image are left out. The bits of an image do not
///          depend on N
/// source   ONNX Conv-11
inline void depthwise_nhwc(const view<const float>& in, const packed_depthwise_nhwc& w, const view<float>& out,
                           const stop& stop, activation act = activation::none, const view<const float>& addend = {},
                           const tile_loop& tiles = {}) {
    detail::depthwise_nhwc(active_isa(), in, w, out, stop, act, addend, tiles);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
