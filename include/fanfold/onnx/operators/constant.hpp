// fanfold/onnx/operators/constant.hpp - Constant: elements that stand in the graph itself.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Constant-1 to Constant-21, without sparse tensors
inline void import_constant(node_import& node) {
    node.expect_inputs(0, 0);
    int forms = 0;
    for (const char* form : {"value", "value_float", "value_floats", "value_int", "value_ints"})
        forms += node.has_attribute(form) ? 1 : 0;
    if (forms != 1)
        throw std::invalid_argument("expected one of value, value_float, value_floats, value_int, value_ints, got " +
                                    std::to_string(forms));
    if (const tensor_proto* stored = node.stored_tensor("value")) return node.answer(*stored);
    if (const auto* floats = node.reals("value_floats"))
        return node.answer(node.constant_value(
            tensor::of<float>({static_cast<std::int64_t>(floats->size())}, std::span<const float>(*floats))));
    if (const auto* ints = node.integers("value_ints"))
        return node.answer(node.constant_value(
            tensor::of<std::int64_t>({static_cast<std::int64_t>(ints->size())}, std::span<const std::int64_t>(*ints))));
    if (node.has_attribute("value_float"))
        return node.answer(node.constant_value(tensor::of<float>({}, {node.real("value_float", 0)})));
    node.answer(node.constant_value(tensor::of<std::int64_t>({}, {node.integer("value_int", 0)})));
}

inline constexpr std::array constant_operators{operator_entry{"Constant", first_opset, last_opset, &import_constant}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
