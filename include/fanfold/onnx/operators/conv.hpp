// fanfold/onnx/operators/conv.hpp - Conv, ConvTranspose, DeformConv, Col2Im.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>    // std::array
#include <cstdint>  // std::int64_t
#include <utility>  // std::move
#include <vector>   // std::vector

#include "../../model/operators/convolution_nd.hpp"
#include "../../model/operators/deformable.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
/// source   ONNX Conv-1, Conv-11, Conv-22
inline void import_conv(node_import& node) {
    node.expect_inputs(2, 3);
    const value_type x = node.type(0);
    const sliding_rule rule = read_window(node, node.type(1));
    const std::int64_t groups = node.integer("group", 1);
    node.answer(convolution_nd(rule, groups, x.type == element::float64 ? x.type : element::float32), node.inputs());
}

/// source   ONNX ConvTranspose-1, ConvTranspose-11, ConvTranspose-22
inline void import_conv_transpose(node_import& node) {
    node.expect_inputs(2, 3);
    const sliding_rule rule = read_window(node, node.type(1));
    transposed_convolution::extents wanted;
    if (const std::vector<std::int64_t>* added = node.integers("output_padding")) wanted.added = *added;
    if (const std::vector<std::int64_t>* target = node.integers("output_shape")) wanted.target = *target;
    if (rule.axes != 0 && wanted.target.size() == rule.axes + 2)  // some exporters list N and C, too
        wanted.target.erase(wanted.target.begin(), wanted.target.begin() + 2);
    node.answer(transposed_convolution(rule, node.integer("group", 1), std::move(wanted)), node.inputs());
}

/// source   ONNX DeformConv-19, DeformConv-22
inline void import_deform_conv(node_import& node) {
    node.expect_inputs(3, 5);
    const sliding_rule rule = read_window(node, node.type(1));
    const std::int64_t groups = node.integer("group", 1);
    node.answer(deformable_convolution(rule, groups, node.integer("offset_group", 1)), node.inputs());
}

/// source   ONNX Col2Im-18
inline void import_col2im(node_import& node) {
    node.expect_inputs(3, 3);
    const auto read = [&](const char* name) {
        const std::vector<std::int64_t>* given = node.integers(name);
        return given == nullptr ? std::vector<std::int64_t>() : *given;
    };
    node.answer(blocks_to_image({.strides = read("strides"), .dilations = read("dilations"), .pads = read("pads")}),
                node.inputs());
}

inline constexpr std::array conv_operators{
    operator_entry{"Conv", first_opset, last_opset, &import_conv},
    operator_entry{"ConvTranspose", first_opset, last_opset, &import_conv_transpose},
    operator_entry{"DeformConv", 19, last_opset, &import_deform_conv},
    operator_entry{"Col2Im", 18, last_opset, &import_col2im}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
