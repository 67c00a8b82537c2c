// fanfold/onnx/operators/arithmetic.hpp - operators of two elements or more: Add to Xor, Min, Max, Sum, Mean, Where.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../../model/operators/axes.hpp"
#include "../../model/operators/elementwise.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// Before opset 7 the second operand is aligned at `axis` of the first, the last ones by default.
inline std::vector<value_id> aligned_operands(node_import& node) {
    node.expect_inputs(2, 2);
    std::vector<value_id> operands = node.inputs();
    if (node.opset() >= 7) return operands;
    node.ignore_attribute("broadcast");
    node.ignore_attribute("consumed_inputs");
    if (!node.has_attribute("axis")) return operands;
    const symbolic_shape& a = node.type(0).shape;
    const symbolic_shape& b = node.type(1).shape;
    const std::size_t axis = fanfold::detail::expect_axis(node.integer("axis", 0), a.rank());
    std::vector<std::int64_t> behind;
    for (std::size_t at = axis + b.rank(); at < a.rank(); ++at)
        behind.push_back(static_cast<std::int64_t>(b.rank() + behind.size()));
    if (!behind.empty()) operands[1] = node.add(unsqueeze(behind), {operands[1]});
    return operands;
}

/// All inputs taken together, from the first on.
inline value_id fold_inputs(node_import& node, kernel::binary kind) {
    if (node.input_count() == 0) throw std::invalid_argument("expected an input, got none");
    node.ignore_attribute("consumed_inputs");
    value_id total = node.input(0);
    for (std::size_t i = 1; i < node.input_count(); ++i)
        total = node.add(arithmetic(kind), {total, node.input(i)});
    return node.input_count() == 1 ? node.add(identity(), {total}) : total;
}

}  // namespace detail

/// source   ONNX Add-7, Sub-7, Less-9, And-7 and their like; later versions differ in element types only
template <kernel::binary Kind>
void import_arithmetic(node_import& node) {
    node.answer(arithmetic(Kind), detail::aligned_operands(node));
}

/// source   ONNX Min-13, Max-13, Sum-13
template <kernel::binary Kind>
void import_variadic(node_import& node) {
    node.answer(detail::fold_inputs(node, Kind));
}

/// source   ONNX Mean-13
inline void import_mean(node_import& node) {
    const value_id total = detail::fold_inputs(node, kernel::binary::add);
    const auto count = static_cast<float>(node.input_count());
    const value_id divisor = node.add(cast(node.type(0).type), {node.constant_value(tensor::of<float>({}, {count}))});
    node.answer(arithmetic(kernel::binary::div), {total, divisor});
}

/// source   ONNX Mod-13
inline void import_mod(node_import& node) {
    const bool like_c = node.integer("fmod", 0) != 0;
    node.answer(arithmetic(like_c ? kernel::binary::fmod : kernel::binary::mod), detail::aligned_operands(node));
}

/// source   ONNX BitShift-11
inline void import_bit_shift(node_import& node) {
    const std::string_view way = node.text("direction", "");
    if (way != "LEFT" && way != "RIGHT")
        throw std::invalid_argument("attribute 'direction': expected LEFT or RIGHT, got " + in_quotes(way));
    node.answer(arithmetic(way == "LEFT" ? kernel::binary::shift_left : kernel::binary::shift_right),
                detail::aligned_operands(node));
}

/// The slope broadcasts to the data, and stands for channels before opset 7.
/// source   ONNX PRelu-1 to PRelu-16
inline void import_prelu(node_import& node) {
    node.expect_inputs(2, 2);
    node.ignore_attribute("consumed_inputs");
    std::vector<value_id> operands = node.inputs();
    const symbolic_shape& x = node.type(0).shape;
    if (node.opset() < 7 && node.type(1).shape.rank() == 1 && x.rank() > 2) {
        std::vector<std::int64_t> behind;
        for (std::size_t axis = 1; axis + 1 < x.rank(); ++axis) behind.push_back(static_cast<std::int64_t>(axis));
        operands[1] = node.add(unsqueeze(behind), {operands[1]});
    }
    node.answer(arithmetic(kernel::binary::prelu), operands);
}

/// source   ONNX Where-9, Where-16
inline void import_where(node_import& node) {
    node.expect_inputs(3, 3);
    node.answer(where(), node.inputs());
}

inline constexpr std::array arithmetic_operators{
    operator_entry{"Add", 1, last_opset, &import_arithmetic<kernel::binary::add>},
    operator_entry{"And", 1, last_opset, &import_arithmetic<kernel::binary::logical_and>},
    operator_entry{"BitShift", 11, last_opset, &import_bit_shift},
    operator_entry{"BitwiseAnd", 18, last_opset, &import_arithmetic<kernel::binary::bit_and>},
    operator_entry{"BitwiseOr", 18, last_opset, &import_arithmetic<kernel::binary::bit_or>},
    operator_entry{"BitwiseXor", 18, last_opset, &import_arithmetic<kernel::binary::bit_xor>},
    operator_entry{"Div", 1, last_opset, &import_arithmetic<kernel::binary::div>},
    operator_entry{"Equal", 1, last_opset, &import_arithmetic<kernel::binary::equal>},
    operator_entry{"Greater", 1, last_opset, &import_arithmetic<kernel::binary::greater>},
    operator_entry{"GreaterOrEqual", 12, last_opset, &import_arithmetic<kernel::binary::greater_or_equal>},
    operator_entry{"Less", 1, last_opset, &import_arithmetic<kernel::binary::less>},
    operator_entry{"LessOrEqual", 12, last_opset, &import_arithmetic<kernel::binary::less_or_equal>},
    operator_entry{"Max", 1, last_opset, &import_variadic<kernel::binary::max>},
    operator_entry{"Mean", 1, last_opset, &import_mean},
    operator_entry{"Min", 1, last_opset, &import_variadic<kernel::binary::min>},
    operator_entry{"Mod", 10, last_opset, &import_mod},
    operator_entry{"Mul", 1, last_opset, &import_arithmetic<kernel::binary::mul>},
    operator_entry{"Or", 1, last_opset, &import_arithmetic<kernel::binary::logical_or>},
    operator_entry{"PRelu", 1, last_opset, &import_prelu},
    operator_entry{"Pow", 1, last_opset, &import_arithmetic<kernel::binary::pow>},
    operator_entry{"Sub", 1, last_opset, &import_arithmetic<kernel::binary::sub>},
    operator_entry{"Sum", 1, last_opset, &import_variadic<kernel::binary::add>},
    operator_entry{"Where", 9, last_opset, &import_where},
    operator_entry{"Xor", 1, last_opset, &import_arithmetic<kernel::binary::logical_xor>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
