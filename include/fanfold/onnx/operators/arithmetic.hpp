// fanfold/onnx/operators/arithmetic.hpp - Add, Sub, Mul, Div with broadcasting.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>  // std::array

#include "../../model/operators/elementwise.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Add-7, Sub-7, Mul-7, Div-7 and later versions: they differ in element types only
template <kernel::binary Kind>
void import_arithmetic(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(arithmetic(Kind), {node.input(0), node.input(1)});
}

inline constexpr std::array arithmetic_operators{
    operator_entry{"Add", first_opset, last_opset, &import_arithmetic<kernel::binary::add>},
    operator_entry{"Sub", first_opset, last_opset, &import_arithmetic<kernel::binary::sub>},
    operator_entry{"Mul", first_opset, last_opset, &import_arithmetic<kernel::binary::mul>},
    operator_entry{"Div", first_opset, last_opset, &import_arithmetic<kernel::binary::div>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
