// fanfold/kernel/hardmax.hpp - 1 where the largest element along an axis stands, else 0.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstring>  // std::memset

#include "arg_extreme.hpp"
#include "softmax.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Of equal elements the first one gets the 1; a NaN counts as the largest.
///
/// shapes   in and out dense, of one shape and floating-point type; they share no memory
/// errors   throws std::invalid_argument when shapes, types or the axis do not fit
/// threads  re-entrant
/// source   ONNX Hardmax-13
inline void hardmax(const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) {
    const detail::rows_along rows("hardmax", in, axis, out);
    if (!is_floating(in.type()))
        throw std::invalid_argument("hardmax of " + describe(in) + ": expected floating point");
    if (out.size() == 0) return;
    constexpr std::size_t side = 64;
    const detail::wide_reader<double> reader(in);
    const auto store = detail::storer_of<double>(out.type());
    const auto width = static_cast<std::int64_t>(size_of(out.type()));
    std::memset(out.data(), 0, out.bytes());
    double room[side], best[side];
    std::int64_t where[side];
    for (std::size_t g = 0; g < rows.groups; ++g)
        for (std::size_t c = 0; c < rows.columns; c += side) {
            const std::size_t count = std::min(rows.columns - c, side);
            const auto first =
                static_cast<std::int64_t>(g) * rows.group_step + static_cast<std::int64_t>(c) * rows.column_step;
            for (std::size_t k = 0; k < rows.n; ++k) {
                const auto at = static_cast<std::int64_t>(k);
                const double* x = reader(first + at * rows.step, rows.column_step, count, room);
                detail::take_better(extreme::largest, tie::first, x, at, best, where, count);
            }
            const double one = 1;
            for (std::size_t i = 0; i < count; ++i)
                store(&one,
                      out.data() +
                          (first + static_cast<std::int64_t>(i) * rows.column_step + where[i] * rows.step) * width,
                      1, 1);
        }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
