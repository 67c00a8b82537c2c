// fanfold/model/graph_builder.hpp - builds a graph node by node: shapes checked as they come, constants folded,
// activations fused, memory planned.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max, std::reverse
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "../context/floating_point.hpp"
#include "../kernel/isa.hpp"
#include "graph.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a graph may ask of memory: models come from files, and a damaged one may ask for anything.
struct graph_limits {
    std::size_t bytes_per_value = std::size_t{1} << 32;  ///< of one row's share of a value, and of a folded constant
};

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
    explicit graph_builder(graph_limits limits = {}) : limits_(limits) {
        (void)kernel::active_isa();  // throws now, not in every shard, when FANFOLD_ISA asks for what there is not
    }

    value_id input(std::string name, value_type type) {
        check_size(type, "input '" + name + "'");
        graph_.inputs.push_back(graph_.values.size());
        return new_value(std::move(name), std::move(type), value_place::input, graph_.inputs.size() - 1);
    }

    value_id constant(tensor value, std::string name = {}) {
        value_type type{value.type(), value.shape()};
        graph_.constants.push_back(std::move(value));
        return new_value(std::move(name), std::move(type), value_place::constant, graph_.constants.size() - 1);
    }

    /// Adds one operation; its answers follow from its shape rule. With constant inputs alone it is computed here.
    std::vector<value_id> add(operation op, const std::vector<value_id>& inputs, std::string name = {}) {
        const std::string label = "node '" + name + "' (" + std::string(op.name()) + ")";
        std::vector<value_type> types;
        bool known = !inputs.empty();
        for (const value_id input : inputs) {
            types.push_back(type(input));
            known = known && constant_of(input) != nullptr;
        }
        std::vector<value_type> answers;
        bool mixes = false;
        try {
            answers = op.answers(types);
            for (const value_type& answer : answers) check_size(answer, "its answer");
            mixes = op.mixes_rows(types);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(label + ": " + error.what());
        }
        if (known) return fold(op, inputs, answers);
        for (const value_type& answer : answers)
            mixes = mixes || !(answer.shape.constant() || answer.shape.rows_lead());
        if (mixes && graph_.row_mixer.empty()) graph_.row_mixer = name.empty() ? std::string(op.name()) : name;
        graph_step step{std::move(op), std::move(name), {}, {}};
        for (const value_id input : inputs) step.inputs.push_back(input.index);
        std::vector<value_id> made;
        for (value_type& answer : answers) {
            made.push_back(new_value(step.name, std::move(answer), value_place::slot, 0));
            step.outputs.push_back(made.back().index);
        }
        if (step.op.aliases()) graph_.values[step.outputs.front()].root = graph_.values[step.inputs.front()].root;
        graph_.steps.push_back(std::move(step));
        return made;
    }

    [[nodiscard]] const value_type& type(value_id value) const { return graph_.values.at(value.index).type; }
    /// The value itself where it is known already, else nullptr; valid until the next call that adds.
    [[nodiscard]] const tensor* constant_of(value_id value) const {
        const graph_value& v = graph_.values.at(value.index);
        return v.place == value_place::constant && v.root == value.index ? &graph_.constants[v.index] : nullptr;
    }

    [[nodiscard]] graph finish(const std::vector<std::pair<std::string, value_id>>& outputs) && {
        if (outputs.empty()) throw std::invalid_argument("a graph needs at least one output");
        for (const auto& [name, value] : outputs) {
            graph_.outputs.push_back(value.index);
            graph_.output_names.push_back(name);
        }
        find_static_batch();
        fuse_activations();
        remove_unused();
        place_values();
        return graph(std::move(graph_));
    }

private:
    void check_size(const value_type& type, const std::string& what) const {
        const std::size_t elements = type.shape.at(1).volume();
        if (elements > limits_.bytes_per_value / size_of(type.type))
            throw std::invalid_argument(what + " " + type.text() + " takes more than " +
                                        std::to_string(limits_.bytes_per_value) + " bytes a row");
    }

    value_id new_value(std::string name, value_type type, value_place place, std::size_t index) {
        graph_.values.push_back({std::move(name), std::move(type), place, index, graph_.values.size()});
        return {graph_.values.size() - 1};
    }

    std::vector<value_id> fold(const operation& op, const std::vector<value_id>& inputs,
                               const std::vector<value_type>& answers) {
        std::vector<tensor_view> in;
        for (const value_id input : inputs) in.push_back(*constant_of(input));
        std::vector<tensor> results;
        std::vector<mutable_tensor_view> out;
        for (const value_type& answer : answers) results.emplace_back(answer.type, answer.shape.at(1));
        for (tensor& result : results) out.push_back(result);
        workspace space;
        const floating_point_scope environment;  // the same bits as when the graph runs
        op(in, out, space);
        std::vector<value_id> made;
        for (tensor& result : results) made.push_back(constant(std::move(result)));
        return made;
    }

    /// A graph none of whose inputs depends on N was exported with a static batch: axis 0 of its first input.
    void find_static_batch() {
        for (const std::size_t input : graph_.inputs)
            if (!graph_.values[input].type.shape.constant()) return;
        for (const std::size_t input : graph_.inputs) {
            const symbolic_shape& shape = graph_.values[input].type.shape;
            if (shape.rank() == 0 || shape[0].fixed <= 0) continue;
            graph_.rows_per_call = static_cast<std::size_t>(shape[0].fixed);
            return;
        }
        throw std::invalid_argument("the graph has no input with a row axis");
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
            if (value.place == value_place::constant) graph_.constants[value.index] = tensor();
            value.place = value_place::unused;
            value.root = v;
        }
    }

    void place_values() {
        std::erase_if(graph_.steps, [](const graph_step& step) { return step.op.aliases(); });
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            graph_value& root = graph_.values[graph_.values[graph_.outputs[i]].root];
            if (root.place != value_place::slot)
                continue;  // an input, a constant, or an answer already: copied at the end
            root.place = value_place::output;
            root.index = i;
        }
        std::vector<std::size_t> last_use(graph_.values.size(), 0);
        for (std::size_t s = 0; s < graph_.steps.size(); ++s) {
            for (const std::size_t input : graph_.steps[s].inputs) last_use[graph_.values[input].root] = s;
            graph_.weight_bytes += graph_.steps[s].op.weight_bytes();
        }
        std::vector<std::size_t> planned;
        std::vector<lifetime> lifetimes;
        for (std::size_t s = 0; s < graph_.steps.size(); ++s) {
            for (const std::size_t output : graph_.steps[s].outputs) {
                const graph_value& value = graph_.values[output];
                if (value.place != value_place::slot || value.root != output) continue;
                planned.push_back(output);
                const std::size_t bytes = value.type.shape.at(1).volume() * size_of(value.type.type);
                lifetimes.push_back({s, std::max(s, last_use[output]), workspace::rounded(bytes)});
            }
        }
        const memory_plan plan = plan_memory(lifetimes);
        graph_.slots.resize(plan.bytes_per_row.size());
        for (std::size_t i = 0; i < planned.size(); ++i) {
            graph_.values[planned[i]].index = plan.slot_of[i];
            graph_.slots[plan.slot_of[i]].push_back(planned[i]);
        }
        graph_.slot_bytes_per_row = plan.total_per_row();
    }

    graph_limits limits_;
    graph_state graph_;
};

}  // namespace fanfold::inline FANFOLD_ABI
