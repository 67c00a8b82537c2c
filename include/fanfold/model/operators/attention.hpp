// fanfold/model/operators/attention.hpp - softmax(scale q k' + mask) v in one step, as model/attention_fusion.hpp finds
// it in a graph.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max, std::fill_n, std::copy
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/attention.hpp"
#include "../../kernel/broadcast.hpp"
#include "../operation.hpp"
#include "expect.hpp"
#include "matrix_stack.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A value with its axes in another order, after one of them was taken at one index and went.
struct turned_operand {
    std::vector<std::size_t> order;           ///< axis i here is axis order[i] of the value
    std::optional<std::size_t> taken_axis{};  ///< of the value
    std::int64_t taken_at = 0;

    [[nodiscard]] static turned_operand as_it_is(std::size_t rank) {
        turned_operand made;
        for (std::size_t axis = 0; axis < rank; ++axis) made.order.push_back(axis);
        return made;
    }
    [[nodiscard]] symbolic_shape of(const symbolic_shape& value) const {
        symbolic_shape out;
        if (value.ranked() && value.rank() != order.size() + (taken_axis ? 1U : 0U))
            detail::refuse("rank " + std::to_string(order.size()), value.text());
        for (const std::size_t axis : order) out.push_back(value.ranked() ? value[axis] : extent::unknown());
        return out;
    }
};

/// answer = softmax(scale * q k' + mask) v over the last two axes of each; axes before them broadcast.
///
/// shapes   q [.., T, D], k [.., S, D], v [.., S, E], a mask that broadcasts to [.., T, S] or none, float32 of rank 2
///          to 4, each a turned_operand of what comes in -> [.., T, E], its axes in the order asked for
/// cost     as kernel::attention: no scores of all keys at once, nothing is transposed or packed beforehand
/// errors   answers throws std::invalid_argument naming what does not fit
/// source   what exporters make of scaled_dot_product_attention: MatMul, Mul or Div, Add, Softmax, MatMul
class attention {
public:
    attention(turned_operand q, turned_operand k, turned_operand v, float scale)
        : operands_{std::move(q), std::move(k), std::move(v)}, scale_(scale) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Attention"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3, 4);
        std::array<value_type, 3> turned;
        for (std::size_t i = 0; i < 3; ++i) {
            if (in[i].type != element::float32) detail::refuse("float32", in[i].text());
            turned[i] = {element::float32, operands_[i].of(in[i].shape)};
        }
        value_type scores{element::float32,
                          detail::product_of(turned[0], transposed::no, turned[1], transposed::yes).answer};
        if (given(in, 3)) scores.shape = broadcast(scores.shape, in[3].shape);
        const symbolic_shape whole = detail::product_of(scores, transposed::no, turned[2], transposed::no).answer;
        if (order_.empty() || !whole.ranked()) return {{element::float32, whole}};
        symbolic_shape out;
        for (const std::size_t axis : order_) out.push_back(whole[axis]);
        return {{element::float32, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        std::optional<std::size_t> rows;  // counted from the end
        for (std::size_t i = 0; i < in.size(); ++i) {
            if (in[i].absent) continue;
            const symbolic_shape shape = i < 3 ? operands_[i].of(in[i].shape) : in[i].shape;
            if (!in[i].shape.depends_on_rows()) continue;
            const auto axis = shape.row_axis();
            if (!axis || shape.rank() - *axis < 3 || (rows && *rows != shape.rank() - *axis)) return true;
            rows = shape.rank() - *axis;
        }
        return false;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        std::array<view<const float>, 3> seen;
        for (std::size_t i = 0; i < 3; ++i) seen[i] = turned(in[i], operands_[i]);
        const view<const float> mask =
            given(in, 3) ? in[3].reshaped(four_axes(in[3].shape())).as<float>() : view<const float>();
        const auto widest = [&](std::size_t axis) {
            std::int64_t most = std::max({seen[0].extent(axis), seen[1].extent(axis), seen[2].extent(axis)});
            return mask.size() == 0 ? most : std::max(most, mask.extent(axis));
        };
        const std::int64_t images = widest(0), heads = widest(1);
        const std::int64_t queries = mask.size() == 0 ? seen[0].extent(2) : std::max(seen[0].extent(2), mask.extent(2));
        const std::int64_t keys = seen[2].extent(2);
        if (keys == 0) {  // an empty sum
            std::fill_n(out[0].as<float>().data(), out[0].size(), 0.0F);
            return;
        }
        const auto stretched = [](const view<const float>& v, const shape& to) {
            return view<const float>(v.data(), to, kernel::detail::stretched(v.shape(), v.steps(), to));
        };
        const shape answer{images, heads, queries, seen[2].extent(3)};
        kernel::attention(stretched(seen[0], {images, heads, queries, seen[0].extent(3)}),
                          stretched(seen[1], {images, heads, keys, seen[1].extent(3)}),
                          stretched(seen[2], {images, heads, keys, seen[2].extent(3)}), mask,
                          {.scale = scale_, .causal = std::nullopt}, placed(out[0], answer), space);
    }

    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const {
        if (in[0].volume() == 0 || in[2].volume() == 0) return 0;
        const auto last = [&](std::size_t i) {
            return static_cast<std::size_t>(in[i][operands_[i].order[operands_[i].order.size() - 1]]);
        };
        const auto queries = static_cast<std::size_t>(in[0][operands_[0].order[operands_[0].order.size() - 2]]);
        return kernel::attention_scratch_bytes(queries, last(0), last(2));
    }
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        const auto length = [&](std::size_t i, std::size_t back) {
            return static_cast<std::uint64_t>(in[i][operands_[i].order[operands_[i].order.size() - back]]);
        };
        std::uint64_t rows = 1;
        for (std::size_t back = 2; back <= operands_[0].order.size(); ++back) rows *= length(0, back);
        return 2 * rows * length(2, 2) * (length(0, 1) + length(2, 1));
    }

    /// The same with its answer's axes in another order, as long as the last one stays last.
    [[nodiscard]] std::optional<attention> answering_in(const std::vector<std::size_t>& order) const {
        if (!order_.empty() || order.back() + 1 != order.size()) return std::nullopt;
        attention made = *this;
        made.order_ = order;
        return made;
    }
    [[nodiscard]] const turned_operand& operand(std::size_t index) const { return operands_.at(index); }
    /// How the answer's axes stand; empty: as they are computed.
    [[nodiscard]] const std::vector<std::size_t>& order() const noexcept { return order_; }

private:
    static shape four_axes(const shape& from) {
        std::array<std::int64_t, 4> extents{1, 1, 1, 1};
        std::copy(from.begin(), from.end(), extents.end() - static_cast<std::ptrdiff_t>(from.rank()));
        return shape(std::span<const std::int64_t>(extents));
    }
    /// Four axes, those in front of extent 1.
    static view<const float> turned(const tensor_view& value, const turned_operand& how) {
        const auto* data = reinterpret_cast<const float*>(value.data());
        if (how.taken_axis) data += how.taken_at * value.steps()[*how.taken_axis];
        std::array<std::int64_t, 4> extents{1, 1, 1, 1};
        strides steps{};
        const std::size_t front = 4 - how.order.size();
        for (std::size_t i = 0; i < how.order.size(); ++i) {
            extents[front + i] = value.extent(how.order[i]);
            steps[front + i] = value.steps()[how.order[i]];
        }
        return {data, shape(std::span<const std::int64_t>(extents)), steps};
    }
    [[nodiscard]] view<float> placed(const mutable_tensor_view& out, const shape& answer) const {
        strides steps{};
        const std::size_t front = 4 - out.rank();
        for (std::size_t i = 0; i < out.rank(); ++i) steps[front + (order_.empty() ? i : order_[i])] = out.steps()[i];
        return {out.as<float>().data(), answer, steps};
    }

    std::array<turned_operand, 3> operands_;
    float scale_;
    std::vector<std::size_t> order_{};
};
static_assert(graph_operation<attention>);

}  // namespace fanfold::inline FANFOLD_ABI
