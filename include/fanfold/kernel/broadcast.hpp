// fanfold/kernel/broadcast.hpp - the shape of several tensors together, and their strides in it.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument

#include "../core/shape.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// The shape that `a` and `b` have together: axes are aligned at the last, an extent of 1 stretches.
///
/// errors   throws std::invalid_argument with both shapes when they do not fit
/// source   ONNX multidirectional broadcasting
[[nodiscard]] inline shape broadcast_shape(const shape& a, const shape& b) {
    const std::size_t rank = std::max(a.rank(), b.rank());
    std::array<std::int64_t, shape::max_rank> extents{};
    for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::size_t back = rank - axis;
        const std::int64_t left = back > a.rank() ? 1 : a[a.rank() - back];
        const std::int64_t right = back > b.rank() ? 1 : b[b.rank() - back];
        if (left != right && left != 1 && right != 1)
            throw std::invalid_argument("cannot broadcast " + a.text() + " with " + b.text());
        extents[axis] = left == 1 ? right : left;
    }
    return shape(std::span<const std::int64_t>(extents.data(), rank));
}

namespace detail {

/// The strides of a tensor seen as a larger one: 0 where it is repeated.
[[nodiscard]] inline strides stretched(const shape& from, const strides& steps, const shape& to) {
    strides wide{};
    for (std::size_t axis = 0; axis < from.rank(); ++axis)
        wide[axis + to.rank() - from.rank()] = from[axis] == 1 ? 0 : steps[axis];
    return wide;
}

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
