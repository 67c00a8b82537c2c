// fanfold/onnx/operators/control_flow.hpp - If, Loop, Scan.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/axes.hpp"
#include "../../model/operators/control_flow.hpp"
#include "../../model/operators/pieces.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

/// What a graph answers whose tensors, and elements of sequences, are `made` here.
[[nodiscard]] inline std::vector<named_value> regrouped(const std::vector<named_value>& answers,
                                                        const std::vector<value_id>& made) {
    std::vector<named_value> out;
    std::size_t next = 0;
    for (const named_value& answer : answers) {
        if (answer.sequence) {
            out.push_back(named_value::of({}, answer.declared));
            while (out.back().sequence->size() < answer.sequence->size()) out.back().sequence->push_back(made[next++]);
        } else {
            out.push_back(answer.absent ? named_value::none()
                                        : named_value{made[next++], nullptr, std::nullopt, answer.declared});
        }
    }
    return out;
}

inline void expect_alike(const inner_graph& then, const inner_graph& otherwise) {
    if (then.answers.size() != otherwise.answers.size())
        throw std::invalid_argument("expected branches with as many answers, got " +
                                    std::to_string(then.answers.size()) + " and " +
                                    std::to_string(otherwise.answers.size()));
    for (std::size_t i = 0; i < then.answers.size(); ++i)
        if (const std::string a = then.answers[i].text(), b = otherwise.answers[i].text(); a != b)
            throw std::invalid_argument("expected a condition known at load, or branches that answer alike, got " + a +
                                        " and " + b + " for output " + std::to_string(i));
}

/// A body that the run calls again and again.
inline void expect_tensors(const inner_graph& body) {
    for (const named_value& answer : body.answers)
        if (!answer.id) throw std::invalid_argument("expected a body that answers tensors, got " + answer.text());
}

[[nodiscard]] inline bool known_condition(const std::optional<tensor_view>& condition) {
    if (!condition)
        throw std::invalid_argument(
            "expected a condition known at load, as it carries a sequence or an optional value, got one of the run");
    return fanfold::detail::is_true(*condition);
}

}  // namespace detail

/// A condition that is known at load leaves one branch, whose nodes become the graph's own.
/// source   ONNX If-1 to If-21
inline void import_if(node_import& node) {
    node.expect_inputs(1, 1);
    if (const auto known = node.constant(0)) {
        const bool first = fanfold::detail::is_true(*known);
        const char* const branch = first ? "then_branch" : "else_branch";
        node.ignore_attribute(first ? "else_branch" : "then_branch");
        return node.answer_any(node.inlined(branch, node.parsed(branch), {}));
    }
    inner_graph then = node.subgraph("then_branch", inner_inputs());
    inner_graph otherwise = node.subgraph("else_branch", inner_inputs());
    detail::expect_alike(then, otherwise);
    std::vector<value_id> inputs = node.inputs(), made;
    inputs.insert(inputs.end(), then.captures.begin(), then.captures.end());
    inputs.insert(inputs.end(), otherwise.captures.begin(), otherwise.captures.end());
    const std::vector<named_value> answers = then.answers;
    if (!then.outputs.empty())
        made = node.add_all(conditional(std::move(then).finish(), std::move(otherwise).finish()), inputs);
    node.answer_any(detail::regrouped(answers, made));
}

/// What it carries has another number of elements each time: every iteration becomes nodes of the graph.
inline void import_unrolled_loop(node_import& node) {
    std::int64_t trips = INT64_MAX;
    if (node.has_input(0)) {
        const std::optional<tensor_view> known = node.constant(0);
        if (!known)
            throw std::invalid_argument(
                "expected a trip count known at load, as it carries a sequence or an optional value, got " +
                node.type(0).text() + " computed at run time");
        trips = integer_in(*known);
    }
    bool goes_on = !node.has_input(1) || detail::known_condition(node.constant(1));
    std::vector<named_value> carried;
    for (std::size_t i = 2; i < node.input_count(); ++i) carried.push_back(node.any_input(i));
    const graph_proto body = node.parsed("body");
    const std::size_t kept = carried.size();
    if (body.outputs.size() < 1 + kept)
        throw std::invalid_argument("expected a body with the condition and " + std::to_string(kept) +
                                    " carried values, got " + std::to_string(body.outputs.size()) + " outputs");
    std::vector<std::vector<value_id>> stacks(body.outputs.size() - 1 - kept);
    for (std::int64_t iteration = 0; goes_on && iteration < trips; ++iteration) {
        std::vector<named_value> now{named_value{node.constant_value(tensor::of<std::int64_t>({}, {iteration}))},
                                     named_value{node.constant_value(tensor::of<bool>({}, {true}))}};
        for (named_value& value : carried) now.push_back(std::move(value));
        std::vector<named_value> made = node.unrolled("body", body, std::move(now));
        if (!made[0].id) throw std::invalid_argument("expected a condition, got " + made[0].text());
        goes_on = detail::known_condition(node.known(*made[0].id).elements);
        for (std::size_t i = 0; i < kept; ++i) carried[i] = std::move(made[1 + i]);
        for (std::size_t i = 0; i < stacks.size(); ++i) {
            if (!node.has_output(kept + i)) continue;
            const named_value& piece = made[1 + kept + i];
            if (!piece.id) throw std::invalid_argument("expected a tensor to stack, got " + piece.text());
            stacks[i].push_back(node.add(unsqueeze(std::vector<std::int64_t>{0}), {*piece.id}));
        }
    }
    for (std::size_t i = 0; i < stacks.size() && kept + i < node.output_count(); ++i) {
        if (!node.has_output(kept + i)) {
            carried.push_back(named_value::none());
            continue;
        }
        if (stacks[i].empty())
            throw std::invalid_argument("expected 1 iteration or more for output " + std::to_string(kept + i) +
                                        ", whose shape nothing else tells, got 0");
        carried.push_back(named_value{node.add(concat(0), stacks[i])});
    }
    node.answer_any(std::move(carried));
}

/// source   ONNX Loop-1 to Loop-21
inline void import_loop(node_import& node) {
    if (node.input_count() < 2)
        throw std::invalid_argument("expected 2 inputs or more, got " + std::to_string(node.input_count()));
    for (std::size_t i = 2; i < node.input_count(); ++i)
        if (node.has_input(i) && !node.any_input(i).is_tensor()) return import_unrolled_loop(node);
    std::vector<value_id> inputs = node.inputs();
    std::vector<knowledge> first{{{element::int64, symbolic_shape()}}, {{element::boolean, symbolic_shape()}}};
    for (std::size_t i = 2; i < inputs.size(); ++i)  // shapes may change from one iteration to the next
        first.push_back({{node.known(inputs[i]).type.type, symbolic_shape::unknown()}});
    inner_graph body = node.subgraph("body", inner_inputs(first));
    detail::expect_tensors(body);
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
    detail::expect_tensors(body);
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
    detail::expect_tensors(body);
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
