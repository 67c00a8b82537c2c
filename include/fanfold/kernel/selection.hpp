// fanfold/kernel/selection.hpp - what a condition picks out: indices of non-zero elements, slices; rows turned around.
// SPDX-License-Identifier: MIT
#pragma once
#include <span>  // std::span

#include "index.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// f(index) for every element of a dense tensor that is not zero (NaN is not, -0 is).
template <class F>
void for_each_non_zero(const tensor_view& in, F&& f) {
    expect_dense("non_zero", in);
    bool some[chunk];
    double room[chunk];
    const auto load = loader_of<double>(in.type());
    for (std::size_t done = 0; done < in.size(); done += chunk) {
        const std::size_t count = std::min(in.size() - done, chunk);
        load(in.data() + done * size_of(in.type()), 1, room, count);
        for (std::size_t i = 0; i < count; ++i) some[i] = room[i] != 0;
        for (std::size_t i = 0; i < count; ++i)
            if (some[i]) f(done + i);
    }
}

}  // namespace detail

[[nodiscard]] inline std::size_t count_non_zero(const tensor_view& in) {
    std::size_t count = 0;
    detail::for_each_non_zero(in, [&](std::size_t) { ++count; });
    return count;
}

/// The indices of the elements that are not zero, in row-major order: a column each.
///
/// shapes   in dense; out [rank, count_non_zero(in)], dense
/// errors   throws std::invalid_argument when shapes do not fit
/// threads  re-entrant
/// source   ONNX NonZero-13
inline void non_zero(const tensor_view& in, const view<std::int64_t>& out) {
    const std::size_t count = count_non_zero(in);
    if (!(out.shape() == shape{static_cast<std::int64_t>(in.rank()), static_cast<std::int64_t>(count)}))
        detail::refuse("non_zero",
                       describe(in) + " with " + std::to_string(count) + " into int64 " + out.shape().text());
    detail::expect_dense("non_zero", out);
    std::size_t column = 0;
    detail::for_each_non_zero(in, [&](std::size_t i) {
        for (std::size_t axis = in.rank(); axis-- > 0;) {
            const auto extent = static_cast<std::size_t>(in.extent(axis));
            out.data()[axis * count + column] = static_cast<std::int64_t>(i % extent);
            i /= extent;
        }
        ++column;
    });
}

/// The slices of `in` along `axis` at which `condition` is true; a condition that ends early ends with false. For
/// elements of the flattened tensor reshape it first.
///
/// shapes   out: in's extents but as many along `axis` as are true; in and out dense, of one type
/// errors   throws std::invalid_argument when shapes or types do not fit
/// threads  re-entrant
/// source   ONNX Compress-11
inline void compress(const tensor_view& in, std::size_t axis, std::span<const bool> condition,
                     const mutable_tensor_view& out) {
    if (axis >= in.rank()) detail::refuse("compress", "no axis " + std::to_string(axis) + " in " + describe(in));
    const auto extent = static_cast<std::size_t>(in.extent(axis));
    std::int64_t kept = 0;
    for (std::size_t i = 0; i < condition.size(); ++i) {
        if (condition[i] && i >= extent)
            detail::refuse("compress", "a condition at " + std::to_string(i) + " of " + describe(in));
        kept += condition[i] ? 1 : 0;
    }
    condition = condition.first(std::min(condition.size(), extent));
    if (in.type() != out.type() || !(out.shape() == in.shape().with(axis, kept)))
        detail::refuse("compress", std::to_string(kept) + " along axis " + std::to_string(axis) + " of " +
                                       describe(in) + " into " + describe(out));
    detail::expect_dense("compress", in, out);
    if (out.size() == 0) return;
    const std::size_t width = detail::volume_of(in.shape(), axis + 1, in.rank()) * size_of(in.type());
    const std::size_t outer = detail::volume_of(in.shape(), 0, axis);
    std::byte* to = out.data();
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < condition.size(); ++i)
            if (condition[i]) {
                detail::copy_bytes(to, in.data() + (o * extent + i) * width, width);
                to += width;
            }
}

/// out = in, but the first lengths[b] slices along `time` of batch b in reverse order.
///
/// shapes   in and out dense, of one type and shape, sharing no memory; `batch` and `time` are axes 0 and 1 in either
///          order; one length per batch, at most time's extent
/// errors   throws std::invalid_argument when shapes, types, axes or lengths do not fit
/// threads  re-entrant
/// source   ONNX ReverseSequence-10
inline void reverse_sequence(const tensor_view& in, std::span<const std::int64_t> lengths, std::size_t batch,
                             std::size_t time, const mutable_tensor_view& out) {
    if (in.type() != out.type() || !(in.shape() == out.shape()) || in.rank() < 2 || batch + time != 1 ||
        lengths.size() != static_cast<std::size_t>(in.extent(batch)))
        detail::refuse("reverse_sequence",
                       describe(in) + " of " + std::to_string(lengths.size()) + " lengths into " + describe(out));
    detail::expect_dense("reverse_sequence", in, out);
    for (const std::int64_t length : lengths)
        if (length < 0 || length > in.extent(time))
            detail::refuse("reverse_sequence", "a length of " + std::to_string(length) + " in " + describe(in));
    const auto width = static_cast<std::int64_t>(detail::volume_of(in.shape(), 2, in.rank()) * size_of(in.type()));
    const auto at = [&](std::int64_t b, std::int64_t t) {
        return (batch == 0 ? b * in.extent(1) + t : t * in.extent(1) + b) * width;
    };
    if (in.size() == 0) return;
    for (std::int64_t b = 0; b < in.extent(batch); ++b)
        for (std::int64_t t = 0, n = lengths[static_cast<std::size_t>(b)]; t < in.extent(time); ++t)
            detail::copy_bytes(out.data() + at(b, t), in.data() + at(b, t < n ? n - 1 - t : t),
                               static_cast<std::size_t>(width));
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
