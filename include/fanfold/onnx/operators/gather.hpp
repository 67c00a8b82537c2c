// fanfold/onnx/operators/gather.hpp - Gather, GatherElements, GatherND, ScatterElements, ScatterND, Pad.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../../model/operators/elementwise.hpp"
#include "../../model/operators/gather.hpp"
#include "../../model/operators/pad.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX Gather-1 to Gather-13
inline void import_gather(node_import& node) {
    node.expect_inputs(2, 2);
    node.moves_strings();
    node.answer(gather(node.integer("axis", 0)), node.inputs());
}
/// source   ONNX GatherElements-11, GatherElements-13
inline void import_gather_elements(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(gather_elements(node.integer("axis", 0)), node.inputs());
}
/// source   ONNX GatherND-11 to GatherND-13
inline void import_gather_nd(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(gather_nd(node.integer("batch_dims", 0)), node.inputs());
}

namespace detail {

[[nodiscard]] inline kernel::scatter_mode read_scatter_mode(node_import& node) {
    const std::string_view mode = node.text("reduction", "none");
    if (mode == "none") return kernel::scatter_mode::replace;
    if (mode == "add") return kernel::scatter_mode::add;
    if (mode == "mul") return kernel::scatter_mode::mul;
    if (mode == "max") return kernel::scatter_mode::max;
    if (mode == "min") return kernel::scatter_mode::min;
    throw std::invalid_argument("attribute 'reduction': expected none, add, mul, max or min, got " + in_quotes(mode));
}

}  // namespace detail

/// source   ONNX Scatter-9, ScatterElements-11 to ScatterElements-18
inline void import_scatter_elements(node_import& node) {
    node.expect_inputs(3, 3);
    const std::int64_t axis = node.integer("axis", 0);
    node.answer(scatter_elements(axis, detail::read_scatter_mode(node)), node.inputs());
}
/// source   ONNX ScatterND-11 to ScatterND-18
inline void import_scatter_nd(node_import& node) {
    node.expect_inputs(3, 3);
    node.answer(scatter_nd(detail::read_scatter_mode(node)), node.inputs());
}

/// Counts and value are attributes, or inputs since 11; axes may be listed since 18.
/// source   ONNX Pad-1 to Pad-21
inline void import_pad(node_import& node) {
    const std::string_view mode = node.text("mode", "constant");
    kernel::pad_mode how{};
    if (mode == "constant")
        how = kernel::pad_mode::constant;
    else if (mode == "reflect")
        how = kernel::pad_mode::reflect;
    else if (mode == "edge")
        how = kernel::pad_mode::edge;
    else if (mode == "wrap")
        how = kernel::pad_mode::wrap;
    else
        throw std::invalid_argument("attribute 'mode': expected constant, reflect, edge or wrap, got " +
                                    in_quotes(mode));
    if (node.opset() >= 11) {
        node.expect_inputs(2, 4);
        return node.answer(pad(how), node.inputs());
    }
    node.expect_inputs(1, 1);
    const std::vector<std::int64_t>* counts = node.integers(node.opset() < 2 ? "paddings" : "pads");
    if (counts == nullptr) throw std::invalid_argument("expected attribute 'pads', got none");
    const value_id value = node.add(
        cast(node.type(0).type), {node.constant_value(tensor::of<float>({}, {node.real("value", 0)}))});
    node.answer(pad(how, *counts), {node.input(0), node.none(), value});
}

inline constexpr std::array gather_operators{
    operator_entry{"Gather", 1, last_opset, &import_gather},
    operator_entry{"GatherElements", 11, last_opset, &import_gather_elements},
    operator_entry{"GatherND", 11, last_opset, &import_gather_nd},
    operator_entry{"Pad", 1, last_opset, &import_pad},
    operator_entry{"Scatter", 9, last_opset, &import_scatter_elements},
    operator_entry{"ScatterElements", 11, last_opset, &import_scatter_elements},
    operator_entry{"ScatterND", 11, last_opset, &import_scatter_nd}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
