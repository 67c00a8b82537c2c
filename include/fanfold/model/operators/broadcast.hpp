// fanfold/model/operators/broadcast.hpp - numpy's broadcasting, with a symbolic number of rows.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t

#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The shape that both broadcast to: axes aligned at the end, an extent of 1 repeats.
///
/// example  [N, 6, 28, 28] and [6, 1, 1]  ->  [N, 6, 28, 28]
/// errors   throws std::invalid_argument naming both shapes; N and a constant other than 1 do not agree
/// source   ONNX "Multidirectional Broadcasting"
[[nodiscard]] inline symbolic_shape broadcast(const symbolic_shape& a, const symbolic_shape& b) {
    if (!a.ranked() || !b.ranked()) return symbolic_shape::unknown();
    const std::size_t rank = std::max(a.rank(), b.rank());
    symbolic_shape out = symbolic_shape::of_rank(rank);
    for (std::size_t back = 1; back <= rank; ++back) {
        const extent left = back <= a.rank() ? a[a.rank() - back] : extent(1);
        const extent right = back <= b.rank() ? b[b.rank() - back] : extent(1);
        if (!may_equal(left, right) && !(left == extent(1)) && !(right == extent(1)))
            detail::refuse("shapes that broadcast", a.text() + " and " + b.text());
        const bool take_right = left == extent(1) || (!left.known() && !(right == extent(1)));
        out[rank - back] = take_right ? right : left;
    }
    return out;
}

}  // namespace fanfold::inline FANFOLD_ABI
