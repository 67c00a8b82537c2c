// fanfold/onnx/operators/unary.hpp - operators of one element: Abs to Tanh, activations, Cast, IsNaN, Not, ...
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <limits>     // std::numeric_limits
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../../model/operators/elementwise.hpp"
#include "../../model/operators/float8.hpp"
#include "../../model/operators/generate.hpp"
#include "../../model/operators/reshape.hpp"
#include "../element.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX operators of the default domain without attributes
template <kernel::unary Function>
void import_unary(node_import& node) {
    node.expect_inputs(1, 1);
    node.ignore_attribute("consumed_inputs");  // of the versions before 6
    node.answer(unary_function(Function), node.inputs());
}

namespace detail {

/// Adds a function whose parameters are attributes.
inline void import_function(node_import& node, kernel::unary function, double alpha, double beta = 0) {
    node.expect_inputs(1, 1);
    node.ignore_attribute("consumed_inputs");
    node.answer(unary_function(function, alpha, beta), node.inputs());
}

/// A number in decimal notation as the float that the standard means by it.
[[nodiscard]] inline double real(node_import& node, std::string_view name, float otherwise) {
    return static_cast<double>(node.real(name, otherwise));
}

}  // namespace detail

/// source   ONNX Elu-6, Celu-12, ThresholdedRelu-10, LeakyRelu-16
inline void import_elu(node_import& node) {
    detail::import_function(node, kernel::unary::elu, detail::real(node, "alpha", 1));
}
inline void import_celu(node_import& node) {
    detail::import_function(node, kernel::unary::celu, detail::real(node, "alpha", 1));
}
inline void import_thresholded_relu(node_import& node) {
    detail::import_function(node, kernel::unary::thresholded_relu, detail::real(node, "alpha", 1));
}
inline void import_leaky_relu(node_import& node) {
    detail::import_function(node, kernel::unary::leaky_relu, detail::real(node, "alpha", 0.01F));
}
/// source   ONNX Selu-6, HardSigmoid-6, Shrink-9
inline void import_selu(node_import& node) {
    const double alpha = detail::real(node, "alpha", 1.67326319217681884765625F);
    detail::import_function(node, kernel::unary::selu, alpha, detail::real(node, "gamma", 1.05070102214813232421875F));
}
inline void import_hard_sigmoid(node_import& node) {
    const double alpha = detail::real(node, "alpha", 0.2F);
    detail::import_function(node, kernel::unary::hard_sigmoid, alpha, detail::real(node, "beta", 0.5F));
}
inline void import_shrink(node_import& node) {
    const double bias = detail::real(node, "bias", 0);
    detail::import_function(node, kernel::unary::shrink, bias, detail::real(node, "lambd", 0.5F));
}
/// source   ONNX IsInf-20
inline void import_is_inf(node_import& node) {
    const double negative = node.integer("detect_negative", 1) != 0 ? 1 : 0;
    const double positive = node.integer("detect_positive", 1) != 0 ? 1 : 0;
    detail::import_function(node, kernel::unary::is_inf, negative, positive);
}
/// source   ONNX Gelu-20
inline void import_gelu(node_import& node) {
    const std::string_view form = node.text("approximate", "none");
    if (form != "none" && form != "tanh")
        throw std::invalid_argument("attribute 'approximate': expected none or tanh, got " + in_quotes(form));
    detail::import_function(node, form == "tanh" ? kernel::unary::gelu_tanh : kernel::unary::gelu, 0);
}

/// Bounds are attributes (6), or inputs that may be computed (11).
/// source   ONNX Clip-6, Clip-11, Clip-13
inline void import_clip(node_import& node) {
    node.expect_inputs(1, 3);
    const element type = node.type(0).type;
    constexpr float most = std::numeric_limits<float>::max();
    if (node.opset() < 11) {
        const double low = detail::real(node, "min", -most);
        return detail::import_function(node, kernel::unary::clip, low, detail::real(node, "max", most));
    }
    const auto bound = [&](std::size_t index, double otherwise) -> std::optional<double> {
        if (!node.has_input(index)) return otherwise;
        const auto known = node.constant(index);
        if (!known || known->size() != 1) return std::nullopt;
        return fanfold::detail::number_in<double>(*known);
    };
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto low = bound(1, -infinity);
    const auto high = bound(2, infinity);
    if (is_floating(type) && low && high)
        return node.answer(unary_function(kernel::unary::clip, *low, *high), {node.input(0)});
    value_id value = node.input(0);
    if (node.has_input(1)) value = node.add(arithmetic(kernel::binary::max), {value, node.input(1)});
    if (node.has_input(2)) value = node.add(arithmetic(kernel::binary::min), {value, node.input(2)});
    if (!node.has_input(1) && !node.has_input(2)) value = node.add(identity(), {value});
    node.answer(value);
}

namespace detail {

/// Floating point of 16 and 8 bits is rounded to, and then held in float32;
/// 4-bit integers are the nearest in their range.
inline void answer_cast(node_import& node, std::int64_t data_type, bool saturates) {
    if (constexpr std::int64_t string = 8; data_type == string) {
        if (node.strings(0) == nullptr)
            throw std::invalid_argument("expected a cast of strings to strings, got one of " + node.type(0).text() +
                                        ": texts of numbers are not known at load");
        node.moves_strings();
        return node.answer(node.add(identity(), {node.input(0)}));
    }
    const element to = element_of_data_type(data_type);
    value_id made = node.input(0);
    if (is_four_bits(data_type)) {
        const bool has_sign = to == element::int8;
        if (node.type(0).type == element::boolean) made = node.add(cast(to), {made});
        made = node.add(unary_function(kernel::unary::clip, has_sign ? -8 : 0, has_sign ? 7 : 15), {made});
    }
    made = node.add(cast(to), {made});
    if (is_narrow(to)) made = node.add(cast(element::float32), {made});
    if (is_float8(data_type)) {
        const auto range = saturates ? kernel::float8_range::saturates : kernel::float8_range::overflows;
        made = node.add(round_to_float8(float8_of(data_type), range), {made});
    }
    node.answer(made, data_type);
}

}  // namespace detail

/// source   ONNX Cast-6 to Cast-21
inline void import_cast(node_import& node) {
    node.expect_inputs(1, 1);
    const bool saturates = node.integer("saturate", 1) != 0;
    if (node.opset() < 6) {
        static constexpr std::string_view names[] = {"FLOAT",  "UINT8", "INT8",    "UINT16", "INT16",  "INT32", "INT64",
                                                     "STRING", "BOOL",  "FLOAT16", "DOUBLE", "UINT32", "UINT64"};
        const std::string_view to = node.text("to", "");
        std::int64_t type = 0;
        for (std::size_t i = 0; i < std::size(names); ++i)
            if (names[i] == to) type = static_cast<std::int64_t>(i) + 1;
        return detail::answer_cast(node, type, true);
    }
    detail::answer_cast(node, node.integer("to", 0), saturates);
}

/// source   ONNX CastLike-15
inline void import_cast_like(node_import& node) {
    node.expect_inputs(2, 2);
    const bool saturates = node.integer("saturate", 1) != 0;
    if (const std::int64_t data_type = node.data_type(1); data_type != 0)
        return detail::answer_cast(node, data_type, saturates);
    node.answer(cast(node.type(1).type), {node.input(0)});
}

/// Inference: the value as it is, and a mask of nothing dropped.
/// source   ONNX Dropout-1 to Dropout-22
inline void import_dropout(node_import& node) {
    node.expect_inputs(1, 3);
    node.ignore_attribute("ratio");
    node.ignore_attribute("seed");
    node.ignore_attribute("is_test");
    node.ignore_attribute("consumed_inputs");
    if (node.has_input(2)) {
        const auto training = node.constant(2);
        const auto ratio = node.has_input(1) ? node.constant(1) : std::optional<tensor_view>();
        const bool keeps = ratio && fanfold::detail::number_in<double>(*ratio) == 0;
        if (!keeps && (!training || fanfold::detail::number_in<bool>(*training)))
            throw std::invalid_argument("expected inference (training_mode false at load), got training");
    }
    const value_id x = node.input(0);
    if (!node.has_output(1)) return node.answer(identity(), {x});
    const element mask = node.opset() < 10 ? node.type(0).type : element::boolean;
    const value_id all = node.add(arithmetic(kernel::binary::equal), {x, x});
    const value_id not_all = node.add(unary_function(kernel::unary::logical_not), {all});
    value_id kept = node.add(arithmetic(kernel::binary::logical_or), {all, not_all});  // true, for NaN too
    if (mask != element::boolean) kept = node.add(cast(mask), {kept});
    node.answer({node.add(identity(), {x}), kept});
}

inline constexpr std::array unary_operators{
    operator_entry{"Abs", 1, last_opset, &import_unary<kernel::unary::abs>},
    operator_entry{"Acos", 7, last_opset, &import_unary<kernel::unary::acos>},
    operator_entry{"Acosh", 9, last_opset, &import_unary<kernel::unary::acosh>},
    operator_entry{"Asin", 7, last_opset, &import_unary<kernel::unary::asin>},
    operator_entry{"Asinh", 9, last_opset, &import_unary<kernel::unary::asinh>},
    operator_entry{"Atan", 7, last_opset, &import_unary<kernel::unary::atan>},
    operator_entry{"Atanh", 9, last_opset, &import_unary<kernel::unary::atanh>},
    operator_entry{"BitwiseNot", 18, last_opset, &import_unary<kernel::unary::bit_not>},
    operator_entry{"Cast", 1, last_opset, &import_cast},
    operator_entry{"CastLike", 15, last_opset, &import_cast_like},
    operator_entry{"Ceil", 1, last_opset, &import_unary<kernel::unary::ceil>},
    operator_entry{"Celu", 12, last_opset, &import_celu},
    operator_entry{"Clip", 1, last_opset, &import_clip},
    operator_entry{"Cos", 7, last_opset, &import_unary<kernel::unary::cos>},
    operator_entry{"Cosh", 9, last_opset, &import_unary<kernel::unary::cosh>},
    operator_entry{"Dropout", 1, last_opset, &import_dropout},
    operator_entry{"Elu", 1, last_opset, &import_elu},
    operator_entry{"Erf", 9, last_opset, &import_unary<kernel::unary::erf>},
    operator_entry{"Exp", 1, last_opset, &import_unary<kernel::unary::exp>},
    operator_entry{"Floor", 1, last_opset, &import_unary<kernel::unary::floor>},
    operator_entry{"Gelu", 20, last_opset, &import_gelu},
    operator_entry{"HardSigmoid", 1, last_opset, &import_hard_sigmoid},
    operator_entry{"HardSwish", 14, last_opset, &import_unary<kernel::unary::hard_swish>},
    operator_entry{"IsInf", 10, last_opset, &import_is_inf},
    operator_entry{"IsNaN", 9, last_opset, &import_unary<kernel::unary::is_nan>},
    operator_entry{"LeakyRelu", 1, last_opset, &import_leaky_relu},
    operator_entry{"Log", 1, last_opset, &import_unary<kernel::unary::log>},
    operator_entry{"Mish", 18, last_opset, &import_unary<kernel::unary::mish>},
    operator_entry{"Neg", 1, last_opset, &import_unary<kernel::unary::neg>},
    operator_entry{"Not", 1, last_opset, &import_unary<kernel::unary::logical_not>},
    operator_entry{"Reciprocal", 1, last_opset, &import_unary<kernel::unary::reciprocal>},
    operator_entry{"Relu", 1, last_opset, &import_unary<kernel::unary::relu>},
    operator_entry{"Round", 11, last_opset, &import_unary<kernel::unary::round>},
    operator_entry{"Selu", 1, last_opset, &import_selu},
    operator_entry{"Shrink", 9, last_opset, &import_shrink},
    operator_entry{"Sigmoid", 1, last_opset, &import_unary<kernel::unary::sigmoid>},
    operator_entry{"Sign", 9, last_opset, &import_unary<kernel::unary::sign>},
    operator_entry{"Sin", 7, last_opset, &import_unary<kernel::unary::sin>},
    operator_entry{"Sinh", 9, last_opset, &import_unary<kernel::unary::sinh>},
    operator_entry{"Softplus", 1, last_opset, &import_unary<kernel::unary::softplus>},
    operator_entry{"Softsign", 1, last_opset, &import_unary<kernel::unary::softsign>},
    operator_entry{"Sqrt", 1, last_opset, &import_unary<kernel::unary::sqrt>},
    operator_entry{"Tan", 7, last_opset, &import_unary<kernel::unary::tan>},
    operator_entry{"Tanh", 1, last_opset, &import_unary<kernel::unary::tanh>},
    operator_entry{"ThresholdedRelu", 10, last_opset, &import_thresholded_relu}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
