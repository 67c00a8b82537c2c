// fanfold/onnx/operators/activation.hpp - Relu, Sigmoid, Tanh.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>  // std::array

#include "../../model/operators/elementwise.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Relu-6, Sigmoid-6, Tanh-6 and later versions: they differ in element types only
template <kernel::activation Act>
void import_activation(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(activation_function(Act), {node.input(0)});
}

inline constexpr std::array activation_operators{
    operator_entry{"Relu", first_opset, last_opset, &import_activation<kernel::activation::relu>},
    operator_entry{"Sigmoid", first_opset, last_opset, &import_activation<kernel::activation::sigmoid>},
    operator_entry{"Tanh", first_opset, last_opset, &import_activation<kernel::activation::tanh>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
