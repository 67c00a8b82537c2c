// fanfold/onnx/operators/sequences.hpp - SequenceAt and the like: lists of tensors, and values that may be absent,
// resolved at load.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/axes.hpp"
#include "../../model/operators/pieces.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

[[nodiscard]] inline const std::vector<value_id>& sequence_input(node_import& node) {
    if (const auto* elements = node.sequence(0)) return *elements;
    throw std::invalid_argument("expected a sequence, got " + node.type(0).text());  // or what refuses the absent
}

[[nodiscard]] inline const std::vector<value_id>& filled_sequence(node_import& node) {
    const std::vector<value_id>& elements = sequence_input(node);
    if (elements.empty()) throw std::invalid_argument("expected a sequence of 1 or more, got an empty one");
    return elements;
}

/// From input `index`, counted from the end where negative; at most `most`.
[[nodiscard]] inline std::size_t position(node_import& node, std::size_t index, std::size_t size, std::size_t most) {
    const std::vector<std::int64_t> given = node.integers_of(index, {}).value();
    std::int64_t at = given.size() == 1 ? given[0] : -1 - static_cast<std::int64_t>(size);
    if (at < 0) at += static_cast<std::int64_t>(size);
    if (at < 0 || at > static_cast<std::int64_t>(most))
        throw std::invalid_argument("expected one position in a sequence of " + std::to_string(size) + ", got " +
                                    (given.size() == 1 ? std::to_string(given[0]) : "several or none"));
    return static_cast<std::size_t>(at);
}

inline constexpr std::int64_t most_pieces = std::int64_t{1} << 16;

/// How long the pieces are that are equal but for the last.
[[nodiscard]] inline std::vector<std::int64_t> equal_lengths(node_import& node, std::int64_t axis, std::int64_t each) {
    const symbolic_shape x = node.type(0).shape;
    if (!x.ranked()) throw std::invalid_argument("expected an input of known rank, got " + x.text());
    const extent along = x[fanfold::detail::expect_axis(axis, x.rank())];
    if (!along.constant() || each < 1)
        throw std::invalid_argument("expected an extent known at load in pieces of 1 or more, got " + along.text() +
                                    " in pieces of " + std::to_string(each));
    if (along.fixed / each > most_pieces)
        throw std::invalid_argument("expected at most " + std::to_string(most_pieces) + " pieces, got " + along.text() +
                                    " in pieces of " + std::to_string(each));
    std::vector<std::int64_t> lengths;
    for (std::int64_t at = 0; at < along.fixed; at += std::min(each, along.fixed - at))
        lengths.push_back(std::min(each, along.fixed - at));
    return lengths;
}

}  // namespace detail

/// source   ONNX SequenceEmpty-11
inline void import_sequence_empty(node_import& node) {
    node.expect_inputs(0, 0);
    node.answer_sequence({}, node.integer("dtype", 0));
}
/// source   ONNX SequenceConstruct-11
inline void import_sequence_construct(node_import& node) {
    const std::int64_t data_type = node.has_input(0) ? node.data_type(0) : 0;
    node.answer_sequence(node.inputs(), data_type);
}
/// source   ONNX SequenceInsert-11
inline void import_sequence_insert(node_import& node) {
    node.expect_inputs(2, 3);
    std::vector<value_id> elements = detail::sequence_input(node);
    const std::size_t size = elements.size(), at = node.has_input(2) ? detail::position(node, 2, size, size) : size;
    elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(at), node.input(1));
    const std::int64_t inserted = node.data_type(1);
    node.answer_sequence(std::move(elements), inserted != 0 ? inserted : node.element_data_type(0));
}
/// source   ONNX SequenceErase-11
inline void import_sequence_erase(node_import& node) {
    node.expect_inputs(1, 2);
    std::vector<value_id> elements = detail::filled_sequence(node);
    const std::size_t last = elements.size() - 1;
    const std::size_t at = node.has_input(1) ? detail::position(node, 1, elements.size(), last) : last;
    elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
    node.answer_sequence(std::move(elements), node.element_data_type(0));
}
/// source   ONNX SequenceAt-11
inline void import_sequence_at(node_import& node) {
    node.expect_inputs(2, 2);
    const std::vector<value_id> elements = detail::filled_sequence(node);
    node.answer(elements[detail::position(node, 1, elements.size(), elements.size() - 1)], node.element_data_type(0));
}
/// source   ONNX SequenceLength-11
inline void import_sequence_length(node_import& node) {
    node.expect_inputs(1, 1);
    const auto length = static_cast<std::int64_t>(detail::sequence_input(node).size());
    node.answer(node.constant_value(tensor::of<std::int64_t>({}, {length})));
}
/// source   ONNX SplitToSequence-11
inline void import_split_to_sequence(node_import& node) {
    node.expect_inputs(1, 2);
    const std::int64_t axis = node.integer("axis", 0);
    const bool keeps = node.integer("keepdims", 1) != 0 || node.has_input(1);
    std::optional<std::vector<std::int64_t>> lengths;
    std::size_t pieces = 0;
    if (const symbolic_shape given = node.has_input(1) ? node.type(1).shape : symbolic_shape(); given.rank() == 1) {
        if (!given[0].constant()) throw std::invalid_argument("expected a known number of pieces, got " + given.text());
        pieces = static_cast<std::size_t>(given[0].fixed);  // how long they are may come at the run
    } else {
        const std::int64_t each = node.has_input(1) ? node.integers_of(1, {}).value().at(0) : 1;
        lengths = detail::equal_lengths(node, axis, each);
        pieces = lengths->size();
    }
    if (pieces > static_cast<std::size_t>(detail::most_pieces))
        throw std::invalid_argument("expected at most " + std::to_string(detail::most_pieces) + " pieces, got " +
                                    std::to_string(pieces));
    std::vector<value_id> whole{node.input(0)};
    if (!lengths) whole.push_back(node.input(1));
    std::vector<value_id> elements = node.add_all(split(axis, pieces, std::move(lengths)), whole);
    if (!keeps)
        for (value_id& element : elements) element = node.add(squeeze(std::vector{axis}), {element});
    node.answer_sequence(std::move(elements), node.data_type(0));
}
/// source   ONNX ConcatFromSequence-11
inline void import_concat_from_sequence(node_import& node) {
    node.expect_inputs(1, 1);
    if (!node.has_attribute("axis")) throw std::invalid_argument("expected attribute 'axis', got none");
    const std::int64_t axis = node.integer("axis", 0);
    std::vector<value_id> elements = detail::filled_sequence(node);
    if (node.integer("new_axis", 0) != 0)
        for (value_id& element : elements) element = node.add(unsqueeze(std::vector{axis}), {element});
    node.answer(node.add(concat(axis), elements), node.element_data_type(0));
}

/// The body for each element in turn, as nodes of the graph; inputs after the first may be tensors, the same each time.
/// source   ONNX SequenceMap-17
inline void import_sequence_map(node_import& node) {
    if (node.input_count() == 0) throw std::invalid_argument("expected 1 input or more, got 0");
    const std::size_t count = detail::sequence_input(node).size();
    std::vector<named_value> inputs;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
        inputs.push_back(node.any_input(i));
        if (inputs[i].absent || (inputs[i].sequence && inputs[i].sequence->size() != count))
            throw std::invalid_argument("expected input " + std::to_string(i) + " to be a sequence of " +
                                        std::to_string(count) + " or a tensor, got " + inputs[i].text());
    }
    const graph_proto body = node.parsed("body");
    std::vector<named_value> answers(body.outputs.size(), named_value::of({}));
    for (std::size_t at = 0; at < count; ++at) {
        std::vector<named_value> now;
        for (const named_value& input : inputs)
            now.push_back(input.sequence ? named_value{(*input.sequence)[at], nullptr, std::nullopt, input.declared}
                                         : input);
        const std::vector<named_value> made = node.unrolled("body", body, std::move(now));
        for (std::size_t i = 0; i < made.size(); ++i) {
            if (!made[i].id) throw std::invalid_argument("expected a body that answers tensors, got " + made[i].text());
            answers[i].sequence->push_back(*made[i].id);
            answers[i].declared = made[i].declared;
        }
    }
    node.answer_any(std::move(answers));
}

/// source   ONNX Optional-15
inline void import_optional(node_import& node) {
    node.expect_inputs(0, 1);
    node.ignore_attribute("type");
    node.answer_any({node.has_input(0) ? node.any_input(0) : named_value::none()});
}
/// Of a tensor or a sequence, too, and of nothing, since 18.
/// source   ONNX OptionalHasElement-15, OptionalHasElement-18
inline void import_optional_has_element(node_import& node) {
    node.expect_inputs(0, 1);
    const bool there = node.has_input(0) && !node.any_input(0).absent;
    node.answer(node.constant_value(tensor::of<bool>({}, {there})));
}
/// source   ONNX OptionalGetElement-15, OptionalGetElement-18
inline void import_optional_get_element(node_import& node) {
    node.expect_inputs(1, 1);
    named_value value = node.any_input(0);
    if (value.absent) throw std::invalid_argument("expected an optional value that is there, got an absent one");
    node.answer_any({std::move(value)});
}

inline constexpr std::array sequence_operators{
    operator_entry{"SequenceEmpty", 11, last_opset, &import_sequence_empty},
    operator_entry{"SequenceConstruct", 11, last_opset, &import_sequence_construct},
    operator_entry{"SequenceInsert", 11, last_opset, &import_sequence_insert},
    operator_entry{"SequenceErase", 11, last_opset, &import_sequence_erase},
    operator_entry{"SequenceAt", 11, last_opset, &import_sequence_at},
    operator_entry{"SequenceLength", 11, last_opset, &import_sequence_length},
    operator_entry{"SplitToSequence", 11, last_opset, &import_split_to_sequence},
    operator_entry{"ConcatFromSequence", 11, last_opset, &import_concat_from_sequence},
    operator_entry{"SequenceMap", 17, last_opset, &import_sequence_map},
    operator_entry{"Optional", 15, last_opset, &import_optional},
    operator_entry{"OptionalHasElement", 15, last_opset, &import_optional_has_element},
    operator_entry{"OptionalGetElement", 15, last_opset, &import_optional_get_element}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
