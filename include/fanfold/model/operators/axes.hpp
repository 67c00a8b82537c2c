// fanfold/model/operators/axes.hpp - the same elements with axes added, removed or in another order.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../core/tensor.hpp"
#include "../../kernel/transpose.hpp"
#include "../operation.hpp"
#include "expect.hpp"
#include "reshape.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// The axes that an operation was given, or finds in input 1; empty when a run has to tell them.
[[nodiscard]] inline std::optional<std::vector<std::int64_t>> axes_of(
    const std::optional<std::vector<std::int64_t>>& fixed, std::span<const argument> in) {
    if (fixed || !given(in, 1)) return fixed;
    return integers_in(in[1]);
}

}  // namespace detail

/// Without axes of extent 1: those named here or by input 1, else all.
///
/// source   ONNX Squeeze-1, Squeeze-13
class squeeze {
public:
    static constexpr bool aliases = true;
    static constexpr std::uint32_t shape_inputs = 0b10;

    explicit squeeze(std::optional<std::vector<std::int64_t>> axes = {}) : axes_(std::move(axes)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Squeeze"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 2);
        const symbolic_shape& x = in[0].shape;
        const auto axes = detail::axes_of(axes_, in);
        const bool all = !axes && !given(in, 1);
        if (!x.ranked() || (!axes && !all) || (all && !x.known())) return {{in[0].type, symbolic_shape::unknown()}};
        std::vector<bool> gone(x.rank(), false);
        for (std::size_t axis = 0; all && axis < x.rank(); ++axis) gone[axis] = x[axis] == extent(1);
        if (!all)
            for (const std::size_t axis : detail::expect_axes(*axes, x.rank())) {
                if (!may_equal(x[axis], 1)) detail::refuse("an extent of 1 at axis " + std::to_string(axis), x.text());
                gone[axis] = true;
            }
        symbolic_shape out;
        for (std::size_t axis = 0; axis < x.rank(); ++axis)
            if (!gone[axis]) out.push_back(x[axis]);
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const { return sizes_in(in[0]); }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return !detail::rows_stay(in[0].shape, answers(in).front().shape);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }

private:
    std::optional<std::vector<std::int64_t>> axes_;
};
static_assert(graph_operation<squeeze>);

/// With axes of extent 1, at the places in the answer that are named here or by input 1.
///
/// source   ONNX Unsqueeze-1, Unsqueeze-13
class unsqueeze {
public:
    static constexpr bool aliases = true;
    static constexpr std::uint32_t shape_inputs = 0b10;

    explicit unsqueeze(std::optional<std::vector<std::int64_t>> axes = {}) : axes_(std::move(axes)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Unsqueeze"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, axes_ ? 1 : 2, 2);
        const symbolic_shape& x = in[0].shape;
        const auto axes = detail::axes_of(axes_, in);
        if (!x.ranked() || !axes) return {{in[0].type, symbolic_shape::unknown()}};
        const std::size_t rank = x.rank() + axes->size();
        std::vector<bool> added(rank, false);
        for (const std::size_t axis : detail::expect_axes(*axes, rank)) added[axis] = true;
        symbolic_shape out;
        std::size_t next = 0;
        for (std::size_t axis = 0; axis < rank; ++axis) out.push_back(added[axis] ? extent(1) : x[next++]);
        return {{in[0].type, out}};
    }
    [[nodiscard]] std::optional<symbolic_values> sizes(std::span<const argument> in) const {
        if (!in[0].shape.ranked() || in[0].shape.rank() != 0) return std::nullopt;
        return sizes_in(in[0]);
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::copy_reshaped(in[0], out[0]);
    }

private:
    std::optional<std::vector<std::int64_t>> axes_;
};
static_assert(graph_operation<unsqueeze>);

/// Axes in another order: axis i of the answer is axis order[i] of the input; without an order, the reverse.
///
/// source   ONNX Transpose-13
class transpose {
public:
    explicit transpose(std::vector<std::int64_t> order = {}) : order_(std::move(order)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Transpose"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked())
            return {{in[0].type, order_.empty() ? symbolic_shape::unknown() : symbolic_shape::of_rank(order_.size())}};
        symbolic_shape out;
        for (const std::size_t axis : order(x.rank())) out.push_back(x[axis]);
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return false; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::transpose(in[0], order(in[0].rank()), out[0]);
    }

    /// The order in full, checked against a rank.
    [[nodiscard]] detail::axis_list order(std::size_t rank) const {
        detail::axis_list full;
        if (order_.empty())
            for (std::size_t axis = rank; axis-- > 0;) full.push_back(axis);
        else
            full = detail::expect_axes(order_, rank);
        if (full.size() != rank)
            detail::refuse("an order of " + std::to_string(rank) + " axes", std::to_string(full.size()));
        return full;
    }

private:
    std::vector<std::int64_t> order_;
};
static_assert(graph_operation<transpose>);

}  // namespace fanfold::inline FANFOLD_ABI
