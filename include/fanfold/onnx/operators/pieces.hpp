// fanfold/onnx/operators/pieces.hpp - Concat, Split, Slice, Expand, Tile.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/pieces.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Concat-4 to Concat-13
inline void import_concat(node_import& node) {
    if (!node.has_attribute("axis")) throw std::invalid_argument("expected attribute 'axis', got none");
    node.answer(concat(node.integer("axis", 0)), node.inputs());
}

/// source   ONNX Split-2 with an attribute, Split-13 with an input, Split-18 with num_outputs
inline void import_split(node_import& node) {
    node.expect_inputs(1, 2);
    std::optional<std::vector<std::int64_t>> lengths;
    if (const std::vector<std::int64_t>* given = node.integers("split")) lengths = *given;
    const std::int64_t pieces = node.integer("num_outputs", static_cast<std::int64_t>(node.output_count()));
    if (pieces < 1 || static_cast<std::size_t>(pieces) < node.output_count() ||
        pieces > std::max<std::int64_t>(static_cast<std::int64_t>(node.output_count()), 1024))
        throw std::invalid_argument("expected " + std::to_string(node.output_count()) + " to 1024 pieces, got " +
                                    std::to_string(pieces));
    node.answer(split(node.integer("axis", 0), static_cast<std::size_t>(pieces), std::move(lengths)), node.inputs());
}

/// source   ONNX Slice-1 with attributes, Slice-10 to Slice-13 with inputs
inline void import_slice(node_import& node) {
    node.moves_strings();
    if (node.opset() >= 10) {
        node.expect_inputs(3, 5);
        return node.answer(slice(), node.inputs());
    }
    node.expect_inputs(1, 1);
    const auto read = [&](const char* name) {
        const std::vector<std::int64_t>* given = node.integers(name);
        return given == nullptr ? std::vector<std::int64_t>() : *given;
    };
    node.answer(slice({.starts = read("starts"), .ends = read("ends"), .axes = read("axes")}), node.inputs());
}

/// source   ONNX Expand-8, Expand-13
inline void import_expand(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(expand(), node.inputs());
}

/// source   ONNX Tile-6, Tile-13
inline void import_tile(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(tile(), node.inputs());
}

inline constexpr std::array pieces_operators{operator_entry{"Concat", first_opset, last_opset, &import_concat},
                                             operator_entry{"Split", first_opset, last_opset, &import_split},
                                             operator_entry{"Slice", first_opset, last_opset, &import_slice},
                                             operator_entry{"Expand", 8, last_opset, &import_expand},
                                             operator_entry{"Tile", first_opset, last_opset, &import_tile}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
