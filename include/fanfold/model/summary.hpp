// fanfold/model/summary.hpp - a graph as a table in words: each step with its shapes, operations and bytes.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <vector>   // std::vector

#include "../core/in_quotes.hpp"
#include "graph_state.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What one row costs a step, as far as shapes are known.
struct step_cost {
    bool known = true;
    std::uint64_t flops = 0;       ///< 0 where the operation does not say
    std::size_t moved_bytes = 0;   ///< read and written, weights aside
    std::size_t weight_bytes = 0;  ///< packed
};

[[nodiscard]] inline step_cost cost_of(const graph_state& g, const graph_step& step) {
    step_cost cost;
    cost.weight_bytes = step.op.weight_bytes();
    std::vector<shape> inputs;
    const auto count = [&](std::size_t v) {
        const value_type& type = g.values[v].type;
        cost.known = cost.known && type.shape.known();
        if (!cost.known) return;
        const shape extents = type.shape.at(1);
        cost.moved_bytes += extents.volume() * size_of(type.type);
    };
    for (const std::size_t input : step.inputs) count(input);
    for (const std::size_t output : step.outputs) count(output);
    if (!cost.known) return cost;
    for (const std::size_t input : step.inputs) inputs.push_back(g.values[input].type.shape.at(1));
    cost.flops = step.op.flops(inputs);
    return cost;
}

/// "output 'label': categories 'cat', 'dog'", with a line end; at most eight names of a list.
[[nodiscard]] inline std::string text_of_names(const std::string& output, const value_names& names) {
    std::string text = "output " + in_quotes(output) + ":";
    const auto list = [&](const char* what, const std::vector<std::string>& all) {
        if (all.empty()) return;
        text.append(text.back() == ':' ? " " : "; ").append(what);
        for (std::size_t i = 0; i < all.size() && i < 8; ++i)
            text.append(i == 0 ? " " : ", ").append(in_quotes(all[i]));
        if (all.size() > 8) text += " and " + std::to_string(all.size() - 8) + " more";
    };
    list("categories", names.categories);
    list("columns", names.columns);
    return text + "\n";
}

[[nodiscard]] inline std::string summary_of(const graph_state& g) {
    std::string text;
    std::uint64_t flops = 0, checked_flops = 0;
    for (const graph_step& step : g.steps) {
        text += std::string(step.op.name()) + " " + in_quotes(step.name);
        for (const std::size_t input : step.inputs) text.append(" ").append(g.values[input].type.text());
        text += " ->";
        for (const std::size_t output : step.outputs) text.append(" ").append(g.values[output].type.text());
        const step_cost cost = cost_of(g, step);
        if (cost.flops != 0) text += ", " + std::to_string(cost.flops) + " flops";
        if (cost.known && !step.op.aliases()) text += ", " + std::to_string(cost.moved_bytes) + " bytes";
        if (cost.weight_bytes != 0) text += ", " + std::to_string(cost.weight_bytes) + " bytes of weights";
        if (step.op.checks_sums()) text += ", seen by checksum";
        text += "\n";
        flops += cost.flops;
        if (step.op.checks_sums()) checked_flops += cost.flops;
    }
    for (std::size_t i = 0; i < g.outputs.size(); ++i)
        if (const auto& names = g.values[g.outputs[i]].names) text += text_of_names(g.output_names[i], *names);
    text += std::to_string(g.steps.size()) + " steps, " + std::to_string(g.weight_bytes) + " bytes of weights, ";
    if (!g.planned) return text + "shapes known at run time\n";
    text += std::to_string(flops) + " flops";
    if (checked_flops != 0) text += " (" + std::to_string(checked_flops) + " seen by checksum)";
    return text + " and " + std::to_string(g.slot_bytes_per_row) + " bytes of intermediate values a row\n";
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
