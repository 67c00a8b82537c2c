// fanfold/kernel/col2im.hpp - blocks of an image laid down where they were taken from, and added up where they overlap.
//   in    columns [N, C * block, L]      out   [N, C, ...]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::fill_n
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/view.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// How blocks stand on an image, one number for each spatial axis.
struct block_grid {
    std::vector<std::int64_t> size, stride, dilation, before, after;

    /// How many blocks stand along an axis.
    /// errors   throws std::invalid_argument when none does, or the numbers make no sense
    [[nodiscard]] std::int64_t positions(std::size_t axis, std::int64_t extent) const {
        return detail::window_axis{"col2im",       extent,       size[axis], stride[axis],
                                   dilation[axis], before[axis], after[axis]}
            .positions(window2d::rounding::floor);
    }
};

/// out = the sum of all blocks; column l holds the block at the l-th position, the last axis fastest.
///
/// shapes   in [N, C * volume of the block, L], out [N, C, ...] with as many spatial axes as the grid has; both dense
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; the bits of an image do not depend on N
/// source   ONNX Col2Im-18
template <class T>
void col2im(const view<const T>& in, const block_grid& grid, const view<T>& out) {
    const std::size_t axes = grid.size.size();
    std::int64_t block = 1, columns = 1, plane = 1;
    bool fits = in.rank() == 3 && out.rank() == axes + 2 && in.dense() && out.dense();
    std::vector<std::int64_t> counts(axes), steps(axes);
    for (std::size_t axis = axes; fits && axis-- > 0;) {
        counts[axis] = grid.positions(axis, out.extent(axis + 2));
        steps[axis] = plane;
        block *= grid.size[axis];
        columns *= counts[axis];
        plane *= out.extent(axis + 2);
    }
    if (!fits || in.extent(0) != out.extent(0) || in.extent(1) != out.extent(1) * block || in.extent(2) != columns)
        throw std::invalid_argument("col2im: " + in.shape().text() + " into " + out.shape().text() + " with " +
                                    std::to_string(columns) + " blocks of " + std::to_string(block));
    std::fill_n(out.data(), out.size(), T{0});
    const std::int64_t images = out.extent(0) * out.extent(1);
    const T* from = in.data();
    for (std::int64_t image = 0; image < images; ++image) {
        T* to = out.data() + image * plane;
        for (std::int64_t tap = 0; tap < block; ++tap)
            for (std::int64_t column = 0; column < columns; ++column, ++from) {
                std::int64_t at = 0, t = tap, c = column;
                bool inside = true;
                for (std::size_t axis = axes; axis-- > 0; t /= grid.size[axis], c /= counts[axis]) {
                    const std::int64_t x = c % counts[axis] * grid.stride[axis] +
                                           t % grid.size[axis] * grid.dilation[axis] - grid.before[axis];
                    inside = inside && x >= 0 && x < out.extent(axis + 2);
                    at += x * steps[axis];
                }
                if (inside) to[at] += *from;
            }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
