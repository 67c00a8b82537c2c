// fanfold/kernel/unary.hpp - functions of one number, element by element.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>        // std::sin, std::erf, ...
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "activation.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// round: ties to even. is_inf: alpha != 0 finds -infinity, beta != 0 finds +infinity. With parameters: elu(alpha),
/// selu(alpha, gamma), celu(alpha), leaky_relu(alpha), hard_sigmoid(alpha, beta), thresholded_relu(alpha), shrink(bias,
/// lambda), clip(low, high): the first is `alpha`, the second `beta`.
enum class unary : std::uint8_t {
    abs,
    neg,
    sign,
    floor,
    ceil,
    round,
    sqrt,
    reciprocal,
    exp,
    log,
    erf,
    sin,
    cos,
    tan,
    asin,
    acos,
    atan,
    sinh,
    cosh,
    tanh,
    asinh,
    acosh,
    atanh,
    sigmoid,
    relu,
    softplus,
    softsign,
    gelu,
    gelu_tanh,
    silu,
    mish,
    hard_swish,
    elu,
    selu,
    celu,
    leaky_relu,
    hard_sigmoid,
    thresholded_relu,
    shrink,
    clip,
    is_nan,
    is_inf,
    logical_not,
    bit_not
};
inline constexpr std::string_view unary_names[] = {"Abs",         "Neg",
                                                   "Sign",        "Floor",
                                                   "Ceil",        "Round",
                                                   "Sqrt",        "Reciprocal",
                                                   "Exp",         "Log",
                                                   "Erf",         "Sin",
                                                   "Cos",         "Tan",
                                                   "Asin",        "Acos",
                                                   "Atan",        "Sinh",
                                                   "Cosh",        "Tanh",
                                                   "Asinh",       "Acosh",
                                                   "Atanh",       "Sigmoid",
                                                   "Relu",        "Softplus",
                                                   "Softsign",    "Gelu",
                                                   "Gelu",        "Silu",
                                                   "Mish",        "HardSwish",
                                                   "Elu",         "Selu",
                                                   "Celu",        "LeakyRelu",
                                                   "HardSigmoid", "ThresholdedRelu",
                                                   "Shrink",      "Clip",
                                                   "IsNaN",       "IsInf",
                                                   "Not",         "BitwiseNot"};

[[nodiscard]] constexpr std::string_view name_of(unary op) noexcept {
    return unary_names[static_cast<std::size_t>(op)];
}

namespace detail {

struct unary_call {
    unary op;
    double alpha, beta;
};
/// sin, or cos where `turn` is 1, of what is too large to reduce, infinite or NaN.
[[nodiscard]] inline float far_sine(float x, float turn) {
    return static_cast<float>(turn == 0 ? std::sin(static_cast<double>(x)) : std::cos(static_cast<double>(x)));
}

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/unary.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/unary.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/unary.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// Computed 16 lanes at a time in float; the others in double.
[[nodiscard]] constexpr bool has_row(unary op) noexcept {
    switch (op) {
        case unary::sign:
        case unary::tan:
        case unary::asin:
        case unary::acos:
        case unary::atan:
        case unary::sinh:
        case unary::cosh:
        case unary::asinh:
        case unary::acosh:
        case unary::atanh:
        case unary::softsign:
        case unary::mish:
        case unary::selu:
        case unary::celu:
        case unary::thresholded_relu:
        case unary::shrink:
        case unary::is_nan:
        case unary::is_inf:
        case unary::logical_not:
        case unary::bit_not: return false;
        default: return true;
    }
}

template <class C, class F>
void each(const C* in, C* out, std::size_t n, F f) {
    for (std::size_t i = 0; i < n; ++i) out[i] = f(in[i]);
}

inline double softplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

inline void unary_doubles(const unary_call& call, const double* in, double* out, std::size_t n) {
    const double a = call.alpha, b = call.beta;
    const auto with = [&](auto f) { each(in, out, n, f); };
    switch (call.op) {
        case unary::abs: return with([](double x) { return std::abs(x); });
        case unary::neg: return with([](double x) { return -x; });
        case unary::sign: return with([](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; });
        case unary::floor: return with([](double x) { return std::floor(x); });
        case unary::ceil: return with([](double x) { return std::ceil(x); });
        case unary::round: return with([](double x) { return std::isfinite(x) ? x - std::remainder(x, 1.0) : x; });
        case unary::sqrt: return with([](double x) { return std::sqrt(x); });
        case unary::reciprocal: return with([](double x) { return 1 / x; });
        case unary::exp: return with([](double x) { return std::exp(x); });
        case unary::log: return with([](double x) { return std::log(x); });
        case unary::erf: return with([](double x) { return std::erf(x); });
        case unary::sin: return with([](double x) { return std::sin(x); });
        case unary::cos: return with([](double x) { return std::cos(x); });
        case unary::tan: return with([](double x) { return std::tan(x); });
        case unary::asin: return with([](double x) { return std::asin(x); });
        case unary::acos: return with([](double x) { return std::acos(x); });
        case unary::atan: return with([](double x) { return std::atan(x); });
        case unary::sinh: return with([](double x) { return std::sinh(x); });
        case unary::cosh: return with([](double x) { return std::cosh(x); });
        case unary::tanh: return with([](double x) { return std::tanh(x); });
        case unary::asinh: return with([](double x) { return std::asinh(x); });
        case unary::acosh: return with([](double x) { return std::acosh(x); });
        case unary::atanh: return with([](double x) { return std::atanh(x); });
        case unary::sigmoid:
            return with([](double x) {
                const double e = std::exp(-std::abs(x));
                return (x < 0 ? e : 1.0) / (1.0 + e);
            });
        case unary::relu: return with([](double x) { return 0 > x ? 0.0 : x; });
        case unary::softplus: return with([](double x) { return x != x ? x : softplus(x); });
        case unary::softsign: return with([](double x) { return x / (1 + std::abs(x)); });
        case unary::gelu: return with([](double x) { return 0.5 * x * std::erfc(x * -0.70710678118654752); });
        case unary::gelu_tanh:
            return with([](double x) {
                return x / (1 + std::exp(-1.5957691216057308 * x - 0.07135481627259118 * (x * x * x)));
            });
        case unary::silu: return with([](double x) { return x / (1 + std::exp(-x)); });
        case unary::mish: return with([](double x) { return x != x ? x : x * std::tanh(softplus(x)); });
        case unary::hard_swish: return with([](double x) { return x * std::fmax(0.0, std::fmin(1.0, x / 6 + 0.5)); });
        case unary::elu: return with([=](double x) { return x < 0 ? a * std::expm1(x) : x; });
        case unary::selu: return with([=](double x) { return b * (x <= 0 ? a * std::expm1(x) : x); });
        case unary::celu: return with([=](double x) { return x < 0 ? a * std::expm1(x / a) : x; });
        case unary::leaky_relu: return with([=](double x) { return x < 0 ? a * x : x; });
        case unary::hard_sigmoid:
            return with([=](double x) { return x != x ? x : std::fmax(0.0, std::fmin(1.0, a * x + b)); });
        case unary::thresholded_relu: return with([=](double x) { return x > a || x != x ? x : 0.0; });
        case unary::shrink: return with([=](double x) { return x < -b ? x + a : x > b ? x - a : x != x ? x : 0.0; });
        case unary::clip:
            return with([=](double x) {
                const double most = x < a ? a : x;
                return most > b ? b : most;
            });
        case unary::is_nan: return with([](double x) { return x != x ? 1.0 : 0.0; });
        case unary::is_inf: return with([=](double x) { return std::isinf(x) && (x < 0 ? a : b) != 0 ? 1.0 : 0.0; });
        case unary::logical_not:
        case unary::bit_not: return;
    }
}

template <class C>
void unary_integers(const unary_call& call, const C* in, C* out, std::size_t n) {
    const auto with = [&](auto f) { each(in, out, n, f); };
    const auto negated = [](C x) { return static_cast<C>(std::uint64_t{0} - static_cast<std::uint64_t>(x)); };
    const C low = narrowed<C>(call.alpha), high = narrowed<C>(call.beta);
    switch (call.op) {
        case unary::abs: return with([=](C x) { return x < 0 ? negated(x) : x; });
        case unary::neg: return with(negated);
        case unary::sign: return with([](C x) { return static_cast<C>((x > 0) - (x < 0)); });
        case unary::relu: return with([](C x) { return x < 0 ? C{0} : x; });
        case unary::clip: return with([=](C x) { return std::min(std::max(x, low), high); });
        case unary::logical_not: return with([](C x) { return static_cast<C>(x == 0); });
        case unary::bit_not: return with([](C x) { return static_cast<C>(~x); });
        default: return;
    }
}

/// What ONNX allows, and a little more.
[[nodiscard]] constexpr bool accepts(unary op, element in, element out) noexcept {
    switch (op) {
        case unary::is_nan:
        case unary::is_inf: return is_floating(in) && out == element::boolean;
        case unary::logical_not: return in == element::boolean && out == in;
        case unary::bit_not: return !is_floating(in) && in != element::boolean && out == in;
        case unary::abs:
        case unary::neg:
        case unary::sign:
        case unary::relu:
        case unary::clip:
        case unary::thresholded_relu:
        case unary::shrink: return in != element::boolean && out == in;
        default: return is_floating(in) && out == in;
    }
}

inline void apply(isa set, const unary_call& call, const tensor_view& in, const mutable_tensor_view& out) {
    if (!(in.shape() == out.shape()) || !accepts(call.op, in.type(), out.type()))
        throw std::invalid_argument(std::string(name_of(call.op)) + ": " + describe(in) + " into " + describe(out));
    const bool halves = is_floating(in.type()) && in.type() != element::float64;
    const bool scaled = call.op == unary::thresholded_relu || call.op == unary::shrink;
    if (halves && has_row(call.op)) {
        const auto row = pick(set, &baseline::unary_row, &avx2::unary_row, &avx512::unary_row);
        map_runs<float>(in, out, [&](const float* x, float* z, std::size_t n) { row(call, x, z, n); });
    } else if (is_floating(in.type()) || scaled) {
        map_runs<double>(in, out, [&](const double* x, double* z, std::size_t n) { unary_doubles(call, x, z, n); });
    } else if (in.type() == element::uint64) {
        map_runs<std::uint64_t>(in, out, [&](const auto* x, auto* z, std::size_t n) { unary_integers(call, x, z, n); });
    } else {
        map_runs<std::int64_t>(in, out, [&](const auto* x, auto* z, std::size_t n) { unary_integers(call, x, z, n); });
    }
}

}  // namespace detail

/// out = op(in).
///
/// shapes   in and out of one shape, any strides, out may be in; one type, out of is_nan and is_inf: bool. Floating
///          point of any width; abs, neg, sign, relu, clip, thresholded_relu and shrink integers too (they wrap; the
///          bounds of clip are doubles: for larger ones of 64 bits take binary::min and max); bit_not integers,
///          logical_not bool. 16-bit floating point is computed in float
/// cost     float32, in units in the last place: exp 1.5, log 2, erf 2, sin and cos 2 (vectorized up to |x| = 2^20),
///          tanh and sigmoid 3, softplus 3, gelu, gelu_tanh and silu 4, elu 3, subnormal results included;
///          what is not vectorized is computed in double and rounded once
/// errors   throws std::invalid_argument when shapes or types do not fit. silu,
///          gelu and gelu_tanh of -infinity are -0 in float32
/// threads  re-entrant; an element's bits depend neither on its position nor on how many there are
/// source   ONNX operators of these names, opsets 6 to 22
inline void apply(unary op, double alpha, double beta, const tensor_view& in, const mutable_tensor_view& out) {
    detail::apply(active_isa(), {op, alpha, beta}, in, out);
}
inline void apply(unary op, const tensor_view& in, const mutable_tensor_view& out) { apply(op, 0, 0, in, out); }

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
