// fanfold/kernel/softmax.hpp - e^x along one axis, divided by its sum.
//   in    any dense tensor      out   the same shape; sums to 1 along the axis
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cmath>      // std::exp, std::log
#include <cstddef>    // std::size_t
#include <limits>     // std::numeric_limits
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"
#include "activation.hpp"
#include "widen.hpp"

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/softmax.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// A dense tensor as [outer, n, inner] along n: `groups` times `columns` rows, `column_step` apart,
/// whose elements are `step` apart.
struct rows_along {
    std::size_t groups = 0, columns = 0, n = 0;
    std::int64_t group_step = 0, column_step = 0, step = 0;

    rows_along(const char* name, const tensor_view& in, std::size_t axis, const tensor_view& out) {
        if (!(in.shape() == out.shape()) || in.type() != out.type() || axis >= in.rank() || !in.dense() || !out.dense())
            throw std::invalid_argument(std::string(name) + " along axis " + std::to_string(axis) + " of " +
                                        describe(in) + " into " + describe(out) +
                                        ": expected dense tensors of one type and shape");
        if (in.size() == 0) return;
        std::size_t inner = 1;
        for (std::size_t a = axis + 1; a < in.rank(); ++a) inner *= static_cast<std::size_t>(in.extent(a));
        n = static_cast<std::size_t>(in.extent(axis));
        const std::size_t outer = in.size() / n / inner;
        groups = inner == 1 ? 1 : outer;
        columns = inner == 1 ? outer : inner;
        step = static_cast<std::int64_t>(inner);
        column_step = inner == 1 ? in.extent(axis) : 1;
        group_step = in.extent(axis) * step;
    }
};

enum class softmax_form : std::uint8_t { probability, logarithm };

/// In double, up to 64 rows side by side, the elements of each one after the other.
inline void softmax_wide(softmax_form form, const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) {
    const rows_along rows("softmax", in, axis, out);
    constexpr std::size_t side = 64;
    const wide_reader<double> reader(in);
    const storer<double> store = storer_of<double>(out.type());
    const auto width = static_cast<std::int64_t>(size_of(out.type()));
    double room[side], top[side], sum[side], made[side];
    for (std::size_t g = 0; g < rows.groups; ++g)
        for (std::size_t c = 0; c < rows.columns; c += side) {
            const std::size_t count = std::min(rows.columns - c, side);
            const auto first =
                static_cast<std::int64_t>(g) * rows.group_step + static_cast<std::int64_t>(c) * rows.column_step;
            const auto each = [&](auto f) {
                for (std::size_t k = 0; k < rows.n; ++k) {
                    const auto at = first + static_cast<std::int64_t>(k) * rows.step;
                    f(reader(at, rows.column_step, count, room), at);
                }
            };
            for (std::size_t i = 0; i < count; ++i) {
                top[i] = -std::numeric_limits<double>::infinity();
                sum[i] = 0;
            }
            each([&](const double* x, std::int64_t) {
                for (std::size_t i = 0; i < count; ++i) top[i] = top[i] != top[i] || top[i] > x[i] ? top[i] : x[i];
            });
            each([&](const double* x, std::int64_t) {
                for (std::size_t i = 0; i < count; ++i) sum[i] += std::exp(x[i] - top[i]);
            });
            each([&](const double* x, std::int64_t at) {
                for (std::size_t i = 0; i < count; ++i)
                    made[i] = form == softmax_form::probability ? std::exp(x[i] - top[i]) / sum[i]
                                                                : x[i] - top[i] - std::log(sum[i]);
                store(made, out.data() + at * width, rows.column_step, count);
            });
        }
}

inline void softmax(isa set, const view<const float>& in, std::size_t axis, const view<float>& out) {
    if (!(in.shape() == out.shape()) || axis >= in.rank() || !in.dense() || !out.dense())
        throw std::invalid_argument("softmax along axis " + std::to_string(axis) + " of " + in.shape().text() +
                                    " into " + out.shape().text() + ": expected dense tensors of one shape");
    if (in.size() == 0) return;
    std::size_t inner = 1;
    for (std::size_t a = axis + 1; a < in.rank(); ++a) inner *= static_cast<std::size_t>(in.extent(a));
    const auto n = static_cast<std::size_t>(in.extent(axis));
    pick(set, &baseline::softmax, &avx2::softmax, &avx512::softmax)(in.data(), out.data(), in.size() / n / inner, n,
                                                                    inner);
}

}  // namespace detail

/// out = e^(in - max) / sum of e^(in - max) along `axis`. A NaN, a +infinity or nothing but -infinity gives NaN for all
/// of its row, as the formula does.
///
/// shapes   in and out dense, of one shape; out may be in
/// errors   throws std::invalid_argument when the shapes or the axis do not fit
/// threads  re-entrant. Element k goes to lane k mod 16, lanes fold in a fixed tree: the bits of a row depend
///          neither on other rows nor on which axis it lies along, and an appended -infinity changes nothing
/// source   ONNX Softmax-13
inline void softmax(const view<const float>& in, std::size_t axis, const view<float>& out) {
    detail::softmax(active_isa(), in, axis, out);
}
/// The same for any floating point; what is not float32 is computed in double.
inline void softmax(const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) {
    if (!is_floating(in.type()))
        throw std::invalid_argument("softmax of " + describe(in) + ": expected floating point");
    if (in.type() == element::float32) return softmax(in.as<float>(), axis, out.as<float>());
    detail::softmax_wide(detail::softmax_form::probability, in, axis, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
