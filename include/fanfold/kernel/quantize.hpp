// fanfold/kernel/quantize.hpp - to integers and back: scale, zero point, and the quantized products between them.
//   in    float32 and the like, or int8 ... int32      out   int8 ... uint16, or float32
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int32_t
#include <limits>       // std::numeric_limits
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::is_same_v

#include "../context/workspace.hpp"
#include "integer_matmul.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// round(x) + zero in the range of T; ties to even, NaN counts as 0.
template <class T>
T saturated(float x, std::int32_t zero) {
    const auto low = static_cast<float>(std::numeric_limits<T>::lowest() - zero);
    const auto high = static_cast<float>(std::numeric_limits<T>::max() - zero);
    const float within = x < low ? low : x > high ? high : x == x ? x : 0.0F;
    constexpr float magic = 0x1.8p23F;  // a sum with it has no room for a fraction
    return static_cast<T>(static_cast<std::int32_t>((within + magic) - magic) + zero);
}

/// Calls f with a value of the C++ type of a quantized tensor.
template <class F>
void visit_quantized(const char* who, element type, F&& f) {
    switch (type) {
        case element::int8: f(std::int8_t{}); return;
        case element::uint8: f(std::uint8_t{}); return;
        case element::int16: f(std::int16_t{}); return;
        case element::uint16: f(std::uint16_t{}); return;
        default:
            throw std::invalid_argument(std::string(who) + ": " + std::string(name_of(type)) +
                                        " is no type of quantized elements");
    }
}

/// A tensor as [outer, channels, inner]; one channel when there is one scale for all.
struct quantized_layout {
    std::size_t outer = 1, channels = 1, inner = 1;

    quantized_layout(const char* who, const shape& extents, std::size_t axis, std::size_t scales, element zero_type,
                     std::size_t zeros, element expected) {
        const bool one = scales == 1;
        if ((!one && (axis >= extents.rank() || scales != static_cast<std::size_t>(extents[axis]))) ||
            (zeros != 0 && (zeros != scales || zero_type != expected)))
            throw std::invalid_argument(std::string(who) + ": " + std::to_string(scales) + " scales and " +
                                        std::to_string(zeros) + " zero points of " + std::string(name_of(zero_type)) +
                                        " for axis " + std::to_string(axis) + " of " + extents.text() + ", expected " +
                                        std::string(name_of(expected)));
        inner = extents.volume();
        if (one || inner == 0) return;
        outer = inner = 1;
        channels = scales;
        for (std::size_t a = 0; a < axis; ++a) outer *= static_cast<std::size_t>(extents[a]);
        for (std::size_t a = axis + 1; a < extents.rank(); ++a) inner *= static_cast<std::size_t>(extents[a]);
    }
};

template <class From, class To>
void quantize(const From* in, const quantized_layout& l, std::span<const float> scale, const To* zero, To* out) {
    for (std::size_t o = 0; o < l.outer; ++o)
        for (std::size_t c = 0; c < l.channels; ++c) {
            const float divisor = scale[c];
            const std::int32_t shift = zero == nullptr ? 0 : zero[c];
            for (std::size_t i = 0; i < l.inner; ++i)
                *out++ = saturated<To>(static_cast<float>(*in++) / divisor, shift);
        }
}

template <class T>
const T* elements_or_null(const tensor_view& t) {
    return t.size() == 0 ? nullptr : t.as<T>().flat().data();
}

/// out = saturate(round(sum * factor) + zero); factor of the row or the column.
struct requantization {
    std::span<const float> a_scale, b_scale;  // 1, or of each row and column
    float out_scale;
    std::int32_t zero;

    [[nodiscard]] float factor(std::size_t row, std::size_t column) const {
        return a_scale[a_scale.size() == 1 ? 0 : row] * b_scale[b_scale.size() == 1 ? 0 : column] / out_scale;
    }
};

inline void expect_scales(const char* who, std::span<const float> scales, std::int64_t count) {
    if (scales.size() != 1 && scales.size() != static_cast<std::size_t>(count))
        throw std::invalid_argument(std::string(who) + ": " + std::to_string(scales.size()) +
                                    " scales, expected 1 or " + std::to_string(count));
}
inline std::int32_t one_zero_point(const char* who, const tensor_view& zero, element type) {
    if (zero.size() == 0) return 0;
    if (zero.size() != 1 || zero.type() != type)
        throw std::invalid_argument(std::string(who) + ": zero point " + describe(zero) + ", expected one " +
                                    std::string(name_of(type)));
    return byte_reader(who, zero)[0];
}

}  // namespace detail

/// out = saturate(round(in / scale) + zero_point), ties to even; NaN becomes the zero point.
///
/// shapes   in float32, float16, bfloat16, float64 or int32, out int8, uint8, int16 or uint16, alike and dense; one
///          scale, or one for each element of `axis`; zero_point like out, as many as scales, or of size 0 for zeros
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant
/// source   ONNX QuantizeLinear-19
inline void quantize_linear(const tensor_view& in, std::span<const float> scale, const tensor_view& zero_point,
                            std::size_t axis, const mutable_tensor_view& out) {
    const char* const who = "quantize_linear";
    if (!(in.shape() == out.shape()) || !in.dense() || !out.dense())
        throw std::invalid_argument("quantize_linear: " + describe(in) + " into " + describe(out));
    const detail::quantized_layout layout(who, in.shape(), axis, scale.size(), zero_point.type(), zero_point.size(),
                                          out.type());
    detail::visit_quantized(who, out.type(), [&]<class To>(To) {
        const auto from = [&]<class From>(From) {
            detail::quantize(in.as<From>().data(), layout, scale, detail::elements_or_null<To>(zero_point),
                             out.as<To>().data());
        };
        switch (in.type()) {
            case element::float32: from(float{}); break;
            case element::float64: from(double{}); break;
            case element::float16: from(float16{}); break;
            case element::bfloat16: from(bfloat16{}); break;
            case element::int32: from(std::int32_t{}); break;
            default: throw std::invalid_argument("quantize_linear: cannot quantize " + describe(in));
        }
    });
}

/// out = (in - zero_point) * scale
///
/// shapes   in int8, uint8, int16, uint16 or int32, out float32, alike and dense; scale and zero_point as in
///          quantize_linear
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant
/// source   ONNX DequantizeLinear-19
inline void dequantize_linear(const tensor_view& in, std::span<const float> scale, const tensor_view& zero_point,
                              std::size_t axis, const view<float>& out) {
    const char* const who = "dequantize_linear";
    if (!(in.shape() == out.shape()) || !in.dense() || !out.dense())
        throw std::invalid_argument("dequantize_linear: " + describe(in) + " into " + out.shape().text());
    const detail::quantized_layout l(who, in.shape(), axis, scale.size(), zero_point.type(), zero_point.size(),
                                     in.type());
    const auto convert = [&]<class From>(From) {
        const From* zero = detail::elements_or_null<From>(zero_point);
        const From* from = in.as<From>().data();
        float* to = out.data();
        for (std::size_t o = 0; o < l.outer; ++o)
            for (std::size_t c = 0; c < l.channels; ++c) {
                using wide = std::conditional_t<std::is_same_v<From, std::int32_t>, std::int64_t, std::int32_t>;
                const wide shift = zero == nullptr ? 0 : zero[c];
                for (std::size_t i = 0; i < l.inner; ++i) *to++ = static_cast<float>(*from++ - shift) * scale[c];
            }
    };
    if (in.type() == element::int32)
        convert(std::int32_t{});
    else
        detail::visit_quantized(who, in.type(), convert);
}

namespace detail {

/// Calls f(element, its scale) for each element, in order, where `block` neighbours along an axis share a scale.
template <class F>
void for_each_in_blocks(const char* who, const shape& extents, std::size_t axis, std::int64_t block,
                        const shape& scales, F&& f) {
    const bool sane = axis < extents.rank() && block >= 1 && extents.volume() != 0;
    if (!sane || !(scales == extents.with(axis, (extents[axis] - 1) / block + 1)))
        throw std::invalid_argument(std::string(who) + ": scales " + scales.text() + " for blocks of " +
                                    std::to_string(block) + " along axis " + std::to_string(axis) + " of " +
                                    extents.text());
    std::size_t inner = 1;
    for (std::size_t a = axis + 1; a < extents.rank(); ++a) inner *= static_cast<std::size_t>(extents[a]);
    const auto along = static_cast<std::size_t>(extents[axis]), blocks = static_cast<std::size_t>(scales[axis]);
    const auto each = static_cast<std::size_t>(block);
    for (std::size_t at = 0; at < extents.volume(); ++at) {
        const std::size_t line = at / inner;
        f(at, (line / along * blocks + line % along / each) * inner + at % inner);
    }
}
inline void expect_zeros(const char* who, const tensor_view& zero_point, const shape& scales, element type) {
    if (zero_point.size() != 0 && (zero_point.type() != type || !(zero_point.shape() == scales)))
        throw std::invalid_argument(std::string(who) + ": zero points " + describe(zero_point) + " beside scales " +
                                    scales.text());
}

}  // namespace detail

/// quantize_linear where `block` neighbours along the axis share a scale and a zero point.
///
/// shapes   in float32, out int8, uint8, int16 or uint16, alike and dense; scale as in but for the axis, whose extent
///          is divided by `block` and rounded up; zero_point like out and scale, or of size 0 for zeros
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant
/// source   ONNX QuantizeLinear-21
inline void quantize_blocks(const view<const float>& in, const view<const float>& scale, const tensor_view& zero_point,
                            std::size_t axis, std::int64_t block, const mutable_tensor_view& out) {
    const char* const who = "quantize_blocks";
    detail::expect_zeros(who, zero_point, scale.shape(), out.type());
    const auto from = in.flat(), divisors = scale.flat();
    detail::visit_quantized(who, out.type(), [&]<class To>(To) {
        const To* zero = detail::elements_or_null<To>(zero_point);
        const auto to = out.as<To>().flat();
        detail::for_each_in_blocks(who, in.shape(), axis, block, scale.shape(), [&](std::size_t at, std::size_t s) {
            to[at] = detail::saturated<To>(from[at] / divisors[s], zero == nullptr ? 0 : zero[s]);
        });
    });
}

/// dequantize_linear where `block` neighbours along the axis share a scale and a zero point; shapes as quantize_blocks.
/// source   ONNX DequantizeLinear-21
inline void dequantize_blocks(const tensor_view& in, const view<const float>& scale, const tensor_view& zero_point,
                              std::size_t axis, std::int64_t block, const view<float>& out) {
    const char* const who = "dequantize_blocks";
    detail::expect_zeros(who, zero_point, scale.shape(), in.type());
    const auto to = out.flat();
    const auto factors = scale.flat();
    detail::visit_quantized(who, in.type(), [&]<class From>(From) {
        const From* zero = detail::elements_or_null<From>(zero_point);
        const auto from = in.as<From>().flat();
        detail::for_each_in_blocks(who, in.shape(), axis, block, scale.shape(), [&](std::size_t at, std::size_t s) {
            to[at] = static_cast<float>(from[at] - (zero == nullptr ? 0 : zero[s])) * factors[s];
        });
    });
}

struct dynamic_quantization {
    float scale;
    std::uint8_t zero_point;
};

/// Quantizes to uint8 with the scale and zero point that the elements' own range gives, 0 included. All elements count:
/// rows mix. A tensor of zeros has scale 1.
///
/// shapes   in and out alike, dense
/// source   ONNX DynamicQuantizeLinear-11
inline dynamic_quantization dynamic_quantize_linear(const view<const float>& in, const view<std::uint8_t>& out) {
    const auto values = in.flat();
    float low = 0, high = 0;
    for (const float x : values) {
        low = x < low ? x : low;
        high = x > high ? x : high;
    }
    const float scale = high == low ? 1.0F : (high - low) / 255.0F;
    const auto zero = detail::saturated<std::uint8_t>((0.0F - low) / scale, 0);
    quantize_linear(in, std::span(&scale, 1), view<const std::uint8_t>(&zero, shape{}), 0, out);
    return {scale, zero};
}

/// The product of quantized matrices, quantized again: out = saturate(round(sum * a_scale * b_scale / out_scale) +
/// out_zero), the sum exact.
///
/// shapes   as matmul_integer, out int8 or uint8, dense; one a_scale or one for each row, one b_scale or one for each
///          column; out_zero one, or of size 0
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX QLinearMatMul-10
inline void qlinear_matmul(const tensor_view& a, std::span<const float> a_scale, const tensor_view& a_zero,
                           const tensor_view& b, std::span<const float> b_scale, const tensor_view& b_zero,
                           float out_scale, const tensor_view& out_zero, const mutable_tensor_view& out,
                           workspace& space) {
    const char* const who = "qlinear_matmul";
    if (a.rank() != 2 || b.rank() != 2 || out.rank() != 2 || !out.dense())
        throw std::invalid_argument("qlinear_matmul: " + describe(a) + " times " + describe(b) + " into " +
                                    describe(out));
    detail::expect_scales(who, a_scale, a.extent(0));
    detail::expect_scales(who, b_scale, b.extent(1));
    const detail::requantization how{a_scale, b_scale, out_scale, detail::one_zero_point(who, out_zero, out.type())};
    const workspace::scope scope(space);
    const auto sums = space.take<std::int32_t>(out.size());
    matmul_integer(a, a_zero, b, b_zero, {sums.data(), out.shape()}, space);
    const auto columns = static_cast<std::size_t>(out.extent(1));
    detail::visit_quantized(who, out.type(), [&]<class T>(T) {
        const auto to = out.as<T>().flat();
        for (std::size_t i = 0; i < to.size(); ++i)
            to[i] = detail::saturated<T>(static_cast<float>(sums[i]) * how.factor(i / columns, i % columns), how.zero);
    });
}

/// A convolution of quantized images and weights, quantized again; bias counts in units of in_scale * weights_scale.
///
/// shapes   as conv_integer, out int8 or uint8, dense; one weights_scale or one for each output channel; bias [O] or
///          empty
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX QLinearConv-10
inline void qlinear_conv(const tensor_view& in, float in_scale, const tensor_view& in_zero, const tensor_view& weights,
                         std::span<const float> weights_scale, const tensor_view& weights_zero,
                         std::span<const std::int32_t> bias, const conv_geometry& geometry, float out_scale,
                         const tensor_view& out_zero, const mutable_tensor_view& out, workspace& space) {
    const char* const who = "qlinear_conv";
    const shape expected = conv_shape(in.shape(), weights.shape(), geometry);
    const std::int64_t outputs = expected[1];
    if (!(out.shape() == expected) || !out.dense() ||
        (!bias.empty() && bias.size() != static_cast<std::size_t>(outputs)))
        throw std::invalid_argument("qlinear_conv: " + describe(in) + " with weights " + describe(weights) +
                                    " and a bias of " + std::to_string(bias.size()) + " into " + describe(out) +
                                    ", expected dense " + expected.text());
    detail::expect_scales(who, weights_scale, outputs);
    const detail::requantization how{std::span(&in_scale, 1), weights_scale, out_scale,
                                     detail::one_zero_point(who, out_zero, out.type())};
    if (out.size() == 0) return;
    const workspace::scope scope(space);
    const auto sums = space.take<std::int32_t>(out.size());
    conv_integer(in, in_zero, weights, weights_zero, geometry, {sums.data(), out.shape()}, space);
    const std::size_t plane = out.size() / static_cast<std::size_t>(expected[0] * outputs);
    detail::visit_quantized(who, out.type(), [&]<class T>(T) {
        const auto to = out.as<T>().flat();
        for (std::size_t i = 0; i < to.size(); ++i) {
            const std::size_t o = i / plane % static_cast<std::size_t>(outputs);
            const std::int64_t sum = std::int64_t{sums[i]} + (bias.empty() ? 0 : bias[o]);
            to[i] = detail::saturated<T>(static_cast<float>(sum) * how.factor(0, o), how.zero);
        }
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
