// fanfold/kernel/pooling_nhwc.hpp - the greatest or the mean of each window, channels side by side.
//   in    images [N, H, W, C]      out   [N, OH, OW, C]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint64_t
#include <stdexcept>  // std::invalid_argument

#include "../context/tile_loop.hpp"
#include "../core/view.hpp"
#include "image_rows.hpp"
#include "pooling.hpp"
#include "simd.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

struct pool_nhwc_call {
    const float* in;
    float* out;
    std::int64_t channels, height, width, out_width;
    std::array<std::int64_t, 2> size, stride, dilation;
    std::array<std::int64_t, 4> padding;
    padding_counts counts;
    std::int64_t first, last;  // output rows
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/pooling_nhwc.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/pooling_nhwc.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/pooling_nhwc.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// What pooling makes of images [N, H, W, C]; errors as pooled_shape.
[[nodiscard]] inline shape pooled_shape_nhwc(const shape& in, const window2d& window) {
    if (in.rank() != 4) throw std::invalid_argument("pooling: " + in.text() + " is not [N, H, W, C]");
    const shape planes = pooled_shape({in[0], in[3], in[1], in[2]}, window);
    return {in[0], planes[2], planes[3], in[3]};
}

namespace detail {

using pool_nhwc_function = void (*)(const pool_nhwc_call&);

inline void pool_images_nhwc(pool_nhwc_function kernel, const view<const float>& in, const window2d& w,
                             const view<float>& out, padding_counts counts, const tile_loop& tiles) {
    const shape expected = pooled_shape_nhwc(in.shape(), w);
    if (!(out.shape() == expected) || !in.dense() || !out.dense())
        throw std::invalid_argument("pooling: " + in.shape().text() + " into " + out.shape().text() +
                                    ", expected dense " + expected.text());
    if (out.size() == 0) return;
    pool_nhwc_call p{in.data(), out.data(), in.extent(3), in.extent(1), in.extent(2), expected[2],
                     w.size,    w.stride,   w.dilation,   w.padding,    counts,       0,
                     0};
    for (std::size_t axis = 0; axis < 2; ++axis)
        if (w.size[axis] == 1) p.dilation[axis] = 1;
    const std::size_t in_step = in.shape().with(0, 1).volume(), out_step = expected.with(0, 1).volume();
    const std::uint64_t bytes = 4 * std::uint64_t{in.size() + out.size()};
    std::uint64_t taps = 1;
    for (std::size_t axis = 0; axis < 2; ++axis)
        taps *= static_cast<std::uint64_t>(std::min(w.size[axis], in.extent(axis + 1)));
    over_image_rows(tiles, expected, std::max<std::uint64_t>(8 * bytes, out.size() * taps),
                    [&](std::size_t n, std::int64_t first, std::int64_t last) {
                        pool_nhwc_call some = p;
                        some.in += n * in_step;
                        some.out += n * out_step;
                        some.first = first;
                        some.last = last;
                        kernel(some);
                    });
}

inline void max_pool_nhwc(isa set, const view<const float>& in, const window2d& window, const view<float>& out,
                          const tile_loop& tiles = {}) {
    pool_images_nhwc(pick(set, &baseline::max_pool_nhwc, &avx2::max_pool_nhwc, &avx512::max_pool_nhwc), in, window, out,
                     padding_counts::no, tiles);
}
inline void average_pool_nhwc(isa set, const view<const float>& in, const window2d& window, const view<float>& out,
                              padding_counts counts, const tile_loop& tiles = {}) {
    pool_images_nhwc(pick(set, &baseline::average_pool_nhwc, &avx2::average_pool_nhwc, &avx512::average_pool_nhwc), in,
                     window, out, counts, tiles);
}

}  // namespace detail

/// out = the greatest element of each window; padding counts as -infinity, a NaN in the window gives NaN.
///
/// shapes   in [N, H, W, C], out pooled_shape_nhwc(in, window), both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; split by `tiles` into rows of images; the bits of an image do not depend on N
/// source   ONNX MaxPool-12
inline void max_pool_nhwc(const view<const float>& in, const window2d& window, const view<float>& out,
                          const tile_loop& tiles = {}) {
    detail::max_pool_nhwc(active_isa(), in, window, out, tiles);
}

/// out = the mean of each window, summed in row-major order. Positions behind the padded image, which a kept last
/// window may cover, never count.
///
/// shapes   in [N, H, W, C], out pooled_shape_nhwc(in, window), both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; split by `tiles` into rows of images; the bits of an image do not depend on N
/// source   ONNX AveragePool-19
inline void average_pool_nhwc(const view<const float>& in, const window2d& window, const view<float>& out,
                              padding_counts counts = padding_counts::no, const tile_loop& tiles = {}) {
    detail::average_pool_nhwc(active_isa(), in, window, out, counts, tiles);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
