// fanfold/kernel/transpose.hpp - a tensor with its axes in another order.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <span>       // std::span

#include "index.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// out[j, i] = in[i, j] for `rows` rows i of `columns` neighbours j; steps in elements. Tiles of 64 bytes a side: each
/// line of either side is in the cache until it is done with.
template <class Word>
void transpose_plane(const Word* in, std::int64_t in_step, Word* out, std::int64_t out_step, std::int64_t rows,
                     std::int64_t columns) {
    constexpr std::int64_t side = 64 / sizeof(Word) < 16 ? 64 / sizeof(Word) : 16;
    if (rows <
        side) {  // a few hundred neighbours at a time: what they become stays in the cache until all rows are done
        for (std::int64_t first = 0; first < columns; first += 256)
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = first; j < std::min<std::int64_t>(first + 256, columns); ++j)
                    out[j * out_step + i] = in[i * in_step + j];
        return;
    }
    const std::int64_t whole_rows = rows / side * side, whole_columns = columns / side * side;
    for (std::int64_t i = 0; i < whole_rows; i += side)
        for (std::int64_t j = 0; j < whole_columns; j += side) {
            const Word* x = in + i * in_step + j;
            Word* z = out + j * out_step + i;
            Word tile[side * side];
            for (std::int64_t r = 0; r < side; ++r)
                for (std::int64_t c = 0; c < side; ++c) tile[c * side + r] = x[r * in_step + c];
            for (std::int64_t c = 0; c < side; ++c) std::memcpy(z + c * out_step, tile + c * side, side * sizeof(Word));
        }
    for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
            out[j * out_step + i] = in[i * in_step + j];
}

/// Axes of extent 1 left out, those that stay neighbours taken as one.
struct copied_axes {
    std::size_t count = 0;
    std::array<std::int64_t, shape::max_rank> extent{}, in{}, out{};

    copied_axes(const shape& extents, const strides& from, const strides& to) {
        for (std::size_t axis = 0; axis < extents.rank(); ++axis) {
            const std::int64_t n = extents[axis];
            if (n == 1) continue;
            if (count != 0 && in[count - 1] == from[axis] * n && out[count - 1] == to[axis] * n) {
                extent[count - 1] *= n;
            } else {
                extent[count++] = n;
            }
            in[count - 1] = from[axis];
            out[count - 1] = to[axis];
        }
    }
};

template <class Word>
void copy_axes(const copied_axes& axes, const Word* from, Word* to) {
    if (axes.count == 0) {
        *to = *from;
        return;
    }
    const std::size_t last = axes.count - 1;
    std::size_t other = last;  // the axis whose neighbours are neighbours in the input
    for (std::size_t a = 0; a < last; ++a)
        if (axes.in[a] == 1 && axes.in[last] != 1) other = a;
    std::array<std::int64_t, shape::max_rank> index{};
    while (true) {
        if (other != last)
            transpose_plane(from, axes.in[last], to, axes.out[other], axes.extent[last], axes.extent[other]);
        else if (axes.in[last] == 1)
            std::memcpy(to, from, static_cast<std::size_t>(axes.extent[last]) * sizeof(Word));
        else
            for (std::int64_t i = 0; i < axes.extent[last]; ++i) to[i] = from[i * axes.in[last]];
        std::size_t a = last;
        while (a-- > 0) {
            if (a == other) continue;
            from += axes.in[a];
            to += axes.out[a];
            if (++index[a] < axes.extent[a]) break;
            from -= axes.in[a] * axes.extent[a];
            to -= axes.out[a] * axes.extent[a];
            index[a] = 0;
        }
        if (a == static_cast<std::size_t>(-1)) return;
    }
}

}  // namespace detail

/// out[i...] = in with axis order[0] first, order[1] second, ...
///
/// shapes   in of any strides, out dense: out's extent at a is in's at order[a]
/// cost     one pass; planes in tiles of at most 64 bytes a side, runs that stay together by memcpy
/// errors   throws std::invalid_argument when order is no permutation, or out does not fit
/// threads  re-entrant
/// source   ONNX Transpose-13
inline void transpose(const tensor_view& in, std::span<const std::size_t> order, const mutable_tensor_view& out) {
    bool fits = order.size() == in.rank() && out.rank() == in.rank() && in.type() == out.type() && out.dense();
    std::array<bool, shape::max_rank> seen{};
    strides steps{};
    for (std::size_t a = 0; fits && a < order.size(); ++a) {
        fits = order[a] < in.rank() && !seen[order[a]] && out.extent(a) == in.extent(order[a]);
        if (!fits) break;
        seen[order[a]] = true;
        steps[a] = in.steps()[order[a]];
    }
    if (!fits) {
        std::string axes;
        for (const std::size_t axis : order) axes += (axes.empty() ? "" : ", ") + std::to_string(axis);
        detail::refuse("transpose", describe(in) + " in the order [" + axes + "] into " + describe(out));
    }
    if (out.size() == 0) return;
    const detail::copied_axes merged(out.shape(), steps, dense_strides(out.shape()));
    visit_width(in.type(), [&]<class Word>(Word) {
        detail::copy_axes(merged, reinterpret_cast<const Word*>(in.data()), reinterpret_cast<Word*>(out.data()));
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
