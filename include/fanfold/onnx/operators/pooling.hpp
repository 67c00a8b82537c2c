// fanfold/onnx/operators/pooling.hpp - MaxPool, AveragePool, GlobalAveragePool over images or signals.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <stdexcept>  // std::invalid_argument

#include "../../model/operators/pooling.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// auto_pad fixes the number of windows, so ceil_mode says nothing beside it.
[[nodiscard]] inline kernel::window2d read_pooling_window(node_import& node) {
    const window_attributes read = read_window(node, node.type(0), {0, 0});
    const bool ceil = node.integer("ceil_mode", 0) != 0 && !read.automatic;
    kernel::window2d window;
    window.size = read.size;
    window.stride = read.stride;
    window.dilation = read.dilation;
    window.padding = read.padding;
    window.rounding = ceil ? kernel::window2d::rounding::ceil : kernel::window2d::rounding::floor;
    return window;
}

}  // namespace detail

/// source   ONNX MaxPool-1 to MaxPool-12; storage_order concerns the second output only
inline void import_max_pool(node_import& node) {
    node.expect_inputs(1, 1);
    (void)node.integer("storage_order", 0);
    node.answer(max_pooling(detail::read_pooling_window(node)), {node.input(0)});
}

/// source   ONNX AveragePool-7 to AveragePool-19
inline void import_average_pool(node_import& node) {
    node.expect_inputs(1, 1);
    const bool counts = node.integer("count_include_pad", 0) != 0;
    node.answer(average_pooling(detail::read_pooling_window(node),
                                counts ? kernel::padding_counts::yes : kernel::padding_counts::no),
                {node.input(0)});
}

/// source   ONNX GlobalAveragePool-1
inline void import_global_average_pool(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(global_average_pooling(), {node.input(0)});
}

inline constexpr std::array pooling_operators{
    operator_entry{"MaxPool", first_opset, last_opset, &import_max_pool},
    operator_entry{"AveragePool", first_opset, last_opset, &import_average_pool},
    operator_entry{"GlobalAveragePool", first_opset, last_opset, &import_global_average_pool}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
