// fanfold/onnx/operators/pooling.hpp - MaxPool, AveragePool, LpPool, their global forms, MaxUnpool.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>    // std::array
#include <cstdint>  // std::int64_t

#include "../../model/operators/pooling.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// auto_pad fixes the number of windows, so ceil_mode says nothing beside it.
[[nodiscard]] inline sliding_rule read_pooling_window(node_import& node) {
    sliding_rule rule = read_window(node, window_size::stated);
    if (node.integer("ceil_mode", 0) != 0 && rule.padding == window_padding::stated)
        rule.window.rounding = kernel::window2d::rounding::ceil;
    return rule;
}

}  // namespace detail

/// source   ONNX MaxPool-1 to MaxPool-22
inline void import_max_pool(node_import& node) {
    node.expect_inputs(1, 1);
    const bool columns = node.integer("storage_order", 0) != 0;
    node.answer(
        max_pooling(detail::read_pooling_window(node), node.has_output(1) ? max_places::kept : max_places::dropped,
                    columns ? kernel::storage_order::column_major : kernel::storage_order::row_major),
        {node.input(0)});
}

/// source   ONNX AveragePool-1 to AveragePool-22
inline void import_average_pool(node_import& node) {
    node.expect_inputs(1, 1);
    const bool counts = node.integer("count_include_pad", 0) != 0;
    node.answer(average_pooling(detail::read_pooling_window(node),
                                counts ? kernel::padding_counts::yes : kernel::padding_counts::no),
                {node.input(0)});
}

/// source   ONNX LpPool-2 to LpPool-22
inline void import_lp_pool(node_import& node) {
    node.expect_inputs(1, 1);
    const std::int64_t p = node.integer("p", 2);
    node.answer(lp_pooling(detail::read_pooling_window(node), p), {node.input(0)});
}

/// source   ONNX GlobalAveragePool-1, GlobalMaxPool-1, GlobalLpPool-2
template <global_pool Kind>
void import_global_pool(node_import& node) {
    node.expect_inputs(1, 1);
    const std::int64_t p = Kind == global_pool::norm ? node.integer("p", 2) : 2;
    node.answer(global_pooling(Kind, p), {node.input(0)});
}

/// source   ONNX MaxUnpool-9, MaxUnpool-11, MaxUnpool-22
inline void import_max_unpool(node_import& node) {
    node.expect_inputs(2, 3);
    node.answer(max_unpooling(read_window(node, window_size::stated)), node.inputs());
}

inline constexpr std::array pooling_operators{
    operator_entry{"MaxPool", first_opset, last_opset, &import_max_pool},
    operator_entry{"AveragePool", first_opset, last_opset, &import_average_pool},
    operator_entry{"LpPool", 2, last_opset, &import_lp_pool},
    operator_entry{"GlobalAveragePool", first_opset, last_opset, &import_global_pool<global_pool::average>},
    operator_entry{"GlobalMaxPool", first_opset, last_opset, &import_global_pool<global_pool::maximum>},
    operator_entry{"GlobalLpPool", 2, last_opset, &import_global_pool<global_pool::norm>},
    operator_entry{"MaxUnpool", 9, last_opset, &import_max_unpool}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
