// fanfold/onnx/operators/control_flow.hpp - If, Loop, Scan.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/control_flow.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// A condition that is known at load leaves one branch, whose nodes become the graph's own.
/// source   ONNX If-1 to If-21
inline void import_if(node_import& node) {
    node.expect_inputs(1, 1);
    if (const auto known = node.constant(0)) {
        const bool first = fanfold::detail::is_true(*known);
        const inner_graph branch = node.subgraph(first ? "then_branch" : "else_branch", inner_inputs());
        node.ignore_attribute(first ? "else_branch" : "then_branch");
        return node.answer(node.splice(branch));
    }
    inner_graph then = node.subgraph("then_branch", inner_inputs());
    inner_graph otherwise = node.subgraph("else_branch", inner_inputs());
    std::vector<value_id> inputs = node.inputs();
    inputs.insert(inputs.end(), then.captures.begin(), then.captures.end());
    inputs.insert(inputs.end(), otherwise.captures.begin(), otherwise.captures.end());
    node.answer(conditional(std::move(then).finish(), std::move(otherwise).finish()), inputs);
}

/// source   ONNX Loop-1 to Loop-21
inline void import_loop(node_import& node) {
    if (node.input_count() < 2)
        throw std::invalid_argument("expected 2 inputs or more, got " + std::to_string(node.input_count()));
    std::vector<value_id> inputs = node.inputs();
    std::vector<knowledge> first{{{element::int64, symbolic_shape()}}, {{element::boolean, symbolic_shape()}}};
    for (std::size_t i = 2; i < inputs.size(); ++i)  // shapes may change from one iteration to the next
        first.push_back({{node.known(inputs[i]).type.type, symbolic_shape::unknown()}});
    inner_graph body = node.subgraph("body", inner_inputs(first));
    const std::size_t carried = inputs.size() - 2;
    inputs.insert(inputs.end(), body.captures.begin(), body.captures.end());
    node.answer(loop(std::move(body).finish(), carried), inputs);
}

/// The inputs that are not scanned; every one is answered, too.
[[nodiscard]] inline std::size_t count_scan_states(node_import& node, std::size_t inputs) {
    const std::int64_t scanned = node.integer("num_scan_inputs", 0);
    if (scanned < 1 || scanned > static_cast<std::int64_t>(inputs))
        throw std::invalid_argument("attribute 'num_scan_inputs': expected 1 to " + std::to_string(inputs) + ", got " +
                                    std::to_string(scanned));
    const std::size_t states = inputs - static_cast<std::size_t>(scanned);
    if (node.output_count() < states)
        throw std::invalid_argument("expected " + std::to_string(states) + " outputs or more, got " +
                                    std::to_string(node.output_count()));
    return states;
}

/// source   ONNX Scan-9 to Scan-21
inline void import_scan(node_import& node) {
    std::vector<value_id> inputs = node.inputs();
    scan_form form{.states = count_scan_states(node, inputs.size())};
    const std::size_t scanned = inputs.size() - form.states;
    const auto read = [&](const char* name, std::size_t count) {
        const std::vector<std::int64_t>* given = node.integers(name);
        std::vector<std::int64_t> values = given == nullptr ? std::vector<std::int64_t>(count, 0) : *given;
        if (values.size() != count)
            throw std::invalid_argument("attribute " + in_quotes(name) + ": expected " + std::to_string(count) +
                                        " numbers, got " + std::to_string(values.size()));
        return values;
    };
    const auto flags = [&](const char* name, std::size_t count) {
        std::vector<bool> out;
        for (const std::int64_t value : read(name, count)) out.push_back(value != 0);
        return out;
    };
    const std::size_t outputs = node.output_count() - form.states;
    form.input_axes = read("scan_input_axes", scanned);
    form.input_backwards = flags("scan_input_directions", scanned);
    form.output_axes = read("scan_output_axes", outputs);
    form.output_backwards = flags("scan_output_directions", outputs);
    std::vector<knowledge> first;
    for (const value_id input : inputs) first.push_back({{node.known(input).type.type, symbolic_shape::unknown()}});
    inner_graph body = node.subgraph("body", inner_inputs(first));
    inputs.insert(inputs.end(), body.captures.begin(), body.captures.end());
    node.answer(scan(std::move(body).finish(), std::move(form)), inputs);
}

/// Each element of a batch by itself: a scan over the batch, whose body is the scan over the sequence.
/// source   ONNX Scan-8
inline void import_scan_over_batch(node_import& node) {
    if (node.has_input(0)) throw std::invalid_argument("expected sequences of one length, got 'sequence_lens'");
    std::vector<value_id> inputs = node.inputs();
    if (!inputs.empty()) inputs.erase(inputs.begin());
    const std::size_t states = count_scan_states(node, inputs.size());
    const std::size_t scanned = inputs.size() - states, outputs = node.output_count();
    const auto form = [](std::size_t kept, std::size_t in, std::size_t out) {
        return scan_form{kept, std::vector<std::int64_t>(in, 0), std::vector<bool>(in, false),
                         std::vector<std::int64_t>(out, 0), std::vector<bool>(out, false)};
    };
    scan_form along = form(states, scanned, outputs - states);
    if (const std::vector<std::int64_t>* directions = node.integers("directions")) {
        if (directions->size() != scanned)
            throw std::invalid_argument("attribute 'directions': expected " + std::to_string(scanned) +
                                        " numbers, got " + std::to_string(directions->size()));
        for (std::size_t i = 0; i < scanned; ++i) along.input_backwards[i] = (*directions)[i] != 0;
    }
    const auto any_shape = [&](value_id value) {
        return knowledge{{node.known(value).type.type, symbolic_shape::unknown()}};
    };
    const scan_form over_batch = form(0, inputs.size(), outputs);
    std::vector<knowledge> first;
    for (const value_id input : inputs) first.push_back(any_shape(input));
    inner_graph body = node.subgraph("body", inner_inputs(first));
    inputs.insert(inputs.end(), body.captures.begin(), body.captures.end());
    graph_builder one(node.limits());
    std::vector<value_id> taken;
    for (const value_id input : inputs)
        taken.push_back(one.known_input(std::to_string(taken.size()), any_shape(input)));
    std::vector<std::pair<std::string, value_id>> made;
    for (const value_id output : one.add(scan(std::move(body).finish(), std::move(along)), taken))
        made.emplace_back(std::to_string(made.size()), output);
    node.answer(scan(std::move(one).finish(made), over_batch), inputs);
}

inline constexpr std::array control_flow_operators{operator_entry{"If", first_opset, last_opset, &import_if},
                                                   operator_entry{"Loop", first_opset, last_opset, &import_loop},
                                                   operator_entry{"Scan", 8, 8, &import_scan_over_batch},
                                                   operator_entry{"Scan", 9, last_opset, &import_scan}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
