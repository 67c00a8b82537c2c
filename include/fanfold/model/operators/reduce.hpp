// fanfold/model/operators/reduce.hpp - elements along axes taken together, and where the largest stands.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/arg_extreme.hpp"
#include "../../kernel/reduce.hpp"
#include "../operation.hpp"
#include "axes.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What becomes of an axis along which elements were taken together.
enum class reduced_axis { removed, kept };

/// sum, mean, max, .. along axes: those given here or by input 1; without any, all (or none, where asked for).
///
/// source   ONNX ReduceSum-13, ReduceMean-18 and their like
class reduce {
public:
    /// What no axes mean.
    enum class without_axes { all, none };

    explicit reduce(kernel::reduction kind, std::optional<std::vector<std::int64_t>> axes = {},
                    reduced_axis left = reduced_axis::kept, without_axes missing = without_axes::all)
        : kind_(kind), axes_(std::move(axes)), left_(left), missing_(missing) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_of(kind_); }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 2);
        const symbolic_shape& x = in[0].shape;
        const bool listed = axes_ || given(in, 1);
        const auto axes = detail::axes_of(axes_, in);
        if (!x.ranked() || (listed && !axes)) {
            if (x.ranked() && left_ == reduced_axis::kept) return {{in[0].type, symbolic_shape::of_rank(x.rank())}};
            return {{in[0].type, symbolic_shape::unknown()}};
        }
        const std::vector<bool> gone = reduced(axes.value_or(std::vector<std::int64_t>()), x.rank());
        symbolic_shape out;
        for (std::size_t axis = 0; axis < x.rank(); ++axis) {
            if (!gone[axis])
                out.push_back(x[axis]);
            else if (left_ == reduced_axis::kept)
                out.push_back(1);
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        const auto axes = detail::axes_of(axes_, in);
        if (!rows || ((axes_ || given(in, 1)) && !axes)) return true;
        return reduced(axes.value_or(std::vector<std::int64_t>()), in[0].shape.rank())[*rows];
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        std::vector<std::int64_t> listed;
        if (axes_)
            listed = *axes_;
        else if (given(in, 1))
            listed = integers_in(in[1]);
        const std::vector<bool> gone = reduced(listed, in[0].rank());
        std::vector<std::size_t> axes;
        for (std::size_t axis = 0; axis < gone.size(); ++axis)
            if (gone[axis]) axes.push_back(axis);
        kernel::reduce(kind_, in[0], axes, out[0]);
    }

    [[nodiscard]] kernel::reduction kind() const noexcept { return kind_; }
    /// As given here, not by input 1.
    [[nodiscard]] const std::optional<std::vector<std::int64_t>>& axes() const noexcept { return axes_; }

private:
    [[nodiscard]] std::vector<bool> reduced(const std::vector<std::int64_t>& axes, std::size_t rank) const {
        std::vector<bool> gone(rank, axes.empty() && missing_ == without_axes::all);
        for (const std::size_t axis : detail::expect_axes(axes, rank)) gone[axis] = true;
        return gone;
    }

    kernel::reduction kind_;
    std::optional<std::vector<std::int64_t>> axes_;
    reduced_axis left_;
    without_axes missing_;
};
static_assert(graph_operation<reduce>);

/// Where the largest (smallest) element along an axis stands.
///
/// shapes   any -> int64
/// source   ONNX ArgMax-13, ArgMin-13
class arg_extreme {
public:
    arg_extreme(kernel::extreme which, std::int64_t axis, reduced_axis left = reduced_axis::kept,
                kernel::tie equal = kernel::tie::first)
        : which_(which), axis_(axis), left_(left), equal_(equal) {}

    [[nodiscard]] std::string_view name() const noexcept {
        return which_ == kernel::extreme::largest ? "ArgMax" : "ArgMin";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{element::int64, symbolic_shape::unknown()}};
        const std::size_t along = detail::expect_axis(axis_, x.rank());
        if (x[along] == extent(0)) detail::refuse("elements along the axis", x.text());
        symbolic_shape out;
        for (std::size_t axis = 0; axis < x.rank(); ++axis) {
            if (axis != along)
                out.push_back(x[axis]);
            else if (left_ == reduced_axis::kept)
                out.push_back(1);
        }
        return {{element::int64, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape.row_axis() == detail::expect_axis(axis_, in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::arg_extreme(which_, equal_, in[0], detail::expect_axis(axis_, in[0].rank()),
                            out[0].as<std::int64_t>());
    }

private:
    kernel::extreme which_;
    std::int64_t axis_;
    reduced_axis left_;
    kernel::tie equal_;
};
static_assert(graph_operation<arg_extreme>);

}  // namespace fanfold::inline FANFOLD_ABI
