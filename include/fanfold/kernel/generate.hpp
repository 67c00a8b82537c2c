// fanfold/kernel/generate.hpp - tensors from few numbers: ranges, the identity matrix, one-hot vectors.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>  // std::ceil

#include "index.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// How many of start, start + delta, ... lie before `limit`.
///
/// errors   throws std::invalid_argument for a delta of 0, NaN, and lengths beyond 2^62
[[nodiscard]] inline std::int64_t range_length(double start, double limit, double delta) {
    const double length = std::ceil((limit - start) / delta);
    if (delta == 0 || !(length < 0x1p62))
        detail::refuse(
            "range", "from " + std::to_string(start) + " to " + std::to_string(limit) + " by " + std::to_string(delta));
    return length > 0 ? static_cast<std::int64_t>(length) : 0;
}
[[nodiscard]] inline std::int64_t range_length(std::int64_t start, std::int64_t limit, std::int64_t delta) {
    if (delta == 0) detail::refuse("range", "a delta of 0");
    if (delta > 0 ? start >= limit : start <= limit) return 0;
    const auto from = static_cast<std::uint64_t>(start), to = static_cast<std::uint64_t>(limit);
    const std::uint64_t distance = delta > 0 ? to - from : from - to;
    const std::uint64_t step = delta > 0 ? static_cast<std::uint64_t>(delta) : 0 - static_cast<std::uint64_t>(delta);
    return static_cast<std::int64_t>((distance - 1) / step + 1);
}

/// out[i] = start + i * delta.
///
/// shapes   start and delta of one element, out dense, all of one type. Floating point is computed in double
/// errors   throws std::invalid_argument when shapes or types do not fit
/// threads  re-entrant
/// source   ONNX Range-11
inline void range(const tensor_view& start, const tensor_view& delta, const mutable_tensor_view& out) {
    if (start.type() != out.type() || delta.type() != out.type() || start.size() != 1 || delta.size() != 1 ||
        out.rank() != 1 || out.type() == element::boolean)
        detail::refuse("range", describe(start) + " by " + describe(delta) + " into " + describe(out));
    detail::expect_dense("range", out);
    const auto fill = [&]<class C>(C) {
        C first{}, by{}, some[detail::chunk];
        detail::loader_of<C>(out.type())(start.data(), 1, &first, 1);
        detail::loader_of<C>(out.type())(delta.data(), 1, &by, 1);
        const auto store = detail::storer_of<C>(out.type());
        for (std::size_t done = 0; done < out.size(); done += detail::chunk) {
            const std::size_t count = std::min(out.size() - done, detail::chunk);
            for (std::size_t i = 0; i < count; ++i) some[i] = static_cast<C>(first + static_cast<C>(done + i) * by);
            store(some, out.data() + done * size_of(out.type()), 1, count);
        }
    };
    if (is_floating(out.type()))
        fill(double{});
    else
        fill(std::uint64_t{});
}

/// 1 where column - row == `diagonal`, else 0.
///
/// shapes   out dense, of rank 2
/// errors   throws std::invalid_argument for another rank
/// threads  re-entrant
/// source   ONNX EyeLike-22
inline void eye(std::int64_t diagonal, const mutable_tensor_view& out) {
    if (out.rank() != 2) detail::refuse("eye", "expected a matrix, got " + describe(out));
    detail::expect_dense("eye", out);
    if (out.size() == 0) return;
    std::memset(out.data(), 0, out.bytes());
    const double one = 1;
    const auto store = detail::storer_of<double>(out.type());
    const auto width = static_cast<std::int64_t>(size_of(out.type()));
    const std::int64_t rows = out.extent(0), columns = out.extent(1);
    for (std::int64_t row = 0; row < rows; ++row) {
        if (diagonal > columns - 1 - row || diagonal < -row) continue;
        store(&one, out.data() + (row * columns + row + diagonal) * width, 1, 1);
    }
}

/// values[1] where the new axis' index equals the one in `indices`, else values[0]. Negative indices count from the
/// end, others that are out of range leave values[0] everywhere.
///
/// shapes   out: the extents of indices with a new one at `axis`; indices of any number type, `values` two elements of
///          out's type, all dense
/// errors   throws std::invalid_argument when shapes or types do not fit
/// threads  re-entrant
/// source   ONNX OneHot-11
inline void one_hot(const tensor_view& indices, const tensor_view& values, std::size_t axis,
                    const mutable_tensor_view& out) {
    bool fits = out.rank() == indices.rank() + 1 && axis < out.rank() && values.type() == out.type() &&
                values.size() == 2 && indices.type() != element::boolean;
    for (std::size_t a = 0; fits && a < indices.rank(); ++a)
        fits = out.extent(a < axis ? a : a + 1) == indices.extent(a);
    if (!fits)
        detail::refuse("one_hot", describe(indices) + " of " + describe(values) + " into " + describe(out) +
                                      " along axis " + std::to_string(axis));
    detail::expect_dense("one_hot", indices, values, out);
    const std::int64_t depth = out.extent(axis);
    const std::size_t inner = detail::volume_of(out.shape(), axis + 1, out.rank());
    visit_width(out.type(), [&]<class Word>(Word) {
        const auto* pair = reinterpret_cast<const Word*>(values.data());
        auto* to = reinterpret_cast<Word*>(out.data());
        std::fill_n(to, out.size(), pair[0]);
        const auto load = detail::loader_of<double>(indices.type());
        for (std::size_t i = 0; i < indices.size(); ++i) {
            double index = 0;
            load(indices.data() + i * size_of(indices.type()), 1, &index, 1);
            if (index < 0) index += static_cast<double>(depth);
            if (!(index >= 0 && index < static_cast<double>(depth))) continue;
            to[(i / inner * static_cast<std::size_t>(depth) + static_cast<std::size_t>(index)) * inner + i % inner] =
                pair[1];
        }
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
