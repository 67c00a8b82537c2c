// fanfold/model/operators/quantization.hpp - values as integers with a scale and a zero point, and products of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/quantize.hpp"
#include "../../kernel/unary.hpp"
#include "../operation.hpp"
#include "convolution_nd.hpp"
#include "matrix_stack.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::array byte_elements{element::int8, element::uint8};

[[nodiscard]] inline bool is_byte(element type) noexcept { return type == element::int8 || type == element::uint8; }
[[nodiscard]] inline bool is_quantized(element type) noexcept {
    return is_byte(type) || type == element::int16 || type == element::uint16;
}
/// Scales and zero points that belong to rows make the axis that they lie along matter.
[[nodiscard]] inline bool parameters_by_row(std::span<const argument> in) {
    for (const argument& one : in.subspan(1))
        if (one.shape.depends_on_rows()) return true;
    return false;
}
inline void expect_scale(std::span<const argument> in, std::size_t index) {
    if (in[index].type != element::float32) refuse("a scale of float32", in[index].text());
}
inline void expect_zero(std::span<const argument> in, std::size_t index, element type) {
    if (given(in, index) && in[index].type != type)
        refuse("a zero point of " + std::string(name_of(type)), in[index].text());
}
[[nodiscard]] inline tensor_view given_or_empty(std::span<const tensor_view> in, std::size_t index) {
    return given(in, index) ? in[index] : tensor_view();
}
/// One number, as a scale or zero point of a whole tensor has to be.
[[nodiscard]] inline float one_scale(const tensor_view& v) {
    if (v.size() != 1) refuse("one scale", describe(v));
    return v.as<float>().data()[0];
}
/// The axis of a scale for each element; with one scale for all it does not matter.
[[nodiscard]] inline std::size_t scale_axis(std::int64_t axis, const shape& x, std::size_t scales) {
    return scales == 1 ? 0 : expect_axis(axis, x.rank());
}
inline void check_scale_axis(std::span<const argument> in, std::int64_t axis) {
    const symbolic_shape &x = in[0].shape, &scale = in[1].shape;
    if (!x.ranked() || !scale.ranked() || scale.rank() == 0 || scale[0] == extent(1)) return;
    if (scale.rank() != 1 || !may_equal(scale[0], x[expect_axis(axis, x.rank())]))
        refuse("one scale, or one for each element of axis " + std::to_string(axis) + " of " + in[0].text(),
               in[1].text());
}

/// `block` elements of an axis share a scale; 0: all of them, or each has its own.
inline void check_blocks(std::int64_t block) {
    if (block < 0) refuse("blocks of 1 element or more, or 0 for none", std::to_string(block));
}
inline void check_block_scales(std::span<const argument> in, std::int64_t axis, std::int64_t block) {
    const symbolic_shape &x = in[0].shape, &scale = in[1].shape;
    if (!x.ranked()) return;
    symbolic_shape expected = x;
    extent& along = expected[expect_axis(axis, x.rank())];
    const std::int64_t length = along.fixed;
    along = along.constant() ? extent(length == 0 ? 0 : (length - 1) / block + 1) : extent::unknown();
    if (!may_equal(scale, expected))
        refuse("a scale for each block of " + std::to_string(block) + ", " + expected.text(), in[1].text());
}

}  // namespace detail

/// How many bits of a quantized element's type are used.
enum class quantized_bits { all, four };

/// round(x / scale) + zero point, within the range of the type: inputs x, scale, zero point (may be left out).
///
/// shapes   x float32, float64, float16, bfloat16 or int32 -> the zero point's type, else the one given here;
///          blocks take float32
/// source   ONNX QuantizeLinear-10 to QuantizeLinear-21
class quantize_linear {
public:
    explicit quantize_linear(std::int64_t axis = 1, element type = element::uint8, std::int64_t block = 0,
                             quantized_bits bits = quantized_bits::all)
        : axis_(axis), type_(type), block_(block), bits_(bits) {
        if (!detail::is_quantized(type))
            detail::refuse("int8, uint8, int16 or uint16 to quantize to", std::string(name_of(type)));
        detail::check_blocks(block);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "QuantizeLinear"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 3);
        if (!is_floating(in[0].type) && in[0].type != element::int32)
            detail::refuse("floating-point numbers or int32", in[0].text());
        detail::expect_scale(in, 1);
        if (block_ != 0 && in[0].type != element::float32)
            detail::refuse("float32 to quantize in blocks", in[0].text());
        if (block_ != 0)
            detail::check_block_scales(in, axis_, block_);
        else
            detail::check_scale_axis(in, axis_);
        if (!given(in, 2)) return {{type_, in[0].shape}};
        if (!detail::is_quantized(in[2].type))
            detail::refuse("a zero point of int8, uint8, int16 or uint16", in[2].text());
        return {{in[2].type, in[0].shape}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return detail::parameters_by_row(in) && detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const tensor_view zero = detail::given_or_empty(in, 2);
        const auto scale = in[1].as<float>().flat();
        if (block_ != 0)
            kernel::quantize_blocks(in[0].as<float>(), in[1].as<float>(), zero,
                                    detail::expect_axis(axis_, in[0].rank()), block_, out[0]);
        else
            kernel::quantize_linear(in[0], scale, zero, detail::scale_axis(axis_, in[0].shape(), scale.size()), out[0]);
        if (bits_ == quantized_bits::all) return;
        const bool has_sign = out[0].type() == element::int8;
        kernel::apply(kernel::unary::clip, has_sign ? -8 : 0, has_sign ? 7 : 15, out[0], out[0]);
    }

private:
    std::int64_t axis_;
    element type_;
    std::int64_t block_;
    quantized_bits bits_;
};
static_assert(graph_operation<quantize_linear>);

/// (x - zero point) * scale: inputs x, scale, zero point (may be left out).
///
/// shapes   x int8, uint8, int16, uint16 or int32 -> float32
/// source   ONNX DequantizeLinear-10 to DequantizeLinear-21
class dequantize_linear {
public:
    explicit dequantize_linear(std::int64_t axis = 1, std::int64_t block = 0) : axis_(axis), block_(block) {
        detail::check_blocks(block);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "DequantizeLinear"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 3);
        if (!detail::is_quantized(in[0].type) && in[0].type != element::int32)
            detail::refuse("int8, uint8, int16, uint16 or int32", in[0].text());
        detail::expect_scale(in, 1);
        detail::expect_zero(in, 2, in[0].type);
        if (block_ != 0 && in[0].type == element::int32)
            detail::refuse("integers of 8 or 16 bits in blocks", in[0].text());
        if (block_ != 0)
            detail::check_block_scales(in, axis_, block_);
        else
            detail::check_scale_axis(in, axis_);
        return {{element::float32, in[0].shape}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return detail::parameters_by_row(in) && detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const tensor_view zero = detail::given_or_empty(in, 2);
        if (block_ != 0)
            return kernel::dequantize_blocks(in[0], in[1].as<float>(), zero, detail::expect_axis(axis_, in[0].rank()),
                                             block_, out[0].as<float>());
        const auto scale = in[1].as<float>().flat();
        kernel::dequantize_linear(in[0], scale, zero, detail::scale_axis(axis_, in[0].shape(), scale.size()),
                                  out[0].as<float>());
    }

private:
    std::int64_t axis_;
    std::int64_t block_;
};
static_assert(graph_operation<dequantize_linear>);

/// Quantizes with the range that the elements have: answers uint8, the scale and the zero point.
///
/// source   ONNX DynamicQuantizeLinear-11
class dynamic_quantize_linear {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "DynamicQuantizeLinear"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].type != element::float32) detail::refuse("float32", in[0].text());
        return {{element::uint8, in[0].shape}, {element::float32, {}}, {element::uint8, {}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto made = kernel::dynamic_quantize_linear(in[0].as<float>(), out[0].as<std::uint8_t>());
        out[1].as<float>().data()[0] = made.scale;
        out[2].as<std::uint8_t>().data()[0] = made.zero_point;
    }
};
static_assert(graph_operation<dynamic_quantize_linear>);

namespace detail {

/// The part of scales or zero points that belongs to one matrix of `count`, each with `lines` rows or columns.
[[nodiscard]] inline tensor_view of_matrix(const tensor_view& all, std::int64_t matrix, std::int64_t lines) {
    const auto each = static_cast<std::size_t>(lines);
    if (all.size() <= 1 || all.size() == each || all.size() % each != 0) return all;
    return all.reshaped({static_cast<std::int64_t>(all.size())})
        .slice(0, static_cast<std::size_t>(matrix) * each, each);
}
/// Scales or zero points of a product: one, or one for each row of the left operand or column of the right one, as a
/// list or as the operand with 1 along its other axis; a stack of matrices may share those of one.
inline void expect_by_line(std::span<const argument> in, std::size_t index, const argument& of, operand side) {
    if (!given(in, index) || !in[index].shape.ranked() || !of.shape.ranked()) return;
    const symbolic_shape &got = in[index].shape, &whole = of.shape;
    if (got.constant() && got.volume() == extent(1)) return;
    const std::size_t rank = whole.rank(), line = side == operand::left ? 2 : 1;
    if (rank < 2 ? got.rank() == 0 : got.rank() == 1 && may_equal(got[0], whole[rank - line])) return;
    if (rank >= 2 && got.rank() == rank) {
        symbolic_shape each = whole, shared = symbolic_shape::of_rank(rank);
        for (std::size_t axis = 0; axis < rank; ++axis) shared[axis] = 1;
        each[rank - (3 - line)] = 1;
        shared[rank - line] = whole[rank - line];
        if (may_equal(got, each) || may_equal(got, shared)) return;
    }
    refuse(std::string("one, or one for each ") + (side == operand::left ? "row" : "column") + " of " + of.text(),
           in[index].text());
}
inline void expect_bytes(const argument& one) {
    if (!is_byte(one.type)) refuse("int8 or uint8", one.text());
}

}  // namespace detail

/// The product of integers, exact: inputs a, b, and their zero points (may be left out), which may belong to rows of a
/// and columns of b.
///
/// shapes   int8 or uint8, as batched_matmul -> int32
/// source   ONNX MatMulInteger-10
class matmul_integer {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "MatMulInteger"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 4);
        for (std::size_t i = 0; i < 2; ++i) {
            detail::expect_bytes(in[i]);
            detail::expect_zero(in, i + 2, in[i].type);
            detail::expect_by_line(in, i + 2, in[i], i == 0 ? operand::left : operand::right);
        }
        return {{element::int32, detail::product_of(in[0], transposed::no, in[1], transposed::no).answer}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return detail::product_of(in[0], transposed::no, in[1], transposed::no).inner.depends_on_rows();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const detail::matrix_stack a(in[0], transposed::no, operand::left), b(in[1], transposed::no, operand::right);
        const std::int64_t size = a.rows * b.columns, count = static_cast<std::int64_t>(out[0].size()) / size;
        const tensor_view a_zero = detail::given_or_empty(in, 2), b_zero = detail::given_or_empty(in, 3);
        detail::for_each_product(a, b, count, [&](std::int64_t i, std::int64_t a_at, std::int64_t b_at) {
            kernel::matmul_integer(a.at(a_at), detail::of_matrix(a_zero, a_at, a.rows), b.at(b_at),
                                   detail::of_matrix(b_zero, b_at, b.columns),
                                   {out[0].as<std::int32_t>().data() + i * size, shape{a.rows, b.columns}}, space);
        });
    }
};
static_assert(graph_operation<matmul_integer>);

/// The product of quantized values, quantized again: inputs a, its scale and zero point, b, its, those of the answer.
///
/// shapes   int8 or uint8, as batched_matmul
/// source   ONNX QLinearMatMul-10
class qlinear_matmul {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "QLinearMatMul"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 8, 8);
        for (const std::size_t i : {std::size_t{0}, std::size_t{3}}) {
            detail::expect_bytes(in[i]);
            detail::expect_scale(in, i + 1);
            detail::expect_zero(in, i + 2, in[i].type);
            for (const std::size_t of : {i + 1, i + 2})
                detail::expect_by_line(in, of, in[i], i == 0 ? operand::left : operand::right);
        }
        detail::expect_scale(in, 6);
        detail::expect_bytes(in[7]);
        return {{in[7].type, detail::product_of(in[0], transposed::no, in[3], transposed::no).answer}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return detail::product_of(in[0], transposed::no, in[3], transposed::no).inner.depends_on_rows();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const detail::matrix_stack a(in[0], transposed::no, operand::left), b(in[3], transposed::no, operand::right);
        const std::int64_t size = a.rows * b.columns, count = static_cast<std::int64_t>(out[0].size()) / size;
        const auto scales = [](const tensor_view& all, std::int64_t matrix, std::int64_t lines) {
            return detail::of_matrix(all, matrix, lines).as<float>().flat();
        };
        detail::for_each_product(a, b, count, [&](std::int64_t i, std::int64_t a_at, std::int64_t b_at) {
            const mutable_tensor_view to(out[0].data() + i * size, out[0].type(), shape{a.rows, b.columns});
            kernel::qlinear_matmul(a.at(a_at), scales(in[1], a_at, a.rows), detail::of_matrix(in[2], a_at, a.rows),
                                   b.at(b_at), scales(in[4], b_at, b.columns),
                                   detail::of_matrix(in[5], b_at, b.columns), detail::one_scale(in[6]), in[7], to,
                                   space);
        });
    }
};
static_assert(graph_operation<qlinear_matmul>);

/// A convolution of integers, exact: inputs x, weights, and their zero points (may be left out).
///
/// shapes   int8 or uint8, as convolution_nd -> int32
/// source   ONNX ConvInteger-10
class convolution_integer {
public:
    explicit convolution_integer(const sliding_rule& rule, std::int64_t groups = 1) : rule_(rule), groups_(groups) {
        detail::check_groups(groups);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "ConvInteger"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 4);
        detail::expect_bytes(in[1]);
        detail::expect_zero(in, 2, in[0].type);
        detail::expect_zero(in, 3, in[1].type);
        return {{element::int32, detail::convolved(in.first(2), rule_, groups_, detail::byte_elements)}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        kernel::conv_integer(in[0], detail::given_or_empty(in, 2), in[1], detail::given_or_empty(in, 3),
                             detail::geometry_over(rule_, in[0].shape(), in[1].shape(), groups_),
                             out[0].as<std::int32_t>(), space);
    }

private:
    sliding_rule rule_;
    std::int64_t groups_;
};
static_assert(graph_operation<convolution_integer>);

/// A convolution of quantized values, quantized again: inputs x, its scale and zero point, weights, theirs, those of
/// the answer, and a bias in int32 (may be left out).
///
/// shapes   int8 or uint8, as convolution_nd
/// source   ONNX QLinearConv-10
class qlinear_convolution {
public:
    explicit qlinear_convolution(const sliding_rule& rule, std::int64_t groups = 1) : rule_(rule), groups_(groups) {
        detail::check_groups(groups);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "QLinearConv"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 8, 9);
        for (const std::size_t i : {std::size_t{0}, std::size_t{3}}) {
            detail::expect_bytes(in[i]);
            detail::expect_scale(in, i + 1);
            detail::expect_zero(in, i + 2, in[i].type);
        }
        detail::expect_scale(in, 6);
        detail::expect_bytes(in[7]);
        if (given(in, 8) && in[8].type != element::int32) detail::refuse("a bias of int32", in[8].text());
        const std::array<argument, 2> images{in[0], in[3]};
        return {{in[7].type, detail::convolved(images, rule_, groups_, detail::byte_elements)}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const auto bias = given(in, 8) ? in[8].as<std::int32_t>().flat() : std::span<const std::int32_t>();
        kernel::qlinear_conv(in[0], detail::one_scale(in[1]), in[2], in[3], in[4].as<float>().flat(), in[5], bias,
                             detail::geometry_over(rule_, in[0].shape(), in[3].shape(), groups_),
                             detail::one_scale(in[6]), in[7], out[0], space);
    }

private:
    sliding_rule rule_;
    std::int64_t groups_;
};
static_assert(graph_operation<qlinear_convolution>);

}  // namespace fanfold::inline FANFOLD_ABI
