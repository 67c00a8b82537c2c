// fanfold/onnx/operators/shapes.hpp - Shape, Size, ConstantOfShape, Squeeze, Unsqueeze, Transpose.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/axes.hpp"
#include "../../model/operators/sizes.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Shape-1, Shape-15 with start and end
inline void import_shape(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(shape_of(node.integer("start", 0), node.integer("end", INT64_MAX)), node.inputs());
}

/// source   ONNX Size-1 to Size-21
inline void import_size(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(element_count(), node.inputs());
}

/// source   ONNX ConstantOfShape-9 to ConstantOfShape-21
inline void import_constant_of_shape(node_import& node) {
    node.expect_inputs(1, 1);
    const tensor_proto* value = node.stored_tensor("value");
    node.answer(constant_of_shape(value == nullptr ? tensor(element::float32, {1}) : widened(to_tensor(*value, {}))),
                node.inputs());
}

namespace detail {

[[nodiscard]] inline std::optional<std::vector<std::int64_t>> axes_attribute(node_import& node) {
    if (const std::vector<std::int64_t>* axes = node.integers("axes")) return *axes;
    return std::nullopt;
}

}  // namespace detail

/// source   ONNX Squeeze-1 with an attribute, Squeeze-13 with an input
inline void import_squeeze(node_import& node) {
    node.expect_inputs(1, 2);
    node.moves_strings();
    node.answer(squeeze(detail::axes_attribute(node)), node.inputs());
}

/// source   ONNX Unsqueeze-1 with an attribute, Unsqueeze-13 with an input
inline void import_unsqueeze(node_import& node) {
    node.expect_inputs(1, 2);
    node.moves_strings();
    node.answer(unsqueeze(detail::axes_attribute(node)), node.inputs());
}

/// source   ONNX Transpose-1 to Transpose-21
inline void import_transpose(node_import& node) {
    node.expect_inputs(1, 1);
    node.moves_strings();
    const std::vector<std::int64_t>* order = node.integers("perm");
    node.answer(transpose(order == nullptr ? std::vector<std::int64_t>() : *order), node.inputs());
}

inline constexpr std::array shape_operators{
    operator_entry{"Shape", first_opset, last_opset, &import_shape},
    operator_entry{"Size", first_opset, last_opset, &import_size},
    operator_entry{"ConstantOfShape", first_opset, last_opset, &import_constant_of_shape},
    operator_entry{"Squeeze", first_opset, last_opset, &import_squeeze},
    operator_entry{"Unsqueeze", first_opset, last_opset, &import_unsqueeze},
    operator_entry{"Transpose", first_opset, last_opset, &import_transpose}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
