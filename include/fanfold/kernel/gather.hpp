// fanfold/kernel/gather.hpp - elements and slices chosen by index.
//   in    data of any type, indices int32 or int64, all dense      out   what the indices name, in their order
// SPDX-License-Identifier: MIT
#pragma once
#include <array>  // std::array

#include "index.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

[[noreturn]] inline void refuse_shapes(std::string_view operation, const tensor_view& data, const tensor_view& indices,
                                       const tensor_view& out) {
    refuse(operation, describe(data) + " by " + describe(indices) + " into " + describe(out));
}
/// `out` has the extents of these pieces, one behind the other.
[[nodiscard]] inline bool joined(const shape& out, std::initializer_list<std::span<const std::int64_t>> pieces) {
    std::size_t axis = 0;
    for (const auto piece : pieces)
        for (const std::int64_t extent : piece)
            if (axis >= out.rank() || out[axis++] != extent) return false;
    return axis == out.rank();
}
[[nodiscard]] inline std::span<const std::int64_t> extents_of(const shape& from, std::size_t first, std::size_t last) {
    return {from.begin() + first, from.begin() + last};
}

/// f(element of `outer`'s strides) for elements 0, 1, ... of a dense tensor of shape `extents`; axis `except` counts 0.
template <class F>
void for_each_offset(const shape& extents, const strides& outer, std::size_t except, F&& f) {
    std::array<std::int64_t, shape::max_rank> index{};
    std::int64_t at = 0;
    const std::size_t count = extents.volume();
    for (std::size_t i = 0; i < count; ++i) {
        f(i, at);
        for (std::size_t axis = extents.rank(); axis-- > 0;) {
            const std::int64_t step = axis == except ? 0 : outer[axis];
            at += step;
            if (++index[axis] < extents[axis]) break;
            at -= step * extents[axis];
            index[axis] = 0;
        }
    }
}

/// Shapes of gather_elements and scatter_elements: `small` lies within `whole` but along `axis`.
[[nodiscard]] inline bool lies_within(const shape& small, const shape& whole, std::size_t axis) {
    if (small.rank() != whole.rank() || axis >= whole.rank()) return false;
    for (std::size_t a = 0; a < whole.rank(); ++a)
        if (a != axis && small[a] > whole[a]) return false;
    return true;
}

/// Where slices of a tensor lie that tuples of indices name: the last axis of `indices` holds a tuple for the axes of
/// `whole` behind the first `batch`.
struct tuples {
    std::size_t length = 0, count = 0, per_batch = 1, batch_step = 1, slice = 1;
    shape whole;
    std::size_t first;

    tuples(const shape& target, const shape& indices, std::size_t batch) : whole(target), first(batch) {
        length = static_cast<std::size_t>(indices[indices.rank() - 1]);
        count = volume_of(indices, 0, indices.rank() - 1);
        per_batch = volume_of(indices, batch, indices.rank() - 1);
        batch_step = volume_of(target, batch, target.rank());
        slice = volume_of(target, batch + length, target.rank());
    }
    /// The first element of the slice that tuple `t` names.
    [[nodiscard]] std::size_t at(const index_list& list, std::size_t t) const {
        std::size_t place = 0;
        for (std::size_t i = 0; i < length; ++i)
            place = place * static_cast<std::size_t>(whole[first + i]) + list.within(t * length + i, whole[first + i]);
        return place * slice + t / per_batch * batch_step;
    }
};

}  // namespace detail

/// out[i..., j..., k...] = data[i..., indices[j...], k...], where i has `axis` indices.
///
/// shapes   out: data's extents with those of indices in the place of `axis`
/// errors   throws std::invalid_argument when shapes or types do not fit, and for an index outside [-extent, extent)
/// threads  re-entrant
/// source   ONNX Gather-13
inline void gather(const tensor_view& data, std::size_t axis, const tensor_view& indices,
                   const mutable_tensor_view& out) {
    const shape& from = data.shape();
    if (axis >= data.rank() || out.type() != data.type() ||
        !detail::joined(out.shape(),
                        {detail::extents_of(from, 0, axis), detail::extents_of(indices.shape(), 0, indices.rank()),
                         detail::extents_of(from, axis + 1, data.rank())}))
        detail::refuse_shapes("gather", data, indices, out);
    detail::expect_dense("gather", data, out);
    const detail::index_list list("gather", indices);
    const std::size_t width = detail::volume_of(from, axis + 1, data.rank()) * size_of(data.type());
    const std::size_t count = indices.size(), outer = detail::volume_of(from, 0, axis);
    const std::size_t block = width * static_cast<std::size_t>(from[axis]);
    std::byte* to = out.data();
    if (out.size() == 0) return;
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < count; ++i, to += width)
            detail::copy_bytes(to, data.data() + o * block + list.within(i, from[axis]) * width, width);
}

/// out[i, j, k] = data[i, indices[i, j, k], k] for axis 1 of three, alike for others.
///
/// shapes   out has the shape of indices, which lies within data's but along `axis`
/// errors   as gather
/// threads  re-entrant
/// source   ONNX GatherElements-13
inline void gather_elements(const tensor_view& data, std::size_t axis, const tensor_view& indices,
                            const mutable_tensor_view& out) {
    if (out.type() != data.type() || !(out.shape() == indices.shape()) ||
        !detail::lies_within(indices.shape(), data.shape(), axis))
        detail::refuse_shapes("gather_elements", data, indices, out);
    detail::expect_dense("gather_elements", data, out);
    const detail::index_list list("gather_elements", indices);
    const strides steps = dense_strides(data.shape());
    visit_width(data.type(), [&]<class Word>(Word) {
        const auto* from = reinterpret_cast<const Word*>(data.data());
        auto* to = reinterpret_cast<Word*>(out.data());
        detail::for_each_offset(indices.shape(), steps, axis, [&](std::size_t i, std::int64_t at) {
            to[i] = from[at + static_cast<std::int64_t>(list.within(i, data.extent(axis))) * steps[axis]];
        });
    });
}

/// out[b..., i..., k...] = data[b..., indices[b..., i..., :]..., k...], where b has `batch_axes` indices.
///
/// shapes   out: indices' extents but the last, then data's from batch_axes + that last one on
/// errors   as gather
/// threads  re-entrant
/// source   ONNX GatherND-13
inline void gather_nd(const tensor_view& data, const tensor_view& indices, std::size_t batch_axes,
                      const mutable_tensor_view& out) {
    const shape &from = data.shape(), &by = indices.shape();
    const std::size_t last = by.rank() == 0 ? 0 : by.rank() - 1;
    const std::size_t length = by.rank() == 0 ? 0 : static_cast<std::size_t>(by[last]);
    bool fits = by.rank() != 0 && batch_axes <= last && batch_axes + length <= from.rank() && out.type() == data.type();
    for (std::size_t axis = 0; fits && axis < batch_axes; ++axis) fits = from[axis] == by[axis];
    if (!fits || !detail::joined(out.shape(), {detail::extents_of(by, 0, last),
                                               detail::extents_of(from, batch_axes + length, from.rank())}))
        detail::refuse_shapes("gather_nd", data, indices, out);
    detail::expect_dense("gather_nd", data, out);
    const detail::index_list list("gather_nd", indices);
    if (out.size() == 0) return;
    const detail::tuples places(from, by, batch_axes);
    const std::size_t size = size_of(data.type()), width = places.slice * size;
    for (std::size_t t = 0; t < places.count; ++t)
        detail::copy_bytes(out.data() + t * width, data.data() + places.at(list, t) * size, width);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
