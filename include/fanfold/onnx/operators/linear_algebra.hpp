// fanfold/onnx/operators/linear_algebra.hpp - Einsum, Det.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../../model/operators/linear_algebra.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Einsum-12
inline void import_einsum(node_import& node) {
    if (!node.has_attribute("equation")) throw std::invalid_argument("expected attribute 'equation', got none");
    node.answer(einsum(std::string(node.text("equation", ""))), node.inputs());
}

/// source   ONNX Det-11, Det-22
inline void import_det(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(determinant(), node.inputs());
}

inline constexpr std::array linear_algebra_operators{operator_entry{"Einsum", 12, last_opset, &import_einsum},
                                                     operator_entry{"Det", 11, last_opset, &import_det}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
