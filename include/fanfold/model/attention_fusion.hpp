// fanfold/model/attention_fusion.hpp - attention that is spelt out in matrix products and a softmax becomes one step.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <cstdint>   // std::int64_t
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

#include "fusion.hpp"
#include "operators/attention.hpp"
#include "operators/axes.hpp"
#include "operators/batched_matmul.hpp"
#include "operators/gather.hpp"
#include "operators/pieces.hpp"
#include "operators/softmax.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

class attention_finder {
public:
    explicit attention_finder(step_list& list) : list_(list) {}

    /// softmax(..) v, for the MatMul that ends it.
    [[nodiscard]] std::optional<graph_step> read(const graph_step& mix) {
        const auto* last = mix.op.as<batched_matmul>();
        if (last == nullptr || !plain(*last) || !fits(mix.inputs[1]) || !fits(mix.outputs[0])) return std::nullopt;
        const graph_step* soft = only_reader_of(mix.inputs[0]);
        if (soft == nullptr || soft->op.as<softmax>() == nullptr || !fits(soft->inputs[0])) return std::nullopt;
        if (!soft->op.as<softmax>()->along_last(rank(soft->inputs[0]))) return std::nullopt;

        std::optional<scaled_product> scores = product(soft->inputs[0]);
        std::optional<std::size_t> mask;
        if (!scores) {
            const graph_step* sum = only_reader_of(soft->inputs[0]);
            if (sum == nullptr || !is(*sum, kernel::binary::add)) return std::nullopt;
            for (const std::size_t i : {0U, 1U}) {
                if (scores) break;
                scores = product(sum->inputs[i]);
                mask = sum->inputs[1 - i];
            }
            if (!scores || !ranked_floats(*mask) || rank(*mask) > 4) return std::nullopt;
        }
        const auto* first = scores->step->op.as<batched_matmul>();
        if (first->a_form() == transposed::yes) return std::nullopt;
        std::size_t values[3] = {scores->step->inputs[0], scores->step->inputs[1], mix.inputs[1]};
        for (const std::size_t value : values)
            if (!fits(value)) return std::nullopt;
        turned_operand operands[3];
        for (std::size_t i = 0; i < 3; ++i) {
            operands[i] = turned_operand::as_it_is(rank(values[i]));
            if (i == 1 && first->b_form() == transposed::no)
                std::swap(operands[i].order.end()[-1], operands[i].order.end()[-2]);
            unfold(values[i], operands[i]);
        }
        graph_step out{attention(std::move(operands[0]), std::move(operands[1]), std::move(operands[2]),
                                 static_cast<float>(scores->scale)),
                       mix.name,
                       {values[0], values[1], values[2]},
                       mix.outputs};
        if (mask) out.inputs.push_back(*mask);
        return out;
    }

    /// A transposition of what only it reads of an attention step.
    [[nodiscard]] bool absorb(const graph_step& step) {
        const auto* turn = step.op.as<transpose>();
        if (turn == nullptr || list_.used[step.inputs[0]] != 1) return false;
        graph_step* from = list_.of(step.inputs[0]);
        if (from == nullptr || from->op.as<attention>() == nullptr) return false;
        const axis_list order = turn->order(rank(step.inputs[0]));
        const auto turned = from->op.as<attention>()->answering_in({order.begin(), order.end()});
        if (!turned) return false;
        from->op = *turned;
        return true;
    }

private:
    struct scaled_product {
        const graph_step* step;
        double scale;
    };

    [[nodiscard]] std::size_t rank(std::size_t value) const { return list_.draft.type(value).shape.rank(); }
    [[nodiscard]] bool ranked_floats(std::size_t value) const {
        const value_type& type = list_.draft.type(value);
        return type.type == element::float32 && type.shape.ranked();
    }
    [[nodiscard]] bool fits(std::size_t value) const {
        return ranked_floats(value) && rank(value) >= 2 && rank(value) <= 4;
    }
    static bool plain(const batched_matmul& op) {
        return op.a_form() == transposed::no && op.b_form() == transposed::no;
    }
    static bool is(const graph_step& step, kernel::binary kind) {
        const auto* op = step.op.as<arithmetic>();
        return op != nullptr && op->kind() == kind && step.inputs.size() == 2;
    }
    /// The step that computes a value which one other step reads.
    const graph_step* only_reader_of(std::size_t value) { return list_.used[value] == 1 ? list_.of(value) : nullptr; }
    /// A product of two values, perhaps scaled behind it.
    std::optional<scaled_product> product(std::size_t value) {
        double scale = 1;
        for (int depth = 0; depth < 3; ++depth) {
            const graph_step* step = only_reader_of(value);
            if (step == nullptr) return std::nullopt;
            if (step->op.as<batched_matmul>() != nullptr) return scaled_product{step, scale};
            const bool divides = is(*step, kernel::binary::div);
            if (!divides && !is(*step, kernel::binary::mul)) return std::nullopt;
            std::optional<double> number = list_.number(step->inputs[1]);
            std::size_t other = step->inputs[0];
            if (!number && !divides) {
                number = list_.number(step->inputs[0]);
                other = step->inputs[1];
            }
            if (!number || (divides && *number == 0)) return std::nullopt;
            if (!list_.same_rank(other, value)) return std::nullopt;
            scale = divides ? scale / *number : scale * *number;
            value = other;
        }
        return std::nullopt;
    }

    /// Looks through transpositions, and through parts taken of one axis: `value` becomes what they start from.
    void unfold(std::size_t& value, turned_operand& how) {
        while (const graph_step* step = list_.of(value)) {
            const std::size_t from = step->inputs[0];
            if (!ranked_floats(from)) return;
            if (const auto* turn = step->op.as<transpose>()) {
                const axis_list order = turn->order(rank(from));
                for (std::size_t& axis : how.order) axis = order[axis];
                if (how.taken_axis) how.taken_axis = order[*how.taken_axis];
            } else if (step->op.as<squeeze>() != nullptr) {
                const auto axis = squeezed_axis(from, value);
                if (!axis || how.taken_axis) return;
                take(how, *axis, 0);
            } else if (const auto* pick = step->op.as<gather>()) {
                const auto& index = list_.draft.elements(step->inputs[1]);
                if (how.taken_axis || !index || index->rank() != 0) return;
                const std::size_t axis = expect_axis(pick->axis(), rank(from));
                const std::int64_t at = integer_in(*index);
                const extent& length = list_.draft.type(from).shape[axis];
                if (!length.constant() || at < -length.fixed || at >= length.fixed) return;
                take(how, axis, at < 0 ? at + length.fixed : at);
            } else if (const auto* cut = step->op.as<split>()) {
                const std::size_t axis = expect_axis(cut->axis(), rank(from));
                if (how.taken_axis != axis) return;
                std::int64_t first = 0;
                for (const std::size_t output : step->outputs) {
                    if (output == value) break;
                    const extent& length = list_.draft.type(output).shape[axis];
                    if (!length.constant()) return;
                    first += length.fixed;
                }
                how.taken_at += first;
            } else {
                return;
            }
            value = from;
        }
    }
    static void take(turned_operand& how, std::size_t axis, std::int64_t at) {
        for (std::size_t& one : how.order) one += one >= axis ? 1 : 0;
        how.taken_axis = axis;
        how.taken_at = at;
    }
    /// The only axis that went.
    [[nodiscard]] std::optional<std::size_t> squeezed_axis(std::size_t from, std::size_t to) const {
        const symbolic_shape& before = list_.draft.type(from).shape;
        const symbolic_shape& after = list_.draft.type(to).shape;
        if (!after.ranked() || before.rank() != after.rank() + 1) return std::nullopt;
        for (std::size_t gone = 0; gone < before.rank(); ++gone) {
            bool same = before[gone] == extent(1);
            for (std::size_t axis = 0; same && axis < after.rank(); ++axis)
                same = before[axis + (axis >= gone ? 1 : 0)] == after[axis];
            if (same) return gone;
        }
        return std::nullopt;
    }

    step_list& list_;
};

}  // namespace detail

/// MatMul, a scale, a mask, Softmax and MatMul become one step that reads q, k and v where they lie, before they were
/// transposed or split, and writes its answer as the transposition behind it would.
inline void fuse_attention(const graph_draft& draft) {
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        detail::attention_finder finder(list);
        if (auto found = finder.read(step)) {
            list.keep(*std::move(found));
        } else if (finder.absorb(step)) {
            list.replace(*list.of(step.inputs[0]), std::move(step));
        } else {
            list.keep(std::move(step));
        }
    }
    draft.steps() = std::move(list.kept);
}

}  // namespace fanfold::inline FANFOLD_ABI
