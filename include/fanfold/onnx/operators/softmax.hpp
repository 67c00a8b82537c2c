// fanfold/onnx/operators/softmax.hpp - Softmax, LogSoftmax, Hardmax in its two meanings: along one axis,
// or from an axis on.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>  // std::array

#include "../../model/operators/softmax.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// The value seen as a matrix: all axes from `axis` on sum to one.
/// source   ONNX Softmax-1 to Softmax-11 and its like
template <softmax_kind Kind>
void import_softmax_1(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(softmax(node.integer("axis", 1), softmax_over::axis_and_later, Kind), node.inputs());
}

/// source   ONNX Softmax-13 and its like
template <softmax_kind Kind>
void import_softmax_13(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(softmax(node.integer("axis", -1), softmax_over::axis, Kind), node.inputs());
}

inline constexpr std::array softmax_operators{
    operator_entry{"Hardmax", 1, 12, &import_softmax_1<softmax_kind::hard>},
    operator_entry{"Hardmax", 13, last_opset, &import_softmax_13<softmax_kind::hard>},
    operator_entry{"LogSoftmax", 1, 12, &import_softmax_1<softmax_kind::logarithm>},
    operator_entry{"LogSoftmax", 13, last_opset, &import_softmax_13<softmax_kind::logarithm>},
    operator_entry{"Softmax", 1, 12, &import_softmax_1<softmax_kind::probability>},
    operator_entry{"Softmax", 13, last_opset, &import_softmax_13<softmax_kind::probability>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
