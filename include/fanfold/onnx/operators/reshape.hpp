// fanfold/onnx/operators/reshape.hpp - Reshape, Flatten, Identity.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../../model/operators/reshape.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Reshape-5 to Reshape-21; allowzero since 14
inline void import_reshape(node_import& node) {
    node.expect_inputs(2, 2);
    node.moves_strings();
    if (const auto target = node.constant(1); target && (target->rank() != 1 || target->size() > shape::max_rank))
        throw std::invalid_argument("expected a shape of one axis and at most " + std::to_string(shape::max_rank) +
                                    " numbers, got " + target->shape().text());
    const bool zero = node.opset() >= 14 && node.integer("allowzero", 0) != 0;
    node.answer(reshape(zero ? zero_extent::is_zero : zero_extent::copies_input), node.inputs());
}

/// source   ONNX Flatten-1 to Flatten-21; a negative axis since 11
inline void import_flatten(node_import& node) {
    node.expect_inputs(1, 1);
    node.moves_strings();
    node.answer(flatten(node.integer("axis", 1)), {node.input(0)});
}

/// source   ONNX Identity-1 to Identity-21
inline void import_identity(node_import& node) {
    node.expect_inputs(1, 1);
    node.moves_strings();
    if (named_value value = node.any_input(0); !value.is_tensor()) return node.answer_any({std::move(value)});
    node.answer(identity(), {node.input(0)});
}

inline constexpr std::array reshape_operators{operator_entry{"Reshape", first_opset, last_opset, &import_reshape},
                                              operator_entry{"Flatten", first_opset, last_opset, &import_flatten},
                                              operator_entry{"Identity", first_opset, last_opset, &import_identity}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
