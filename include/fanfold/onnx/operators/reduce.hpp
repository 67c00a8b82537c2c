// fanfold/onnx/operators/reduce.hpp - ReduceSum and its like, ArgMax, ArgMin.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/reduce.hpp"
#include "shapes.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline reduced_axis read_keepdims(node_import& node) {
    return node.integer("keepdims", 1) != 0 ? reduced_axis::kept : reduced_axis::removed;
}

}  // namespace detail

/// Axes are an attribute, or an input since 13 (ReduceSum) or 18 (the others).
/// source   ONNX ReduceSum-1 to ReduceSum-13, ReduceMean-1 to ReduceMean-18 and their like
template <kernel::reduction Kind>
void import_reduce(node_import& node) {
    node.expect_inputs(1, 2);
    const bool none = node.integer("noop_with_empty_axes", 0) != 0;
    const reduced_axis left = detail::read_keepdims(node);
    node.answer(reduce(Kind, detail::axes_attribute(node), left,
                       none ? reduce::without_axes::none : reduce::without_axes::all),
                node.inputs());
}

/// source   ONNX ArgMax-13, ArgMin-13
template <kernel::extreme Which>
void import_arg_extreme(node_import& node) {
    node.expect_inputs(1, 1);
    const std::int64_t axis = node.integer("axis", 0);
    const reduced_axis left = detail::read_keepdims(node);
    const bool last = node.integer("select_last_index", 0) != 0;
    node.answer(arg_extreme(Which, axis, left, last ? kernel::tie::last : kernel::tie::first), node.inputs());
}

inline constexpr std::array reduce_operators{
    operator_entry{"ArgMax", 1, last_opset, &import_arg_extreme<kernel::extreme::largest>},
    operator_entry{"ArgMin", 1, last_opset, &import_arg_extreme<kernel::extreme::smallest>},
    operator_entry{"ReduceL1", 1, last_opset, &import_reduce<kernel::reduction::l1>},
    operator_entry{"ReduceL2", 1, last_opset, &import_reduce<kernel::reduction::l2>},
    operator_entry{"ReduceLogSum", 1, last_opset, &import_reduce<kernel::reduction::log_sum>},
    operator_entry{"ReduceLogSumExp", 1, last_opset, &import_reduce<kernel::reduction::log_sum_exp>},
    operator_entry{"ReduceMax", 1, last_opset, &import_reduce<kernel::reduction::max>},
    operator_entry{"ReduceMean", 1, last_opset, &import_reduce<kernel::reduction::mean>},
    operator_entry{"ReduceMin", 1, last_opset, &import_reduce<kernel::reduction::min>},
    operator_entry{"ReduceProd", 1, last_opset, &import_reduce<kernel::reduction::prod>},
    operator_entry{"ReduceSum", 1, last_opset, &import_reduce<kernel::reduction::sum>},
    operator_entry{"ReduceSumSquare", 1, last_opset, &import_reduce<kernel::reduction::sum_square>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
