// fanfold/kernel/arg_extreme.hpp - where along an axis the largest or smallest element stands.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class extreme : std::uint8_t { largest, smallest };
/// Which of equal elements is taken.
enum class tie : std::uint8_t { first, last };

namespace detail {

/// `in` without `axis`, and the strides of `in` and `out` along what remains; out may have extent 1 at `axis`.
struct without_axis {
    shape extents;
    strides in{}, out{};

    without_axis(const char* name, const tensor_view& from, std::size_t axis, const tensor_view& to) {
        std::array<std::int64_t, shape::max_rank> kept{};
        bool right = axis < from.rank() && (to.rank() == from.rank() || to.rank() + 1 == from.rank());
        std::size_t k = 0;
        for (std::size_t a = 0; a < from.rank() && right; ++a) {
            const std::size_t b = to.rank() == from.rank() || a < axis ? a : a - 1;
            if (a == axis) {
                right = to.rank() != from.rank() || to.extent(b) == 1;
                continue;
            }
            right = to.extent(b) == from.extent(a);
            in[k] = from.steps()[a];
            out[k] = to.steps()[b];
            kept[k++] = from.extent(a);
        }
        if (!right)
            throw std::invalid_argument(std::string(name) + " of " + describe(from) + " along axis " +
                                        std::to_string(axis) + " into " + describe(to));
        extents = shape(std::span<const std::int64_t>(kept.data(), k));
    }
};

/// Element k of `count` beside each other becomes the best so far where it is better, or a NaN before any other.
template <class C>
void take_better(extreme which, tie equal, const C* x, std::int64_t k, C* best, std::int64_t* at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const bool ahead = which == extreme::largest ? x[i] > best[i] : x[i] < best[i];
        const bool level = equal == tie::last && (x[i] == best[i] || (x[i] != x[i] && best[i] != best[i]));
        if (k == 0 || ahead || level || (x[i] != x[i] && best[i] == best[i])) {
            best[i] = x[i];
            at[i] = k;
        }
    }
}

template <class C>
void arg_extreme_as(extreme which, tie equal, const tensor_view& in, std::size_t axis, const view<std::int64_t>& out) {
    constexpr std::size_t columns = 64;
    const without_axis kept("arg_extreme", in, axis, out);
    const wide_reader<C> reader(in);
    for_each_run<2>(kept.extents, {kept.in, kept.out},
                    [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
                        C room[columns], best[columns];
                        std::int64_t where[columns];
                        for (std::size_t done = 0; done < n; done += columns) {
                            const std::size_t count = std::min(n - done, columns);
                            const auto first = static_cast<std::int64_t>(done);
                            for (std::int64_t k = 0; k < in.extent(axis); ++k) {
                                const auto from = at[0] + first * step[0] + k * in.steps()[axis];
                                take_better(which, equal, reader(from, step[0], count, room), k, best, where, count);
                            }
                            for (std::size_t i = 0; i < count; ++i)
                                out.data()[at[1] + (first + static_cast<std::int64_t>(i)) * step[1]] = where[i];
                        }
                    });
}

}  // namespace detail

/// out = index of the largest (smallest) element along `axis`;
/// the first NaN (`tie::last`: the last) beats every number.
///
/// shapes   any type and strides; out has the extents of in without `axis`, or 1 at it
/// errors   throws std::invalid_argument when axis and shapes do not fit, or the axis has extent 0
/// threads  re-entrant
/// source   ONNX ArgMax-13, ArgMin-13
inline void arg_extreme(extreme which, tie equal, const tensor_view& in, std::size_t axis,
                        const view<std::int64_t>& out) {
    if (out.size() != 0 && axis < in.rank() && in.extent(axis) == 0)
        throw std::invalid_argument("arg_extreme along axis " + std::to_string(axis) + " of " + in.shape().text() +
                                    ": nothing to choose from");
    detail::visit_wide(in.type(), [&]<class C>(C) { detail::arg_extreme_as<C>(which, equal, in, axis, out); });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
