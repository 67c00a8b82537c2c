// fanfold/onnx/operators/quantization.hpp - QuantizeLinear and its inverse, products and convolutions of integers.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../../model/operators/quantization.hpp"
#include "../element.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

inline void refuse_blocks(node_import& node) {
    if (const std::int64_t size = node.integer("block_size", 0); size != 0)
        throw std::invalid_argument("expected scales without blocks, got blocks of " + std::to_string(size));
}

}  // namespace detail

/// source   ONNX QuantizeLinear-10, QuantizeLinear-13 with an axis, QuantizeLinear-21 with a type
inline void import_quantize_linear(node_import& node) {
    node.expect_inputs(2, 3);
    detail::refuse_blocks(node);
    node.ignore_attribute("saturate");  // of 8-bit floats
    const std::int64_t type = node.integer("output_dtype", 0);
    node.answer(quantize_linear(node.integer("axis", 1), type == 0 ? element::uint8 : element_of_data_type(type)),
                node.inputs());
}

/// source   ONNX DequantizeLinear-10, DequantizeLinear-13 with an axis, DequantizeLinear-21
inline void import_dequantize_linear(node_import& node) {
    node.expect_inputs(2, 3);
    detail::refuse_blocks(node);
    node.answer(dequantize_linear(node.integer("axis", 1)), node.inputs());
}

/// source   ONNX DynamicQuantizeLinear-11
inline void import_dynamic_quantize_linear(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(dynamic_quantize_linear(), node.inputs());
}

/// source   ONNX MatMulInteger-10
inline void import_matmul_integer(node_import& node) {
    node.expect_inputs(2, 4);
    node.answer(matmul_integer(), node.inputs());
}

/// source   ONNX QLinearMatMul-10, QLinearMatMul-21
inline void import_qlinear_matmul(node_import& node) {
    node.expect_inputs(8, 8);
    node.answer(qlinear_matmul(), node.inputs());
}

/// source   ONNX ConvInteger-10
inline void import_conv_integer(node_import& node) {
    node.expect_inputs(2, 4);
    const sliding_rule rule = read_window(node, node.type(1));
    node.answer(convolution_integer(rule, node.integer("group", 1)), node.inputs());
}

/// source   ONNX QLinearConv-10
inline void import_qlinear_conv(node_import& node) {
    node.expect_inputs(8, 9);
    const sliding_rule rule = read_window(node, node.type(3));
    node.answer(qlinear_convolution(rule, node.integer("group", 1)), node.inputs());
}

inline constexpr std::array quantization_operators{
    operator_entry{"QuantizeLinear", 10, last_opset, &import_quantize_linear},
    operator_entry{"DequantizeLinear", 10, last_opset, &import_dequantize_linear},
    operator_entry{"DynamicQuantizeLinear", 11, last_opset, &import_dynamic_quantize_linear},
    operator_entry{"MatMulInteger", 10, last_opset, &import_matmul_integer},
    operator_entry{"QLinearMatMul", 10, last_opset, &import_qlinear_matmul},
    operator_entry{"ConvInteger", 10, last_opset, &import_conv_integer},
    operator_entry{"QLinearConv", 10, last_opset, &import_qlinear_conv}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
