// fanfold/kernel/scatter.hpp - elements and slices written, added, ... to where indices say.
//   in    data and updates of one type, indices int32 or int64, all dense      out   data, changed there
// SPDX-License-Identifier: MIT
#pragma once
#include "elementwise.hpp"
#include "gather.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// What becomes of the element that was there.
enum class scatter_mode : std::uint8_t { replace, add, mul, max, min };

namespace detail {

/// out[i] = out[i] o update[i] of `n` neighbours of one type.
class scatter_rule {
public:
    scatter_rule(std::string_view operation, scatter_mode mode, element type)
        : op_(mode == scatter_mode::add   ? binary::add
              : mode == scatter_mode::mul ? binary::mul
              : mode == scatter_mode::max ? binary::max
                                          : binary::min),
          replaces_(mode == scatter_mode::replace),
          width_(size_of(type)),
          set_(active_isa()) {
        if (replaces_) return;
        if (type == element::boolean) refuse(operation, "bool can only be replaced");
        combine_ = visit_wide(type, []<class C>(C) { return &combine<C>; });
        type_ = type;
    }
    void operator()(std::byte* out, const std::byte* update, std::size_t n) const {
        if (replaces_)
            copy_bytes(out, update, n * width_);
        else
            combine_(set_, op_, type_, out, update, n);
    }

private:
    template <class C>
    static void combine(isa set, binary op, element type, std::byte* out, const std::byte* update, std::size_t n) {
        const shape extents{static_cast<std::int64_t>(n)};
        elementwise_as<C>(set, op, tensor_view(out, type, extents), tensor_view(update, type, extents),
                          mutable_tensor_view(out, type, extents));
    }

    binary op_;
    bool replaces_;
    std::size_t width_;
    isa set_;
    element type_ = element::float32;
    void (*combine_)(isa, binary, element, std::byte*, const std::byte*, std::size_t) = nullptr;
};

inline void expect_updates(std::string_view operation, const tensor_view& data, const tensor_view& updates,
                           const mutable_tensor_view& out) {
    if (updates.type() != data.type() || out.type() != data.type() || !(out.shape() == data.shape()))
        refuse(operation, describe(data) + " with " + describe(updates) + " into " + describe(out));
    expect_dense(operation, data, updates, out);
}
inline void copy_unless_same(const tensor_view& data, const mutable_tensor_view& out) {
    if (out.data() != data.data() && out.size() != 0) std::memcpy(out.data(), data.data(), data.bytes());
}

}  // namespace detail

/// out = data, then out[i, indices[i, j, k], k] = (or +=, *=, max=, min=) updates[i, j, k] for axis 1 of three,
/// in order.
///
/// shapes   out has data's shape and may be data; indices and updates have one shape, which lies within data's but
///          along `axis`
/// errors   throws std::invalid_argument when shapes or types do not fit, and for an index outside [-extent, extent)
/// threads  re-entrant
/// source   ONNX ScatterElements-18
inline void scatter_elements(scatter_mode mode, const tensor_view& data, std::size_t axis, const tensor_view& indices,
                             const tensor_view& updates, const mutable_tensor_view& out) {
    detail::expect_updates("scatter_elements", data, updates, out);
    if (!(updates.shape() == indices.shape()) || !detail::lies_within(indices.shape(), data.shape(), axis))
        detail::refuse_shapes("scatter_elements", data, indices, out);
    const detail::index_list list("scatter_elements", indices);
    const detail::scatter_rule rule("scatter_elements", mode, data.type());
    const strides steps = dense_strides(data.shape());
    const std::size_t width = size_of(data.type());
    detail::copy_unless_same(data, out);
    detail::for_each_offset(indices.shape(), steps, axis, [&](std::size_t i, std::int64_t at) {
        const auto there = at + static_cast<std::int64_t>(list.within(i, data.extent(axis))) * steps[axis];
        rule(out.data() + static_cast<std::size_t>(there) * width, updates.data() + i * width, 1);
    });
}

/// out = data, then out[indices[i..., :]..., k...] = (or +=, *=, max=, min=) updates[i..., k...], in order.
///
/// shapes   out has data's shape and may be data; updates: indices' extents but the last, then data's from that last
///          one on
/// errors   as scatter_elements
/// threads  re-entrant
/// source   ONNX ScatterND-18
inline void scatter_nd(scatter_mode mode, const tensor_view& data, const tensor_view& indices,
                       const tensor_view& updates, const mutable_tensor_view& out) {
    const shape &whole = data.shape(), &by = indices.shape();
    detail::expect_updates("scatter_nd", data, updates, out);
    const std::size_t last = by.rank() == 0 ? 0 : by.rank() - 1;
    const std::size_t length = by.rank() == 0 ? 0 : static_cast<std::size_t>(by[last]);
    if (by.rank() == 0 || length > whole.rank() ||
        !detail::joined(updates.shape(),
                        {detail::extents_of(by, 0, last), detail::extents_of(whole, length, whole.rank())}))
        detail::refuse_shapes("scatter_nd", data, indices, updates);
    const detail::index_list list("scatter_nd", indices);
    const detail::scatter_rule rule("scatter_nd", mode, data.type());
    detail::copy_unless_same(data, out);
    if (updates.size() == 0) return;
    const detail::tuples places(whole, by, 0);
    const std::size_t width = size_of(data.type());
    for (std::size_t t = 0; t < places.count; ++t)
        rule(out.data() + places.at(list, t) * width, updates.data() + t * places.slice * width, places.slice);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
