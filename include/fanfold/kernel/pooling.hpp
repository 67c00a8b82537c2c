// fanfold/kernel/pooling.hpp - the greatest or the mean of each window of an image, or of the whole image.
//   in    images [N, C, H, W]      out   [N, C, OH, OW]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"
#include "simd.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

struct pool_call {
    const float* in;
    float* out;
    std::size_t planes;
    std::int64_t height, width, out_height, out_width;
    std::int64_t size_y, size_x, stride_y, stride_x, dilation_y, dilation_x, top, left;
    std::int64_t inside_from, inside_to;                              // output columns whose windows touch no padding
    std::int64_t count_from_y, count_to_y, count_from_x, count_to_x;  // positions that an average counts
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/pooling.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/pooling.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/pooling.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// What pooling makes of an image batch of shape `in`.
///
/// errors   throws std::invalid_argument with the numbers when `in` is not [N, C, H, W], the window does not fit the
///          padded image, a padding is not smaller than the window's reach, or a number makes no sense or overflows
/// source   ONNX MaxPool-12, AveragePool-19
[[nodiscard]] inline shape pooled_shape(const shape& in, const window2d& window) {
    if (in.rank() != 4) throw std::invalid_argument("pooling: " + in.text() + " is not [N, C, H, W]");
    const auto axis = [&](std::size_t a) {
        const detail::window_axis w{"pooling",          in[a + 2],         window.size[a],       window.stride[a],
                                    window.dilation[a], window.padding[a], window.padding[a + 2]};
        const std::int64_t count = w.positions(window.rounding);
        if (w.before >= w.reach() || w.after >= w.reach())
            throw std::invalid_argument("pooling: a padding of " + std::to_string(w.before) + " and " +
                                        std::to_string(w.after) + " is not smaller than a window that reaches over " +
                                        std::to_string(w.reach()));
        return count;
    };
    return {in[0], in[1], axis(0), axis(1)};
}

/// Whether an average divides by all positions of the padded image under the window, or by those of the image alone.
enum class padding_counts : std::uint8_t { no, yes };

namespace detail {

inline pool_call pool_call_for(const view<const float>& in, const window2d& w, const view<float>& out,
                               padding_counts counts) {
    const shape expected = pooled_shape(in.shape(), w);
    if (!(out.shape() == expected) || !in.dense() || !out.dense())
        throw std::invalid_argument("pooling: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense " + expected.text());
    pool_call p{};
    p.in = in.data();
    p.out = out.data();
    p.planes = in.size() == 0 ? 0 : static_cast<std::size_t>(in.extent(0) * in.extent(1));
    p.height = in.extent(2);
    p.width = in.extent(3);
    p.out_height = expected[2];
    p.out_width = expected[3];
    p.size_y = w.size[0];
    p.size_x = w.size[1];
    p.stride_y = w.stride[0];
    p.stride_x = w.stride[1];
    p.dilation_y = p.size_y == 1 ? 1 : w.dilation[0];
    p.dilation_x = p.size_x == 1 ? 1 : w.dilation[1];
    p.top = w.padding[0];
    p.left = w.padding[1];
    const std::int64_t room = p.width + p.left - ((p.size_x - 1) * p.dilation_x + 1);
    p.inside_from = std::min((p.left + p.stride_x - 1) / p.stride_x, p.out_width);
    p.inside_to = std::max(std::min(room < 0 ? 0 : room / p.stride_x + 1, p.out_width), p.inside_from);
    const bool all = counts == padding_counts::yes;
    p.count_from_y = all ? -w.padding[0] : 0;
    p.count_from_x = all ? -w.padding[1] : 0;
    p.count_to_y = p.height + (all ? w.padding[2] : 0);
    p.count_to_x = p.width + (all ? w.padding[3] : 0);
    return p;
}

inline void max_pool2d(isa set, const view<const float>& in, const window2d& window, const view<float>& out) {
    const pool_call call = pool_call_for(in, window, out, padding_counts::no);
    pick(set, &baseline::max_pool, &avx2::max_pool, &avx512::max_pool)(call);
}

inline void average_pool2d(isa set, const view<const float>& in, const window2d& window, const view<float>& out,
                           padding_counts counts) {
    const pool_call call = pool_call_for(in, window, out, counts);
    pick(set, &baseline::average_pool, &avx2::average_pool, &avx512::average_pool)(call);
}

inline void global_average_pool2d(isa set, const view<const float>& in, const view<float>& out) {
    const bool ranks = in.rank() >= 3 && out.rank() == in.rank();
    bool fits = ranks && in.dense() && out.dense();
    for (std::size_t axis = 0; fits && axis < in.rank(); ++axis)
        fits = out.extent(axis) == (axis < 2 ? in.extent(axis) : 1) && (axis < 2 || in.extent(axis) > 0);
    if (!fits)
        throw std::invalid_argument("global average pooling: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense [N, C, ...] into [N, C, 1, ...]");
    const std::size_t planes = out.size();
    if (planes == 0) return;
    pick(set, &baseline::average_planes, &avx2::average_planes, &avx512::average_planes)(in.data(), out.data(), planes,
                                                                                         in.size() / planes);
}

}  // namespace detail

/// out = the greatest element of each window; padding counts as -infinity, a NaN in the window gives NaN.
///
/// shapes   in [N, C, H, W], out pooled_shape(in, window), both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX MaxPool-12
inline void max_pool2d(const view<const float>& in, const window2d& window, const view<float>& out) {
    detail::max_pool2d(active_isa(), in, window, out);
}

/// out = the mean of each window, summed in row-major order. Positions behind the padded image, which a kept last
/// window may cover, never count.
///
/// shapes   in [N, C, H, W], out pooled_shape(in, window), both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX AveragePool-19
inline void average_pool2d(const view<const float>& in, const window2d& window, const view<float>& out,
                           padding_counts counts = padding_counts::no) {
    detail::average_pool2d(active_isa(), in, window, out, counts);
}

/// out = the mean of each channel. Element k goes to lane k mod 16, lanes fold in a fixed tree.
///
/// shapes   in [N, C, ...], out [N, C, 1, ...] of the same rank, both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant
/// source   ONNX GlobalAveragePool-1
inline void global_average_pool2d(const view<const float>& in, const view<float>& out) {
    detail::global_average_pool2d(active_isa(), in, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
