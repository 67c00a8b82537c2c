// fanfold/onnx/operators/selection.hpp - Range, OneHot, EyeLike, Trilu, NonZero, Compress, Unique, TopK,
// CumSum, ReverseSequence.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <vector>     // std::vector

#include "../../model/operators/generate.hpp"
#include "../../model/operators/selection.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline std::optional<std::int64_t> optional_axis(node_import& node) {
    if (!node.has_attribute("axis")) return std::nullopt;
    return node.integer("axis", 0);
}

}  // namespace detail

/// source   ONNX Range-11
inline void import_range(node_import& node) {
    node.expect_inputs(3, 3);
    node.answer(range(), node.inputs());
}
/// source   ONNX OneHot-9, OneHot-11
inline void import_one_hot(node_import& node) {
    node.expect_inputs(3, 3);
    node.answer(one_hot(node.integer("axis", -1)), node.inputs());
}
/// source   ONNX EyeLike-9 to EyeLike-22
inline void import_eye_like(node_import& node) {
    node.expect_inputs(1, 1);
    std::optional<element> type;
    if (node.has_attribute("dtype")) type = widened(element_of_data_type(node.integer("dtype", 1)));
    node.answer(eye_like(node.integer("k", 0), type), node.inputs());
}
/// source   ONNX Trilu-14
inline void import_trilu(node_import& node) {
    node.expect_inputs(1, 2);
    const bool upper = node.integer("upper", 1) != 0;
    node.answer(trilu(upper ? kernel::triangle::upper : kernel::triangle::lower), node.inputs());
}
/// source   ONNX NonZero-9, NonZero-13
inline void import_non_zero(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(non_zero(), node.inputs());
}
/// source   ONNX Compress-9, Compress-11
inline void import_compress(node_import& node) {
    node.expect_inputs(2, 2);
    node.answer(compress(detail::optional_axis(node)), node.inputs());
}
/// source   ONNX Unique-11
inline void import_unique(node_import& node) {
    node.expect_inputs(1, 1);
    const bool sorted = node.integer("sorted", 1) != 0;
    node.answer(unique(sorted ? kernel::unique_order::sorted : kernel::unique_order::seen, detail::optional_axis(node)),
                node.inputs());
}
/// The number of elements is an attribute, or an input since 10.
/// source   ONNX TopK-1 to TopK-11
inline void import_top_k(node_import& node) {
    const std::int64_t axis = node.integer("axis", -1);
    const bool largest = node.integer("largest", 1) != 0;
    node.ignore_attribute("sorted");  // they always are
    const kernel::extreme which = largest ? kernel::extreme::largest : kernel::extreme::smallest;
    std::optional<std::int64_t> count;
    if (node.opset() < 10) count = node.integer("k", -1);
    node.expect_inputs(count ? 1 : 2, count ? 1 : 2);
    node.answer(top_k(which, axis, count), node.inputs());
}
/// source   ONNX CumSum-11, CumSum-14
inline void import_cumulative_sum(node_import& node) {
    node.expect_inputs(2, 2);
    const bool exclusive = node.integer("exclusive", 0) != 0;
    const bool reverse = node.integer("reverse", 0) != 0;
    node.answer(cumulative_sum(exclusive ? kernel::own_element::is_left_out : kernel::own_element::counts,
                               reverse ? kernel::sum_from::end : kernel::sum_from::start),
                node.inputs());
}
/// source   ONNX ReverseSequence-10
inline void import_reverse_sequence(node_import& node) {
    node.expect_inputs(2, 2);
    const std::int64_t batch = node.integer("batch_axis", 1);
    node.answer(reverse_sequence(batch, node.integer("time_axis", 0)), node.inputs());
}

inline constexpr std::array selection_operators{
    operator_entry{"Compress", 9, last_opset, &import_compress},
    operator_entry{"CumSum", 11, last_opset, &import_cumulative_sum},
    operator_entry{"EyeLike", 9, last_opset, &import_eye_like},
    operator_entry{"NonZero", 9, last_opset, &import_non_zero},
    operator_entry{"OneHot", 9, last_opset, &import_one_hot},
    operator_entry{"Range", 11, last_opset, &import_range},
    operator_entry{"ReverseSequence", 10, last_opset, &import_reverse_sequence},
    operator_entry{"TopK", 1, last_opset, &import_top_k},
    operator_entry{"Trilu", 14, last_opset, &import_trilu},
    operator_entry{"Unique", 11, last_opset, &import_unique}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
