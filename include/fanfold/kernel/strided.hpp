// fanfold/kernel/strided.hpp - walks several strided tensors of one shape in runs as long as their strides allow.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>    // std::array
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t

#include "../core/shape.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

template <std::size_t Tensors>
using offsets = std::array<std::int64_t, Tensors>;

/// Calls `run(at, count, step)` for runs that together cover `extents` in row-major order: tensor t has its elements of
/// the run at at[t] + i * step[t]. Axes that lie one behind the other in every tensor are taken as one.
template <std::size_t Tensors, class Run>
void for_each_run(const shape& extents, const std::array<strides, Tensors>& steps, Run&& run) {
    if (extents.volume() == 0) return;
    std::array<std::int64_t, shape::max_rank> count{};
    std::array<offsets<Tensors>, shape::max_rank> step{};
    std::size_t axes = 0;
    for (std::size_t axis = 0; axis < extents.rank(); ++axis) {
        if (extents[axis] == 1) continue;
        bool joins = axes != 0;
        for (std::size_t t = 0; joins && t < Tensors; ++t) joins = step[axes - 1][t] == steps[t][axis] * extents[axis];
        if (joins)
            count[axes - 1] *= extents[axis];
        else
            count[axes++] = extents[axis];
        for (std::size_t t = 0; t < Tensors; ++t) step[axes - 1][t] = steps[t][axis];
    }
    if (axes == 0) {  // one element
        count[0] = 1;
        step[0].fill(1);
        axes = 1;
    }
    const std::size_t last = axes - 1;
    std::array<std::int64_t, shape::max_rank> index{};
    offsets<Tensors> at{};
    while (true) {
        run(at, static_cast<std::size_t>(count[last]), step[last]);
        std::size_t axis = last;
        while (axis-- > 0) {
            for (std::size_t t = 0; t < Tensors; ++t) at[t] += step[axis][t];
            if (++index[axis] < count[axis]) break;
            for (std::size_t t = 0; t < Tensors; ++t) at[t] -= step[axis][t] * count[axis];
            index[axis] = 0;
        }
        if (axis == static_cast<std::size_t>(-1)) return;
    }
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
