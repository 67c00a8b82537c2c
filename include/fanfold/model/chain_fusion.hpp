// fanfold/model/chain_fusion.hpp - arithmetic whose answers are read once by more arithmetic is done in one pass.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

#include "fusion.hpp"
#include "operators/elementwise_chain.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A chain under construction: operations, and the values that they start from.
class chain_maker {
public:
    explicit chain_maker(step_list& list) : list_(list) {}

    /// `step` with all the arithmetic before it that nobody else reads; empty when there is none.
    [[nodiscard]] std::optional<graph_step> join(const graph_step& step) {
        const auto own = chain_of(step);
        if (!own) return std::nullopt;
        for (const std::size_t input : step.inputs) operand_of(input, list_.draft.type(step.outputs[0]));
        if (!joined_) return std::nullopt;
        // The chains of the inputs stand in front, then the step's own operations.
        std::vector<std::size_t> operands;
        for (const std::size_t input : step.inputs) operands.push_back(operand_of(input, {}));
        if (inputs_.size() > kernel::chain_inputs) return std::nullopt;
        append(*own, operands);
        return graph_step{elementwise_chain(std::move(steps_)), step.name, std::move(inputs_), step.outputs};
    }

private:
    [[nodiscard]] std::optional<elementwise_chain> chain_of(const graph_step& step) const {
        if (step.outputs.size() != 1 || !list_.draft.type(step.outputs[0]).shape.ranked()) return std::nullopt;
        if (list_.draft.type(step.outputs[0]).type != element::float32) return std::nullopt;
        for (const std::size_t input : step.inputs)
            if (list_.draft.type(input).type != element::float32 || list_.draft.absent(input) ||
                !list_.draft.type(input).shape.ranked())
                return std::nullopt;
        return elementwise_chain::of(step.op);
    }
    /// An activation that the builder will make part of the step before it.
    [[nodiscard]] bool belongs_elsewhere(const graph_step& step) {
        const kernel::activation act = step.op.as_activation();
        if (act == kernel::activation::none || list_.used[step.inputs[0]] != 1) return false;
        const graph_step* from = list_.of(step.inputs[0]);
        return from != nullptr && from->outputs.size() == 1 && from->op.with(act).has_value();
    }

    /// Where a value stands in this chain: another chain's answer, now part of it, or an input.
    std::size_t operand_of(std::size_t value, const value_type& whole) {
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            if (inputs_[i] == value) return i;
        for (const auto& [known, operand] : made_)
            if (known == value) return operand;
        const graph_step* from = list_.used[value] == 1 ? list_.of(value) : nullptr;
        if (from != nullptr && list_.draft.type(value) == whole && !belongs_elsewhere(*from))
            if (const auto chain = chain_of(*from);
                chain && inputs_.size() + from->inputs.size() < kernel::chain_inputs &&
                steps_.size() + chain->steps().size() < kernel::chain_steps) {  // the last step brings one more of each
                std::vector<std::size_t> operands;
                for (const std::size_t input : from->inputs) operands.push_back(input_of(input));
                append(*chain, operands);
                joined_ = true;
                made_.emplace_back(value, kernel::chain_inputs + steps_.size() - 1);
                return made_.back().second;
            }
        return input_of(value);
    }
    std::size_t input_of(std::size_t value) {
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            if (inputs_[i] == value) return i;
        inputs_.push_back(value);
        return inputs_.size() - 1;
    }
    void append(const elementwise_chain& chain, const std::vector<std::size_t>& operands) {
        const std::size_t before = steps_.size();
        for (kernel::chain_step step : chain.steps()) {
            for (std::size_t* operand : {&step.a, &step.b})
                if (*operand >= kernel::chain_inputs)
                    *operand += before;
                else if (operand == &step.a || step.pair)
                    *operand = operands[*operand];
            steps_.push_back(step);
        }
    }

    step_list& list_;
    std::vector<kernel::chain_step> steps_{};
    std::vector<std::size_t> inputs_{};
    std::vector<std::pair<std::size_t, std::size_t>> made_{};
    bool joined_ = false;
};

}  // namespace detail

/// Chains of float32 arithmetic over one shape become one step each, with the same bits. Activations that the step
/// before them can apply stay out.
inline void fuse_chains(const graph_draft& draft) {
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        auto joined = detail::chain_maker(list).join(step);
        list.keep(joined ? *std::move(joined) : std::move(step));
    }
    draft.steps() = std::move(list.kept);
}

}  // namespace fanfold::inline FANFOLD_ABI
