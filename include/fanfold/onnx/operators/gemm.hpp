// fanfold/onnx/operators/gemm.hpp - Gemm and MatMul: packed once where the second operand is known at load.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::is_arithmetic_v
#include <utility>      // std::swap

#include "../../model/operators/batched_matmul.hpp"
#include "../../model/operators/dense.hpp"
#include "../../model/operators/elementwise.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline value_type expect_matrix(node_import& node, std::size_t index) {
    value_type type = node.type(index);
    if (!fanfold::detail::multiplies(type.type) || (type.shape.ranked() && type.shape.rank() != 2))
        throw std::invalid_argument("expected a matrix of float32, float64 or integers of 32 or 64 bits as input " +
                                    std::to_string(index) + ", got " + type.text());
    if (!type.shape.ranked()) type.shape = symbolic_shape::of_rank(2);
    return type;
}

/// `scale` times a matrix with its axes as they are or swapped.
[[nodiscard]] inline tensor scaled(const view<const float>& from, float scale) {
    tensor out = tensor::uninitialized(element::float32, from.shape());
    const view<float> to = out.as<float>();
    for (std::int64_t i = 0; i < from.extent(0); ++i)
        for (std::int64_t j = 0; j < from.extent(1); ++j) to(i, j) = scale * from(i, j);
    return out;
}

/// beta * C where it is the same for every row: [columns].
[[nodiscard]] inline std::optional<tensor> row_bias(const tensor_view& c, std::int64_t columns, float beta) {
    if (c.type() != element::float32 || !c.dense()) return std::nullopt;
    for (std::size_t axis = 0; axis + 1 < c.rank(); ++axis)
        if (c.extent(axis) != 1) return std::nullopt;
    const std::int64_t length = c.rank() == 0 ? 1 : c.extent(c.rank() - 1);
    if (c.rank() > 2 || (length != 1 && length != columns)) return std::nullopt;
    tensor out = tensor::uninitialized(element::float32, {columns});
    const view<float> to = out.as<float>();
    const auto* from = c.as<float>().data();
    for (std::int64_t n = 0; n < columns; ++n) to(n) = beta * from[length == 1 ? 0 : n];
    return out;
}

/// One element of this type.
[[nodiscard]] inline tensor one_element(element type, float value) {
    tensor out(type, {});
    visit_element(type, [&]<class T>(T) {
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
            if (static_cast<float>(static_cast<T>(value)) != value)
                throw std::invalid_argument("expected a factor that " + std::string(name_of(type)) + " holds, got " +
                                            std::to_string(value));
            out.as<T>().flat()[0] = static_cast<T>(value);
        }
    });
    return out;
}

[[nodiscard]] inline value_id times(node_import& node, value_id value, element type, float factor) {
    if (factor == 1.0F) return value;
    return node.add(arithmetic(kernel::binary::mul), {value, node.constant_value(one_element(type, factor))});
}

}  // namespace detail

/// Y = alpha A' B' + beta C. With B known and A as it is: one packed product, with the bias in it when C is one row.
/// source   ONNX Gemm-1 to Gemm-13
inline void import_gemm(node_import& node) {
    node.expect_inputs(2, 3);
    const float alpha = node.real("alpha", 1);
    const float beta = node.real("beta", 1);
    const bool swap_a = node.integer("transA", 0) != 0;
    const bool swap_b = node.integer("transB", 0) != 0;
    const value_type a = detail::expect_matrix(node, 0);
    const value_type b = detail::expect_matrix(node, 1);
    node.ignore_attribute("broadcast");  // before opset 7; C broadcasts where it has to
    if (a.type != b.type)
        throw std::invalid_argument("expected two matrices of one type, got " + a.text() + " and " + b.text());
    const extent columns = b.shape[swap_b ? 0 : 1];
    const bool has_c = node.has_input(2);
    if (has_c) {  // C must not make the answer larger
        const extent rows = a.shape[swap_a ? 1 : 0];
        const value_type c = node.type(2);
        if (c.type != a.type || !may_equal(broadcast(c.shape, {rows, columns}), symbolic_shape{rows, columns}))
            throw std::invalid_argument("expected C that broadcasts to " + std::string(name_of(a.type)) + " " +
                                        symbolic_shape{rows, columns}.text() + ", got " + c.text());
    }
    const std::optional<tensor_view> known_b = node.constant(1);
    bool c_added = !has_c;
    value_id product;
    if (known_b && !swap_a && a.type == element::float32) {
        const view<const float> stored = known_b->as<float>();
        strides steps = stored.steps();
        if (swap_b) std::swap(steps[0], steps[1]);
        const shape extents = swap_b ? shape{stored.extent(1), stored.extent(0)} : stored.shape();
        const view<const float> weights(stored.data(), extents, steps);
        std::optional<tensor> bias;
        if (has_c)
            if (const auto known_c = node.constant(2)) bias = detail::row_bias(*known_c, columns.fixed, beta);
        c_added = c_added || bias.has_value();
        const view<const float> bias_view = bias ? view<const float>(bias->as<float>()) : view<const float>{};
        if (alpha == 1.0F) {
            product = node.add(dense(weights, bias_view, "Gemm"), {node.input(0)});
        } else {
            const tensor larger = detail::scaled(weights, alpha);
            product = node.add(dense(larger.as<float>(), bias_view, "Gemm"), {node.input(0)});
        }
    } else {
        const auto form = [](bool swap) { return swap ? transposed::yes : transposed::no; };
        product = node.add(batched_matmul(form(swap_a), form(swap_b), "Gemm"), {node.input(0), node.input(1)});
        product = detail::times(node, product, a.type, alpha);
    }
    if (!c_added)
        product =
            node.add(arithmetic(kernel::binary::add), {product, detail::times(node, node.input(2), a.type, beta)});
    node.answer(product);
}

/// source   ONNX MatMul-1, MatMul-13
inline void import_matmul(node_import& node) {
    node.expect_inputs(2, 2);
    const value_type a = node.type(0);
    const value_type b = node.type(1);
    if (a.type == element::float32 && b.type == a.type && b.shape.ranked() && b.shape.rank() == 2)
        if (const auto known_b = node.constant(1))
            return node.answer(dense(known_b->as<float>(), {}, "MatMul"), {node.input(0)});
    node.answer(batched_matmul(), {node.input(0), node.input(1)});
}

inline constexpr std::array gemm_operators{operator_entry{"Gemm", first_opset, last_opset, &import_gemm},
                                           operator_entry{"MatMul", first_opset, last_opset, &import_matmul}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
