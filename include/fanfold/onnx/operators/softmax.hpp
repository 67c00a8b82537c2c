// fanfold/onnx/operators/softmax.hpp - Softmax in its two meanings: along one axis, or from an axis on.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>  // std::array

#include "../../model/operators/softmax.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Softmax-1, Softmax-11: the value is a matrix, its columns start at the axis
inline void import_softmax_7(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(softmax(node.integer("axis", 1), softmax_over::axis_and_later), {node.input(0)});
}

/// source   ONNX Softmax-13
inline void import_softmax_13(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(softmax(node.integer("axis", -1)), {node.input(0)});
}

inline constexpr std::array softmax_operators{operator_entry{"Softmax", first_opset, 12, &import_softmax_7},
                                              operator_entry{"Softmax", 13, last_opset, &import_softmax_13}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
