// fanfold/model/graph_builder.hpp - builds a graph node by node: shapes checked as they come, constants folded,
// activations fused, memory planned.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max, std::reverse
#include <cstddef>    // std::size_t
#include <memory>     // std::shared_ptr
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "../kernel/isa.hpp"
#include "graph.hpp"
#include "graph_draft.hpp"
#include "memory_plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A value of the graph under construction.
struct value_id {
    std::size_t index = 0;
};

/// Collects nodes in execution order.
///
/// example  graph_builder g;
///          const auto x = g.input("x", {element::float32, {rows_extent, 784}});
///          const auto y = g.add(dense(weights, bias), {x}, "layer 1").front();
///          const graph model = std::move(g).finish({{"y", y}});
/// errors   every call throws std::invalid_argument naming the node, what was expected and what came
class graph_builder {
public:
    /// `budget`, where given, is shared by all graphs of one model.
    explicit graph_builder(graph_limits limits = {}, std::shared_ptr<build_budget> budget = nullptr)
        : limits_(limits), budget_(budget != nullptr ? std::move(budget) : std::make_shared<build_budget>()) {
        (void)kernel::active_isa();  // throws now, not in every shard, when FANFOLD_ISA asks for what there is not
    }

    value_id input(std::string name, value_type type) { return known_input(std::move(name), knowledge{type}); }
    /// An input of which more is known than its type.
    value_id known_input(std::string name, knowledge known) {
        detail::check_size(known.type, limits_, "input " + detail::in_quotes(name));
        graph_.inputs.push_back(graph_.values.size());
        return new_value(std::move(name), std::move(known), value_place::input, graph_.inputs.size() - 1);
    }

    value_id constant(tensor value, std::string name = {}) {
        return constant(std::make_shared<const tensor>(std::move(value)), std::move(name));
    }
    value_id constant(std::shared_ptr<const tensor> value, std::string name = {}) {
        graph_.constants.push_back(value);
        return new_value(std::move(name), knowledge::of(std::move(value)), value_place::constant,
                         graph_.constants.size() - 1);
    }

    /// Stands for an input that is left out.
    value_id none() {
        if (!none_) {
            knowledge nothing{{element::float32, shape{0}}};
            nothing.absent = true;
            none_ = new_value({}, std::move(nothing), value_place::absent, 0);
        }
        return *none_;
    }

    /// Adds one operation; its answers follow from its shape rule. With constant inputs alone it is computed here.
    std::vector<value_id> add(operation op, const std::vector<value_id>& inputs, std::string name = {}) {
        std::vector<const knowledge*> from;
        for (const value_id input : inputs) from.push_back(&known_.at(input.index));
        deduction made = detail::by_name(op, name, [&] { return deduce(op, from, limits_, *budget_); });
        std::vector<value_id> answers;
        bool constant_all = !made.answers.empty();
        for (const knowledge& answer : made.answers) constant_all = constant_all && answer.owner != nullptr;
        if (constant_all) {
            for (knowledge& answer : made.answers) answers.push_back(constant(std::move(answer.owner)));
            return answers;
        }
        if (made.rows == row_use::mixed && graph_.row_mixer.empty())
            graph_.row_mixer = name.empty() ? std::string(op.name()) : name;
        detail::take_packed(*budget_, op, name);
        graph_step step{std::move(op), std::move(name), {}, {}};
        for (const value_id input : inputs) step.inputs.push_back(input.index);
        for (knowledge& answer : made.answers) {
            answers.push_back(new_value(step.name, std::move(answer), value_place::slot, 0));
            step.outputs.push_back(answers.back().index);
        }
        if (step.op.aliases()) graph_.values[step.outputs.front()].root = graph_.values[step.inputs.front()].root;
        graph_.steps.push_back(std::move(step));
        return answers;
    }

    /// Says what the numbers of a value stand for. Other values that are made of it do not take that over.
    void name(value_id value, std::shared_ptr<const value_names> names) {
        graph_.values.at(value.index).names = std::move(names);
    }

    [[nodiscard]] const value_type& type(value_id value) const { return known_.at(value.index).type; }
    /// Everything that is known of a value; valid until the next call that adds.
    [[nodiscard]] const knowledge& known(value_id value) const { return known_.at(value.index); }
    /// The elements where they are known already; valid as long as the builder.
    [[nodiscard]] std::optional<tensor_view> constant_of(value_id value) const {
        return known_.at(value.index).elements;
    }

    /// Gives back the elements of a constant, unless a step reads it; it is not used any more.
    void release(value_id value) {
        const graph_value& constant = graph_.values.at(value.index);
        if (constant.place != value_place::constant) return;
        for (const graph_step& step : graph_.steps)
            for (const std::size_t input : step.inputs)
                if (input == value.index) return;
        graph_.constants[constant.index] = nullptr;
        known_[value.index].elements.reset();
        known_[value.index].owner = nullptr;
    }

    /// `pass` rewrites the steps before memory is planned, e.g. optimize of model/optimize.hpp.
    [[nodiscard]] graph finish(const std::vector<std::pair<std::string, value_id>>& outputs, graph_pass pass = nullptr,
                               const preference& prefer = {}) && {
        if (outputs.empty()) throw std::invalid_argument("a graph needs at least one output");
        for (const auto& [name, value] : outputs) {
            graph_.outputs.push_back(value.index);
            graph_.output_names.push_back(name);
        }
        graph_.limits = limits_;
        graph_.planned = all_sizes_follow_from_rows();
        find_static_batch();
        if (graph_.planned) drop_shape_inputs();
        if (pass != nullptr) pass(graph_draft(graph_, known_, prefer, budget_.get()));
        fuse_activations();
        remove_unused();
        place_values();
        return graph(std::move(graph_));
    }

private:
    value_id new_value(std::string name, knowledge known, value_place place, std::size_t index) {
        build_budget::take(budget_->computed_bytes, sizeof(graph_value) + sizeof(knowledge), "values");
        graph_.values.push_back({std::move(name), known.type, place, index, graph_.values.size()});
        known_.push_back(std::move(known));
        return {graph_.values.size() - 1};
    }

    [[nodiscard]] bool all_sizes_follow_from_rows() const {
        for (const graph_step& step : graph_.steps) {
            if (step.op.makes_answers()) return false;
            for (const std::size_t output : step.outputs)
                if (!graph_.values[output].type.shape.known()) return false;
        }
        for (const std::size_t input : graph_.inputs)
            if (!graph_.values[input].type.shape.known()) return false;
        return true;
    }

    /// Targets of reshapes and the like are no longer needed where all shapes are known.
    void drop_shape_inputs() {
        const std::size_t nothing = none().index;
        for (graph_step& step : graph_.steps) {
            for (std::size_t i = 1; i < step.inputs.size(); ++i)
                if (!step.op.reads(i)) step.inputs[i] = nothing;
        }
    }

    /// A graph none of whose inputs depends on N was exported with a static batch: axis 0 of its first input.
    void find_static_batch() {
        if (graph_.inputs.empty()) return;
        for (const std::size_t input : graph_.inputs)
            if (!graph_.values[input].type.shape.constant()) return;
        for (const std::size_t input : graph_.inputs) {
            const symbolic_shape& shape = graph_.values[input].type.shape;
            if (shape.rank() == 0 || shape[0].fixed <= 0) continue;
            graph_.rows_per_call = static_cast<std::size_t>(shape[0].fixed);
            return;
        }
    }

    [[nodiscard]] std::vector<std::size_t> uses() const {
        std::vector<std::size_t> count(graph_.values.size(), 0);
        for (const graph_step& step : graph_.steps)
            for (const std::size_t input : step.inputs) ++count[input];
        for (const std::size_t output : graph_.outputs) ++count[output];
        return count;
    }

    void fuse_activations() {
        const std::vector<std::size_t> used = uses();
        std::vector<std::size_t> producer(graph_.values.size(), SIZE_MAX);
        std::vector<graph_step> kept;
        for (graph_step& step : graph_.steps) {
            const kernel::activation act = step.op.as_activation();
            const std::size_t from = act == kernel::activation::none ? SIZE_MAX : producer[step.inputs.front()];
            if (from != SIZE_MAX && used[step.inputs.front()] == 1 && kept[from].outputs.size() == 1) {
                if (auto fused = kept[from].op.with(act)) {
                    kept[from].op = *std::move(fused);
                    kept[from].outputs = step.outputs;
                    producer[step.outputs.front()] = from;
                    continue;
                }
            }
            for (const std::size_t output : step.outputs) producer[output] = kept.size();
            kept.push_back(std::move(step));
        }
        graph_.steps = std::move(kept);
    }

    void remove_unused() {
        std::vector<std::size_t> used = uses();
        std::vector<graph_step> kept;
        for (std::size_t s = graph_.steps.size(); s-- > 0;) {
            graph_step& step = graph_.steps[s];
            bool needed = false;
            for (const std::size_t output : step.outputs) needed = needed || used[output] != 0;
            if (needed) {
                kept.push_back(std::move(step));
                continue;
            }
            for (const std::size_t input : step.inputs) --used[input];
        }
        std::reverse(kept.begin(), kept.end());
        graph_.steps = std::move(kept);

        std::vector<bool> alive(graph_.values.size(), false);
        for (const std::size_t input : graph_.inputs) alive[input] = true;
        for (const std::size_t output : graph_.outputs) alive[output] = true;
        for (const graph_step& step : graph_.steps) {
            for (const std::size_t input : step.inputs) alive[input] = true;
            for (const std::size_t output : step.outputs) alive[output] = true;
        }
        for (std::size_t v = 0; v < alive.size(); ++v) {
            if (alive[v]) continue;
            graph_value& value = graph_.values[v];
            if (value.place == value_place::constant) graph_.constants[value.index] = nullptr;
            value.place = value_place::unused;
            value.root = v;
        }
    }

    void place_values() {
        if (graph_.planned) std::erase_if(graph_.steps, [](const graph_step& step) { return step.op.aliases(); });
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            const std::size_t v = graph_.planned ? graph_.values[graph_.outputs[i]].root : graph_.outputs[i];
            graph_value& value = graph_.values[v];
            if (value.place != value_place::slot || value.root != v)
                continue;  // an input, a constant, another name, or an answer already: copied at the end
            value.place = value_place::output;
            value.index = i;
        }
        std::vector<std::size_t> last_use(graph_.values.size(), 0);
        for (std::size_t s = 0; s < graph_.steps.size(); ++s) {
            for (const std::size_t input : graph_.steps[s].inputs) last_use[graph_.values[input].root] = s;
            graph_.weight_bytes += graph_.steps[s].op.weight_bytes();
            graph_.rereads_weights = graph_.rereads_weights || graph_.steps[s].op.rereads_weights();
        }
        if (graph_.planned)
            place_in_slots(last_use);
        else
            place_in_blocks(std::move(last_use));
    }

    void place_in_slots(const std::vector<std::size_t>& last_use) {
        std::vector<std::size_t> place(graph_.values.size(), SIZE_MAX);  // by value, among the lifetimes
        std::vector<lifetime> lifetimes;
        for (std::size_t s = 0; s < graph_.steps.size(); ++s) {
            for (const std::size_t output : graph_.steps[s].outputs) {
                const graph_value& value = graph_.values[output];
                if (value.place != value_place::slot || value.root != output) continue;
                const std::size_t end = std::max(s, last_use[output]);
                const std::size_t whose = overwritten(graph_.steps[s], s, last_use);
                if (whose != SIZE_MAX && place[whose] != SIZE_MAX) {
                    place[output] = place[whose];
                    lifetimes[place[output]].last_step = end;
                    continue;
                }
                place[output] = lifetimes.size();
                const std::size_t bytes = value.type.shape.at(1).volume() * size_of(value.type.type);
                lifetimes.push_back({s, end, workspace::rounded(bytes)});
            }
        }
        const memory_plan plan = plan_memory(lifetimes);
        graph_.slots.resize(plan.bytes_per_row.size());
        for (std::size_t v = 0; v < place.size(); ++v) {
            if (place[v] == SIZE_MAX) continue;
            graph_.values[v].index = plan.slot_of[place[v]];
            graph_.slots[plan.slot_of[place[v]]].push_back(v);
        }
        graph_.slot_bytes_per_row = plan.total_per_row();
    }

    /// The value whose memory the only answer of a step may take, because nobody reads it any more; SIZE_MAX: none.
    [[nodiscard]] std::size_t overwritten(const graph_step& step, std::size_t at,
                                          const std::vector<std::size_t>& last_use) const {
        const std::optional<std::size_t> input = step.outputs.size() == 1 ? step.op.overwrites() : std::nullopt;
        if (!input) return SIZE_MAX;
        const std::size_t whose = graph_.values[step.inputs[*input]].root;
        const graph_value& value = graph_.values[whose];
        const value_type &one = value.type, &other = graph_.values[step.outputs[0]].type;
        if (value.place != value_place::slot || last_use[whose] != at || !(one == other)) return SIZE_MAX;
        for (std::size_t i = 0; i < step.inputs.size(); ++i)
            if (i != *input && graph_.values[step.inputs[i]].root == whose) return SIZE_MAX;
        return whose;
    }

    void place_in_blocks(std::vector<std::size_t> last_use) {
        for (const std::size_t output : graph_.outputs) last_use[graph_.values[output].root] = SIZE_MAX;
        for (std::size_t s = 0; s < graph_.steps.size(); ++s)
            for (const std::size_t output : graph_.steps[s].outputs) {
                graph_value& value = graph_.values[output];
                if (value.place != value_place::slot || value.root != output) continue;
                value.place = value_place::block;
                const std::size_t last = std::max(s, last_use[output]);
                if (last != SIZE_MAX) graph_.steps[last].ends.push_back(output);
            }
    }

    graph_limits limits_;
    std::shared_ptr<build_budget> budget_;
    graph_state graph_;
    std::vector<knowledge> known_;  ///< by value
    std::optional<value_id> none_;
};

}  // namespace fanfold::inline FANFOLD_ABI
