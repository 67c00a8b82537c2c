// fanfold/onnx/operators/conv.hpp - Conv over images or signals, with weights known at load.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <stdexcept>  // std::invalid_argument

#include "../../model/operators/convolution.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Conv-1, Conv-11
inline void import_conv(node_import& node) {
    node.expect_inputs(2, 3);
    const value_type input = node.type(0);
    const std::size_t rank = input.shape.rank();
    const view<const float> weights = node.known<float>(1, "weights");
    const view<const float> bias = node.has_input(2) ? node.known<float>(2, "a bias") : view<const float>{};
    if (weights.rank() != rank || rank < 3 || weights.size() == 0)
        throw std::invalid_argument("expected weights [O, C / groups, ...] of the rank of " + input.text() + ", got " +
                                    weights.shape().text());
    const window_attributes window =
        read_window(node, input, {rank == 4 ? weights.extent(2) : 1, weights.extent(rank - 1)});
    const kernel::conv2d_geometry geometry{.stride = window.stride,
                                           .dilation = window.dilation,
                                           .padding = window.padding,
                                           .groups = node.integer("group", 1)};
    node.answer(convolution(input, weights, bias, geometry), {node.input(0)});
}

inline constexpr std::array conv_operators{operator_entry{"Conv", first_opset, last_opset, &import_conv}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
