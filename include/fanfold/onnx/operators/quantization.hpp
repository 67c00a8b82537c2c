// fanfold/onnx/operators/quantization.hpp - QuantizeLinear and its inverse, products and convolutions of integers.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string
#include <vector>     // std::vector

#include "../../model/operators/axes.hpp"
#include "../../model/operators/elementwise.hpp"
#include "../../model/operators/float8.hpp"
#include "../../model/operators/quantization.hpp"
#include "../element.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// The scale as it broadcasts to input 0: one number, or one for each element of an axis.
inline value_id spread_scale(node_import& node, std::int64_t axis) {
    const symbolic_shape x = node.type(0).shape, scale = node.type(1).shape;
    const value_id value = node.input(1);
    if (scale.ranked() && (scale.rank() == 0 || (scale.rank() == 1 && scale[0] == extent(1)))) return value;
    if (!x.ranked() || !scale.ranked())
        throw std::invalid_argument("expected 8-bit floats and scales of known rank, got " + node.type(0).text() +
                                    " and " + node.type(1).text());
    const std::size_t along = fanfold::detail::expect_axis(axis, x.rank());
    if (scale.rank() != 1 || !may_equal(scale[0], x[along]))
        throw std::invalid_argument("expected one scale, or one for each element of axis " + std::to_string(axis) +
                                    " of " + node.type(0).text() + ", got " + node.type(1).text());
    std::vector<std::int64_t> behind;
    for (std::size_t at = along + 1; at < x.rank(); ++at)
        behind.push_back(static_cast<std::int64_t>(behind.size()) + 1);
    return behind.empty() ? value : node.add(unsqueeze(behind), {value});
}

}  // namespace detail

/// source   ONNX QuantizeLinear-10, QuantizeLinear-13 with an axis, QuantizeLinear-21 with a type
inline void import_quantize_linear(node_import& node) {
    node.expect_inputs(2, 3);
    const std::int64_t block = node.integer("block_size", 0), axis = node.integer("axis", 1);
    const bool saturates = node.integer("saturate", 1) != 0;
    std::int64_t type = node.integer("output_dtype", 0);
    if (node.has_input(2) && node.data_type(2) != 0) type = node.data_type(2);
    if (is_float8(type)) {
        if (block != 0) throw std::invalid_argument("expected integers to quantize to in blocks, got 8-bit floats");
        const auto range = saturates ? kernel::float8_range::saturates : kernel::float8_range::overflows;
        const value_id x = node.add(cast(element::float32), {node.input(0)});
        const value_id scaled = node.add(arithmetic(kernel::binary::div), {x, detail::spread_scale(node, axis)});
        return node.answer(node.add(round_to_float8(float8_of(type), range), {scaled}), type);
    }
    const auto bits = is_four_bits(type) ? quantized_bits::four : quantized_bits::all;
    const quantize_linear op(axis, type == 0 ? element::uint8 : element_of_data_type(type), block, bits);
    node.answer(node.add(op, node.inputs()), type);
}

/// source   ONNX DequantizeLinear-10, DequantizeLinear-13 with an axis, DequantizeLinear-21
inline void import_dequantize_linear(node_import& node) {
    node.expect_inputs(2, 3);
    const std::int64_t block = node.integer("block_size", 0), axis = node.integer("axis", 1);
    if (is_float8(node.data_type(0)) && block == 0)
        return node.answer(arithmetic(kernel::binary::mul), {node.input(0), detail::spread_scale(node, axis)});
    node.answer(dequantize_linear(axis, block), node.inputs());
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
