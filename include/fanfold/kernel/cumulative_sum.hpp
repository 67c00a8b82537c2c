// fanfold/kernel/cumulative_sum.hpp - the sum of all elements up to each one.
// SPDX-License-Identifier: MIT
#pragma once
#include "index.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Whether an element counts in its own sum.
enum class own_element : std::uint8_t { counts, is_left_out };
/// From which end of the axis a sum begins.
enum class sum_from : std::uint8_t { start, end };

/// out[k] = in[0] + ... + in[k] along `axis` (without in[k] where it is left out; in[k] + ... to the end for
/// sum_from::end), added one after the other.
///
/// shapes   in and out dense, of one number type and shape; they share no memory.
///          16-bit floating point is added in float
/// errors   throws std::invalid_argument when shapes, types or the axis do not fit. Integers wrap
/// threads  re-entrant
/// source   ONNX CumSum-14
inline void cumulative_sum(own_element own, sum_from begin, const tensor_view& in, std::size_t axis,
                           const mutable_tensor_view& out) {
    if (in.type() != out.type() || !(in.shape() == out.shape()) || axis >= in.rank() || in.type() == element::boolean)
        detail::refuse("cumulative_sum",
                       describe(in) + " along axis " + std::to_string(axis) + " into " + describe(out));
    detail::expect_dense("cumulative_sum", in, out);
    if (in.size() == 0) return;
    const auto run = [&]<class C>(C) {
        const detail::wide_reader<C> reader(in);
        const auto store = detail::storer_of<C>(out.type());
        const auto width = static_cast<std::int64_t>(size_of(out.type()));
        const auto n = in.extent(axis);
        const std::size_t inner = detail::volume_of(in.shape(), axis + 1, in.rank());
        const auto step = static_cast<std::int64_t>(inner);
        const std::size_t outer = detail::volume_of(in.shape(), 0, axis);
        C room[detail::chunk], sum[detail::chunk];
        for (std::size_t o = 0; o < outer; ++o)
            for (std::size_t c = 0; c < inner; c += detail::chunk) {
                const std::size_t count = std::min(inner - c, detail::chunk);
                std::fill_n(sum, count, C{0});
                for (std::int64_t k = 0; k < n; ++k) {
                    const std::int64_t row = begin == sum_from::start ? k : n - 1 - k;
                    const std::int64_t at =
                        (static_cast<std::int64_t>(o) * n + row) * step + static_cast<std::int64_t>(c);
                    const C* x = reader(at, 1, count, room);
                    if (own == own_element::is_left_out) store(sum, out.data() + at * width, 1, count);
                    for (std::size_t i = 0; i < count; ++i) sum[i] = static_cast<C>(sum[i] + x[i]);
                    if (own == own_element::counts) store(sum, out.data() + at * width, 1, count);
                }
            }
    };
    if (in.type() == element::float64)
        run(double{});
    else if (is_floating(in.type()))
        run(float{});
    else
        run(std::uint64_t{});
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
