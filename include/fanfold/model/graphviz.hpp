// fanfold/model/graphviz.hpp - a graph as text for Graphviz, to look at.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "graph.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// `text` inside of a quoted string of the DOT language.
[[nodiscard]] inline std::string in_dot_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + "\"";
}

}  // namespace detail

/// The steps as boxes, inputs and outputs as ovals, values as arrows with their types; constants are left out.
///
/// example  std::ofstream("model.dot") << graphviz(model);   then   dot -Tsvg model.dot -o model.svg
/// source   the DOT language of Graphviz
[[nodiscard]] inline std::string graphviz(const graph& model) {
    const graph_state& g = model.state();
    std::string text = "digraph model {\n  node [shape=box, fontname=Helvetica];\n";
    std::vector<std::string> maker(g.values.size());  // by value: the node that it comes from
    const auto add = [&](const std::string& node, const std::string& label, const char* extra) {
        text += "  " + node + " [label=" + detail::in_dot_quotes(label) + extra + "];\n";
    };
    for (std::size_t i = 0; i < g.inputs.size(); ++i) {
        maker[g.inputs[i]] = "input" + std::to_string(i);
        add(maker[g.inputs[i]], g.values[g.inputs[i]].name, ", shape=oval");
    }
    const auto arrow = [&](std::size_t value, const std::string& to) {
        const std::size_t from = maker[value].empty() ? g.values[value].root : value;
        if (!maker[from].empty())
            text += "  " + maker[from] + " -> " + to + " [label=" + detail::in_dot_quotes(g.values[value].type.text()) +
                    "];\n";
    };
    for (std::size_t s = 0; s < g.steps.size(); ++s) {
        const graph_step& step = g.steps[s];
        const std::string node = "step" + std::to_string(s);
        add(node, std::string(step.op.name()) + " " + step.name, "");
        for (const std::size_t input : step.inputs) arrow(input, node);
        for (const std::size_t output : step.outputs) maker[output] = node;
    }
    for (std::size_t i = 0; i < g.outputs.size(); ++i) {
        const std::string node = "output" + std::to_string(i);
        add(node, g.output_names[i], ", shape=oval");
        arrow(g.outputs[i], node);
    }
    return text + "}\n";
}

}  // namespace fanfold::inline FANFOLD_ABI
