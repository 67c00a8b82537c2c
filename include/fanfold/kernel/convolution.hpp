// fanfold/kernel/convolution.hpp - 2-D convolution: groups, strides, dilations, any padding; weights packed once.
//   in    images [N, C, H, W], weights [O, C / groups, kh, kw] packed      out   act(bias + convolution) [N, O, OH, OW]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::find, std::fill, std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::index_sequence
#include <vector>     // std::vector

#include "../context/workspace.hpp"
#include "../core/tensor.hpp"
#include "activation.hpp"
#include "product_check.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// Output channels are packed in blocks of nearly equal size, at most this.
inline constexpr std::size_t conv_block = 8;
[[nodiscard]] constexpr std::size_t conv_blocks(std::size_t outputs) { return (outputs + conv_block - 1) / conv_block; }

/// `whole` things in `parts` parts whose sizes differ by at most one, the larger ones first.
struct even_parts {
    std::size_t small, larger;
    constexpr even_parts(std::size_t whole, std::size_t parts)
        : small(parts == 1 ? whole : whole / parts), larger(parts == 1 ? 0 : whole % parts) {}
    [[nodiscard]] constexpr std::size_t start(std::size_t part) const { return part * small + std::min(part, larger); }
    [[nodiscard]] constexpr std::size_t size(std::size_t part) const { return small + (part < larger ? 1 : 0); }
};

struct conv_plan {
    std::int64_t groups = 1;
    std::int64_t channels = 0;  // of a group
    std::int64_t outputs = 0;   // of a group
    std::int64_t height = 0, width = 0, out_height = 0, out_width = 0;
    std::int64_t kernel_height = 0, kernel_width = 0;
    std::int64_t stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1, top = 0, left = 0;
    std::int64_t depth = 0;       // taps: channels * kernel_height * kernel_width
    std::int64_t phases = 0;      // input rows that taps read, modulo stride_y
    std::int64_t band_rows = 0;   // output rows whose inputs are in scratch at a time
    std::int64_t plane_rows = 0;  // rows of a scratch plane
    std::size_t scratch = 0;      // floats
};

struct conv_call {
    const conv_plan& plan;
    const std::int64_t* phases = nullptr;
    const std::ptrdiff_t* offsets = nullptr;
    const float* weights = nullptr;
    const float* bias = nullptr;
    const float* in = nullptr;
    float* out = nullptr;
    float* scratch = nullptr;
    activation act = activation::none;
    const product_sums* sums = nullptr;  // of each group; null: nothing is checked
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/convolution.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/convolution.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/convolution.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Owns the packed weights and bias of a convolution over images of one size.
///
/// shapes   weights [O, C / groups, kh, kw] of any strides; bias [O], or of size 0 for none;
///          images [N, C, height, width]
/// cost     reads and writes each weight once
/// errors   throws std::invalid_argument with the numbers when the shapes do not fit, the window does not fit the
///          padded image, a stride, dilation or group count is below 1, a padding is negative, or sizes overflow
/// threads  const use from any thread
class packed_conv2d {
public:
    packed_conv2d(const view<const float>& weights, const view<const float>& bias, const conv2d_geometry& geometry,
                  std::int64_t height, std::int64_t width) {
        detail::check_conv_weights(weights, bias.shape(), geometry);
        plan_.groups = geometry.groups;
        plan_.channels = weights.extent(1);
        plan_.outputs = weights.extent(0) / geometry.groups;
        plan_.height = height;
        plan_.width = width;
        plan_.kernel_height = weights.extent(2);
        plan_.kernel_width = weights.extent(3);
        plan_.stride_y = geometry.stride[0];
        plan_.stride_x = geometry.stride[1];
        plan_.dilation_y = plan_.kernel_height == 1 ? 1 : geometry.dilation[0];
        plan_.dilation_x = plan_.kernel_width == 1 ? 1 : geometry.dilation[1];
        plan_.top = geometry.padding[0];
        plan_.left = geometry.padding[1];
        const std::array size{plan_.kernel_height, plan_.kernel_width};
        plan_.out_height = detail::conv_positions(geometry, size, 0, height);
        plan_.out_width = detail::conv_positions(geometry, size, 1, width);
        (void)output(1);  // throws when its volume overflows
        (void)input(1);
        plan_.depth = plan_.channels * plan_.kernel_height * plan_.kernel_width;
        lay_out();
        pack_weights(weights, bias);
    }

    [[nodiscard]] shape input(std::int64_t images) const {
        return {images, detail::checked_mul("conv2d", plan_.groups, plan_.channels), plan_.height, plan_.width};
    }
    [[nodiscard]] shape output(std::int64_t images) const {
        return {images, plan_.groups * plan_.outputs, plan_.out_height, plan_.out_width};
    }
    /// What `conv2d` takes from the workspace.
    [[nodiscard]] std::size_t scratch_bytes() const { return workspace::rounded(plan_.scratch * sizeof(float)); }
    [[nodiscard]] std::size_t bytes() const { return data_.bytes() + offsets_.size() * sizeof(std::ptrdiff_t); }

    /// How one image is computed.
    [[nodiscard]] detail::conv_call call(const float* in, float* out, float* scratch, activation act) const {
        const auto* weights = reinterpret_cast<const float*>(data_.data());
        return {plan_,
                phases_.data(),
                offsets_.data(),
                weights,
                weights + plan_.groups * plan_.outputs * plan_.depth,
                in,
                out,
                scratch,
                act,
                nullptr};
    }
    [[nodiscard]] std::size_t scratch_floats() const noexcept { return plan_.scratch; }
    /// The packed weights and biases.
    [[nodiscard]] std::span<const std::byte> memory() const { return {data_.data(), data_.bytes()}; }
    [[nodiscard]] const detail::conv_plan& plan() const noexcept { return plan_; }
    /// The weights of a convolution of one group as those of a matrix product: [taps, outputs].
    template <class = void>
    [[nodiscard]] tensor matrix() const {
        const auto outputs = static_cast<std::size_t>(plan_.outputs);
        const detail::even_parts channels(outputs, detail::conv_blocks(outputs));
        tensor all = tensor::uninitialized(element::float32, shape{plan_.depth, plan_.outputs});
        const auto* from = reinterpret_cast<const float*>(data_.data());
        auto* const to = reinterpret_cast<float*>(all.data());
        for (std::size_t block = 0; block < detail::conv_blocks(outputs); ++block)
            for (std::size_t k = 0; k < static_cast<std::size_t>(plan_.depth); ++k)
                for (std::size_t channel = 0; channel < channels.size(block); ++channel)
                    to[k * outputs + channels.start(block) + channel] = *from++;
        return all;
    }
    [[nodiscard]] view<const float> bias() const {
        const std::int64_t count = plan_.groups * plan_.outputs;
        return {reinterpret_cast<const float*>(data_.data()) + count * plan_.depth, shape{count}};
    }
    /// Of each group.
    template <class = void>
    [[nodiscard]] std::vector<product_sums> sums() const {
        const auto outputs = static_cast<std::size_t>(plan_.outputs), depth = static_cast<std::size_t>(plan_.depth);
        const detail::even_parts channels(outputs, detail::conv_blocks(outputs));
        const auto* weights = reinterpret_cast<const float*>(data_.data());
        const float* bias = weights + static_cast<std::size_t>(plan_.groups) * outputs * depth;
        std::vector<product_sums> all;
        for (std::int64_t group = 0; group < plan_.groups; ++group) {
            product_sums one{depth, outputs, std::vector<double>(depth), std::vector<float>(depth)};
            std::vector<double> squares(depth);
            for (std::size_t block = 0; block < detail::conv_blocks(outputs); ++block)
                for (std::size_t k = 0; k < depth; ++k)
                    for (std::size_t channel = 0; channel < channels.size(block); ++channel) {
                        const auto w = static_cast<double>(*weights++);
                        one.ones[k] += w;
                        squares[k] += w * w;
                    }
            for (std::size_t k = 0; k < depth; ++k) one.squares[k] = static_cast<float>(squares[k]);
            for (std::size_t channel = 0; channel < outputs; ++channel) one.bias += static_cast<double>(*bias++);
            all.push_back(std::move(one));
        }
        return all;
    }

private:
    /// Chooses how many output rows go through scratch at a time, and where in it each tap finds its input.
    void lay_out() {
        const auto mul = [](std::int64_t a, std::int64_t b) { return detail::checked_mul("conv2d", a, b); };
        conv_plan& p = plan_;
        for (std::int64_t ky = 0; ky < p.kernel_height; ++ky) {
            const std::int64_t phase = ky * p.dilation_y % p.stride_y;
            if (std::find(phases_.begin(), phases_.end(), phase) == phases_.end()) phases_.push_back(phase);
        }
        p.phases = static_cast<std::int64_t>(phases_.size());
        const std::int64_t halo = (p.kernel_height - 1) * p.dilation_y / p.stride_y;
        const std::int64_t row = mul(mul(mul(p.channels, p.kernel_width), p.phases), p.out_width);  // floats
        const std::int64_t fits = cache_floats / row - halo;
        const bool heavy = p.outputs * p.depth > 4 * cache_floats;  // then read the weights less often
        const std::int64_t enough = ((heavy ? 256 : 64) + p.out_width - 1) / p.out_width;
        std::int64_t band = std::min(std::max(fits, enough), p.out_height);
        const std::int64_t bands = (p.out_height - 1) / band + 1;
        band = (p.out_height - 1) / bands + 1;
        p.band_rows = band;
        p.plane_rows = band + halo;
        const std::int64_t scratch = mul(row, p.plane_rows);
        if (scratch > most_scratch)
            throw std::invalid_argument("conv2d: one row of output [" + std::to_string(p.out_height) + ", " +
                                        std::to_string(p.out_width) + "] needs " + std::to_string(scratch) +
                                        " floats of scratch, at most " + std::to_string(most_scratch) + " are allowed");
        p.scratch = static_cast<std::size_t>(scratch) + 64;  // vectors overshoot by up to four
        offsets_.reserve(static_cast<std::size_t>(p.depth));
        for (std::int64_t c = 0; c < p.channels; ++c)
            for (std::int64_t ky = 0; ky < p.kernel_height; ++ky)
                for (std::int64_t kx = 0; kx < p.kernel_width; ++kx) {
                    const std::int64_t y = ky * p.dilation_y;
                    const auto phase = std::find(phases_.begin(), phases_.end(), y % p.stride_y) - phases_.begin();
                    const std::int64_t plane = (c * p.kernel_width + kx) * p.phases + phase;
                    offsets_.push_back((plane * p.plane_rows + y / p.stride_y) * p.out_width);
                }
    }

    /// Per group, blocks of output channels: [taps][channels of the block]; then the bias.
    void pack_weights(const view<const float>& weights, const view<const float>& bias) {
        const std::int64_t total = plan_.groups * plan_.outputs;
        data_ = tensor::populated(element::float32, shape{total * (plan_.depth + 1)});
        auto* to = reinterpret_cast<float*>(data_.data());
        const std::size_t blocks = detail::conv_blocks(static_cast<std::size_t>(plan_.outputs));
        const detail::even_parts channels(static_cast<std::size_t>(plan_.outputs), blocks);
        const auto start = [&](std::size_t block) { return static_cast<std::int64_t>(channels.start(block)); };
        for (std::int64_t group = 0; group < plan_.groups; ++group)
            for (std::size_t b = 0; b < blocks; ++b)
                for (std::int64_t c = 0; c < plan_.channels; ++c)
                    for (std::int64_t ky = 0; ky < plan_.kernel_height; ++ky)
                        for (std::int64_t kx = 0; kx < plan_.kernel_width; ++kx)
                            for (std::int64_t o = start(b); o < start(b + 1); ++o)
                                *to++ = weights(group * plan_.outputs + o, c, ky, kx);
        for (std::int64_t o = 0; o < total; ++o) *to++ = bias.size() == 0 ? 0.0F : bias(o);
    }

    using conv_plan = detail::conv_plan;
    static constexpr std::int64_t cache_floats = 64 * 1024;  // of scratch: half of a small second-level cache
    static constexpr std::int64_t most_scratch = std::int64_t{1} << 32;

    conv_plan plan_;
    std::vector<std::int64_t> phases_;
    std::vector<std::ptrdiff_t> offsets_;
    tensor data_;
};

namespace detail {

/// `sums`, where given, are checked; returns how many positions do not add up.
inline std::size_t conv2d(isa set, const view<const float>& in, const packed_conv2d& w, const view<float>& out,
                          workspace& space, activation act, const std::vector<product_sums>* sums = nullptr) {
    const std::int64_t images = in.rank() == 4 ? in.extent(0) : 0;
    const shape expected_in = w.input(images), expected_out = w.output(images);
    if (!(in.shape() == expected_in) || !(out.shape() == expected_out) || !in.dense() || !out.dense())
        throw std::invalid_argument("conv2d: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense " + expected_in.text() + " into " + expected_out.text());
    const workspace::scope scope(space);
    const auto scratch = space.take<float>(w.scratch_floats());
    std::fill(scratch.end() - 64, scratch.end(), 0.0F);
    const auto image = pick(set, &baseline::conv2d, &avx2::conv2d, &avx512::conv2d);
    const std::size_t in_step = expected_in.with(0, 1).volume(), out_step = expected_out.with(0, 1).volume();
    std::size_t suspicious = 0;
    for (std::size_t n = 0; n < static_cast<std::size_t>(images); ++n) {
        space.stop.check();
        detail::conv_call one = w.call(in.data() + n * in_step, out.data() + n * out_step, scratch.data(), act);
        if (sums != nullptr) one.sums = sums->data();
        suspicious += image(one);
    }
    return suspicious;
}

}  // namespace detail

/// out[n, o, y, x] = act(bias[o] + sum over c, ky, kx of in[n, c, y s + ky d - top, x s + kx d - left] * w[o, c, ky,
/// kx])
///
/// shapes   in [N, C, H, W], out [N, O, OH, OW], both dense, not overlapping
/// cost     2 N O OH OW (C / groups) kh kw flops; copies the input kw times through `w.scratch_bytes()` of scratch
/// errors   throws std::invalid_argument when the shapes do not fit; stopped_error between images when it is time
/// threads  re-entrant with a workspace each. One chain of fused multiply-adds in the order c, ky, kx for each output,
///          starting from the bias: the bits of an image do not depend on N. Padding counts as zeros that are
///          multiplied
/// source   ONNX Conv-11
inline void conv2d(const view<const float>& in, const packed_conv2d& w, const view<float>& out, workspace& space,
                   activation act = activation::none) {
    detail::conv2d(active_isa(), in, w, out, space, act);
}

/// The same, to the bit, and how many positions do not add up (see kernel/checked_matmul.hpp), four or one at a time as
/// in kernel/convolution_nhwc.hpp.
///
/// cost     about 3/O + 2/K of it besides, O output channels of a group and K taps
/// requires sums of these weights
[[nodiscard]] inline std::size_t checked_conv2d(const view<const float>& in, const packed_conv2d& w,
                                                const std::vector<product_sums>& sums, const view<float>& out,
                                                workspace& space, activation act = activation::none) {
    return detail::conv2d(active_isa(), in, w, out, space, act, &sums);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
