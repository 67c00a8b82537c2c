// fanfold/model/operators/selection.hpp - elements chosen, ordered or summed up by their values.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/cumulative_sum.hpp"
#include "../../kernel/selection.hpp"
#include "../../kernel/top_k.hpp"
#include "../../kernel/unique.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A tensor as one axis.
[[nodiscard]] inline tensor_view flat(const tensor_view& x) {
    return x.reshaped(shape{static_cast<std::int64_t>(x.size())});
}

}  // namespace detail

/// Where elements are not 0.
///
/// shapes   any -> int64 [rank, count]
/// source   ONNX NonZero-13
class non_zero {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "NonZero"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const extent rank =
            in[0].shape.ranked() ? extent(static_cast<std::int64_t>(in[0].shape.rank())) : extent::unknown();
        return {{element::int64, {rank, extent::unknown()}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace&) const {
        const shape extents{static_cast<std::int64_t>(in[0].rank()),
                            static_cast<std::int64_t>(kernel::count_non_zero(in[0]))};
        kernel::non_zero(in[0], out(0, element::int64, extents).as<std::int64_t>());
    }
};
static_assert(graph_operation<non_zero>);

/// The slices along an axis (or elements, without one) at which input 1 is true.
/// source   ONNX Compress-11
class compress {
public:
    explicit compress(std::optional<std::int64_t> axis = {}) : axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Compress"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        if (in[1].type != element::boolean) detail::refuse("a list of bool", in[1].text());
        if (!axis_) return {{in[0].type, {extent::unknown()}}};
        symbolic_shape out = in[0].shape;
        if (out.ranked()) out[detail::expect_axis(*axis_, out.rank())] = extent::unknown();
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace&) const {
        const tensor_view x = axis_ ? in[0] : detail::flat(in[0]);
        const std::size_t axis = axis_ ? detail::expect_axis(*axis_, x.rank()) : 0;
        const std::span<const bool> taken = in[1].as<bool>().flat();
        std::int64_t count = 0;
        for (std::size_t i = 0; i < taken.size() && i < static_cast<std::size_t>(x.extent(axis)); ++i)
            count += taken[i] ? 1 : 0;
        kernel::compress(x, axis, taken, out(0, x.type(), x.shape().with(axis, count)));
    }

private:
    std::optional<std::int64_t> axis_;
};
static_assert(graph_operation<compress>);

/// Distinct slices along an axis (or elements, without one), where each occurs first, which one each was, how many.
/// source   ONNX Unique-11
class unique {
public:
    unique(kernel::unique_order order, std::optional<std::int64_t> axis) : order_(order), axis_(axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Unique"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        symbolic_shape out = axis_ ? in[0].shape : symbolic_shape{extent::unknown()};
        if (axis_ && out.ranked()) out[detail::expect_axis(*axis_, out.rank())] = extent::unknown();
        const value_type list{element::int64, {extent::unknown()}};
        return {{in[0].type, out}, list, list, list};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace&) const {
        const tensor_view x = axis_ ? in[0] : detail::flat(in[0]);
        const kernel::unique_slices found =
            kernel::unique(order_, x, axis_ ? detail::expect_axis(*axis_, x.rank()) : 0);
        detail::copy_elements(found.values, out(0, x.type(), found.values.shape()));
        std::size_t index = 1;
        for (const auto* list : {&found.first, &found.inverse, &found.counts}) {
            const shape extents{static_cast<std::int64_t>(list->size())};
            const tensor_view from = view<const std::int64_t>(list->data(), extents);
            detail::copy_elements(from, out(index++, element::int64, extents));
        }
    }

private:
    kernel::unique_order order_;
    std::optional<std::int64_t> axis_;
};
static_assert(graph_operation<unique>);

/// The first input 1 elements along an axis, in the order of their size, and where they stood.
///
/// shapes   [.., n, ..], int64 [1] -> [.., k, ..] and int64 [.., k, ..]
/// source   ONNX TopK-11
class top_k {
public:
    top_k(kernel::extreme which, std::int64_t axis, std::optional<std::int64_t> count = {})
        : which_(which), axis_(axis), count_(count) {}

    [[nodiscard]] std::string_view name() const noexcept { return "TopK"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, count_ ? 1 : 2, 2);
        symbolic_shape out = in[0].shape;
        if (out.ranked()) {
            extent& along = out[detail::expect_axis(axis_, out.rank())];
            extent count = count_ ? extent(*count_) : extent::unknown();
            if (const auto listed = count_ ? std::nullopt : sizes_in(in[1]); listed && listed->size() == 1)
                count = listed->front();
            const bool known = count.constant() && along.constant();
            if (known && (count.fixed < 0 || count.fixed > along.fixed))
                detail::refuse("0 to " + along.text() + " elements", count.text());
            along = count;
        }
        return {{in[0].type, out}, {element::int64, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape.row_axis() == detail::expect_axis(axis_, in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::top_k(which_, in[0], detail::expect_axis(axis_, in[0].rank()), out[0], out[1].as<std::int64_t>());
    }

private:
    kernel::extreme which_;
    std::int64_t axis_;
    std::optional<std::int64_t> count_;
};
static_assert(graph_operation<top_k>);

/// Sums of all elements up to each, along the axis of input 1.
/// source   ONNX CumSum-14
class cumulative_sum {
public:
    cumulative_sum(kernel::own_element own, kernel::sum_from way) : own_(own), way_(way) {}

    [[nodiscard]] std::string_view name() const noexcept { return "CumSum"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto axis = integers_in(in[1]);
        return !axis || axis->size() != 1 ||
               in[0].shape.row_axis() == detail::expect_axis(axis->front(), in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::cumulative_sum(own_, way_, in[0], detail::expect_axis(integer_in(in[1]), in[0].rank()), out[0]);
    }

private:
    kernel::own_element own_;
    kernel::sum_from way_;
};
static_assert(graph_operation<cumulative_sum>);

/// The first input 1 elements of each sequence in reverse order.
/// source   ONNX ReverseSequence-10
class reverse_sequence {
public:
    reverse_sequence(std::int64_t batch_axis, std::int64_t time_axis) : batch_(batch_axis), time_(time_axis) {}

    [[nodiscard]] std::string_view name() const noexcept { return "ReverseSequence"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return rows != detail::expect_axis(batch_, in[0].shape.rank()) || !in[1].shape.rows_lead();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::reverse_sequence(in[0], integers_in(in[1]), detail::expect_axis(batch_, in[0].rank()),
                                 detail::expect_axis(time_, in[0].rank()), out[0]);
    }

private:
    std::int64_t batch_;
    std::int64_t time_;
};
static_assert(graph_operation<reverse_sequence>);

}  // namespace fanfold::inline FANFOLD_ABI
