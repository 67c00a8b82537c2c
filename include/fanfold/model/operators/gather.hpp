// fanfold/model/operators/gather.hpp - elements picked by index, and put by index.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/gather.hpp"
#include "../../kernel/scatter.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline void expect_indices(const argument& indices) {
    if (indices.type != element::int64 && indices.type != element::int32)
        refuse("indices of int64 or int32", indices.text());
}

/// The rows of all values that have any stand at the same axis, which is none of those indexed along.
[[nodiscard]] inline bool same_rows_elsewhere(std::span<const argument> in, std::size_t along) {
    std::optional<std::size_t> rows;
    for (const argument& one : in) {
        const auto here = one.shape.row_axis();
        if (!here || here == along || (rows && rows != here)) return false;
        rows = here;
    }
    return true;
}

}  // namespace detail

/// Slices along an axis, in the order of the indices.
///
/// shapes   data [a.., n, b..], int64 or int32 indices [i..] -> [a.., i.., b..]
/// errors   an index that is out of range throws std::invalid_argument in the run
/// source   ONNX Gather-13
class gather {
public:
    explicit gather(std::int64_t axis = 0) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Gather"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        detail::expect_indices(in[1]);
        const symbolic_shape& data = in[0].shape;
        if (!data.ranked() || !in[1].shape.ranked()) return {{in[0].type, symbolic_shape::unknown()}};
        const std::size_t along = detail::expect_axis(axis_, data.rank());
        symbolic_shape out;
        for (std::size_t axis = 0; axis < along; ++axis) out.push_back(data[axis]);
        for (const extent& index : in[1].shape) out.push_back(index);
        for (std::size_t axis = along + 1; axis < data.rank(); ++axis) out.push_back(data[axis]);
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        const auto from = sizes_in(in[0]);
        const auto indices = integers_in(in[1]);
        if (!from || !indices || !in[1].shape.ranked() || in[1].shape.rank() > 1) return std::nullopt;
        symbolic_values out;
        const auto count = static_cast<std::int64_t>(from->size());
        for (const std::int64_t index : *indices) {
            if (index < -count || index >= count) return std::nullopt;  // the run says so
            out.push_back((*from)[static_cast<std::size_t>(index < 0 ? index + count : index)]);
        }
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        if (in[1].shape.depends_on_rows()) return rows.has_value();
        return rows == detail::expect_axis(axis_, in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::gather(in[0], detail::expect_axis(axis_, in[0].rank()), in[1], out[0]);
    }
    [[nodiscard]] std::int64_t axis() const noexcept { return axis_; }

private:
    std::int64_t axis_;
};
static_assert(graph_operation<gather>);

/// One element for each index, along an axis.
/// source   ONNX GatherElements-13
class gather_elements {
public:
    explicit gather_elements(std::int64_t axis = 0) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "GatherElements"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        detail::expect_indices(in[1]);
        return {{in[0].type, in[1].shape}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return !detail::same_rows_elsewhere(in, detail::expect_axis(axis_, in[0].shape.rank()));
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::gather_elements(in[0], detail::expect_axis(axis_, in[0].rank()), in[1], out[0]);
    }

private:
    std::int64_t axis_;
};
static_assert(graph_operation<gather_elements>);

/// Slices named by tuples of indices.
/// source   ONNX GatherND-13
class gather_nd {
public:
    explicit gather_nd(std::int64_t batch_axes = 0) : batch_axes_(batch_axes) {}

    [[nodiscard]] std::string_view name() const noexcept { return "GatherND"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        detail::expect_indices(in[1]);
        const symbolic_shape& data = in[0].shape;
        const symbolic_shape& indices = in[1].shape;
        if (!data.ranked() || !indices.ranked()) return {{in[0].type, symbolic_shape::unknown()}};
        if (indices.rank() == 0 || data.rank() == 0) detail::refuse("ranks of 1 or more", indices.text());
        const extent& tuple = indices[indices.rank() - 1];
        if (!tuple.constant()) return {{in[0].type, symbolic_shape::unknown()}};
        const auto axes = static_cast<std::int64_t>(data.rank());
        if (batch_axes_ < 0 || batch_axes_ >= static_cast<std::int64_t>(indices.rank()) || tuple.fixed < 1 ||
            tuple.fixed > axes - batch_axes_)
            detail::refuse("tuples for the axes of " + data.text(), indices.text());
        symbolic_shape out;
        for (std::size_t axis = 0; axis + 1 < indices.rank(); ++axis) out.push_back(indices[axis]);
        for (auto axis = static_cast<std::size_t>(batch_axes_ + tuple.fixed); axis < data.rank(); ++axis)
            out.push_back(data[axis]);
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        const auto listed = in[1].shape.row_axis();
        if (!rows) return !listed || *listed + 1 == in[1].shape.rank();
        return rows != listed || static_cast<std::int64_t>(*rows) >= batch_axes_;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::gather_nd(in[0], in[1], static_cast<std::size_t>(batch_axes_), out[0]);
    }

private:
    std::int64_t batch_axes_;
};
static_assert(graph_operation<gather_nd>);

/// Input 0 with elements of input 2 put (or added, ..) where input 1 says, along an axis.
/// source   ONNX ScatterElements-18
class scatter_elements {
public:
    explicit scatter_elements(std::int64_t axis = 0, kernel::scatter_mode mode = kernel::scatter_mode::replace)
        : axis_(axis), mode_(mode) {}

    [[nodiscard]] std::string_view name() const noexcept { return "ScatterElements"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        detail::expect_indices(in[1]);
        if (in[0].type != in[2].type)
            detail::refuse("updates of the data's type", in[0].text() + " and " + in[2].text());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return !detail::same_rows_elsewhere(in, detail::expect_axis(axis_, in[0].shape.rank()));
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0)
            kernel::scatter_elements(mode_, in[0], detail::expect_axis(axis_, in[0].rank()), in[1], in[2], out[0]);
    }

private:
    std::int64_t axis_;
    kernel::scatter_mode mode_;
};
static_assert(graph_operation<scatter_elements>);

/// Input 0 with slices of input 2 put (or added, ..) where tuples of input 1 say.
/// source   ONNX ScatterND-18
class scatter_nd {
public:
    explicit scatter_nd(kernel::scatter_mode mode = kernel::scatter_mode::replace) : mode_(mode) {}

    [[nodiscard]] std::string_view name() const noexcept { return "ScatterND"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        detail::expect_indices(in[1]);
        if (in[0].type != in[2].type)
            detail::refuse("updates of the data's type", in[0].text() + " and " + in[2].text());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() != 0) kernel::scatter_nd(mode_, in[0], in[1], in[2], out[0]);
    }

private:
    kernel::scatter_mode mode_;
};
static_assert(graph_operation<scatter_nd>);

}  // namespace fanfold::inline FANFOLD_ABI
