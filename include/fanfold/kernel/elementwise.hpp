// fanfold/kernel/elementwise.hpp - two tensors element by element with broadcasting: arithmetic, bits, comparisons.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <cmath>        // std::pow, std::fmod
#include <concepts>     // std::floating_point
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_signed_v

#include "../core/tensor.hpp"
#include "broadcast.hpp"
#include "strided.hpp"
#include "unary.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// mod has the sign of the divisor, fmod that of the dividend; prelu(x, slope): x where x >= 0, else slope * x.
enum class binary : std::uint8_t {
    add,
    sub,
    mul,
    div,
    pow,
    mod,
    fmod,
    min,
    max,
    prelu,
    bit_and,
    bit_or,
    bit_xor,
    shift_left,
    shift_right,
    logical_and,
    logical_or,
    logical_xor,
    equal,
    less,
    less_or_equal,
    greater,
    greater_or_equal
};
inline constexpr std::string_view binary_names[] = {
    "Add", "Sub",   "Mul",        "Div",       "Pow",         "Mod",      "Mod",           "Min",
    "Max", "PRelu", "BitwiseAnd", "BitwiseOr", "BitwiseXor",  "BitShift", "BitShift",      "And",
    "Or",  "Xor",   "Equal",      "Less",      "LessOrEqual", "Greater",  "GreaterOrEqual"};

[[nodiscard]] constexpr std::string_view name_of(binary op) noexcept {
    return binary_names[static_cast<std::size_t>(op)];
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/elementwise.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/elementwise.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/elementwise.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

namespace detail {

[[nodiscard]] constexpr bool compares(binary op) noexcept { return op >= binary::equal; }
[[nodiscard]] constexpr bool has_row(binary op) noexcept {
    return op <= binary::div || op == binary::min || op == binary::max || op == binary::prelu;
}

/// Repeated squaring, wrapping; what is no integer is cut towards zero, 0 to a negative power is 0.
[[nodiscard]] constexpr std::uint64_t power(std::uint64_t base, std::int64_t exponent) noexcept {
    if (exponent < 0) return base == 1 ? 1 : base != ~std::uint64_t{0} ? 0 : exponent % 2 == 0 ? 1 : base;
    std::uint64_t result = 1;
    for (auto left = static_cast<std::uint64_t>(exponent); left != 0; left >>= 1, base *= base)
        if ((left & 1U) != 0) result *= base;
    return result;
}
template <class C>
[[nodiscard]] C remainder_of_floats(binary op, C x, C y) {
    const C r = std::fmod(x, y);
    if (op == binary::fmod) return r;
    return r == 0 ? std::copysign(r, y) : (r < 0) != (y < 0) ? r + y : r;
}
/// By zero: 0.
template <class C>
[[nodiscard]] constexpr C remainder_of_integers(binary op, C x, C y) noexcept {
    if (y == 0 || y == static_cast<C>(-1) * C{std::is_signed_v<C>}) return 0;
    const C r = static_cast<C>(x % y);
    return op == binary::mod && r != 0 && (r < 0) != (y < 0) ? static_cast<C>(r + y) : r;
}
template <class C>
[[nodiscard]] constexpr C quotient_of_integers(C x, C y) noexcept {
    if (y == 0) return 0;
    if (std::is_signed_v<C> && y == static_cast<C>(-1)) return static_cast<C>(C{0} - static_cast<std::uint64_t>(x));
    return static_cast<C>(x / y);
}

/// out[i] = a[i] op b[i].
template <class C>
void binary_run(binary op, const C* a, const C* b, C* out, std::size_t n) {
    const auto run = [&](auto f) {
        for (std::size_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
    };
    if constexpr (std::floating_point<C>) {
        switch (op) {
            case binary::add: return run([](C x, C y) { return x + y; });
            case binary::sub: return run([](C x, C y) { return x - y; });
            case binary::mul: return run([](C x, C y) { return x * y; });
            case binary::div: return run([](C x, C y) { return x / y; });
            case binary::pow: return run([](C x, C y) { return std::pow(x, y); });
            case binary::min: return run([](C x, C y) { return x != x || x < y ? x : y; });
            case binary::max: return run([](C x, C y) { return x != x || x > y ? x : y; });
            case binary::prelu: return run([](C x, C y) { return x < 0 ? x * y : x; });
            default: return run([op](C x, C y) { return remainder_of_floats(op, x, y); });
        }
    } else {
        using bits = std::uint64_t;
        const auto wrap = [&](auto f) {
            run([f](C x, C y) { return static_cast<C>(f(static_cast<bits>(x), static_cast<bits>(y))); });
        };
        switch (op) {
            case binary::add: return wrap([](bits x, bits y) { return x + y; });
            case binary::sub: return wrap([](bits x, bits y) { return x - y; });
            case binary::mul: return wrap([](bits x, bits y) { return x * y; });
            case binary::pow: return wrap([](bits x, bits y) { return power(x, static_cast<std::int64_t>(y)); });
            case binary::shift_left: return wrap([](bits x, bits y) { return y < 64 ? x << y : 0; });
            case binary::shift_right:
                return run([](C x, C y) { return y >= 0 && y < 64 ? static_cast<C>(x >> y) : C{0}; });
            case binary::bit_and:
            case binary::logical_and: return wrap([](bits x, bits y) { return x & y; });
            case binary::bit_or:
            case binary::logical_or: return wrap([](bits x, bits y) { return x | y; });
            case binary::bit_xor:
            case binary::logical_xor: return wrap([](bits x, bits y) { return x ^ y; });
            case binary::div: return run([](C x, C y) { return quotient_of_integers(x, y); });
            case binary::min: return run([](C x, C y) { return std::min(x, y); });
            case binary::max: return run([](C x, C y) { return std::max(x, y); });
            case binary::prelu:
                return run(
                    [](C x, C y) { return x < 0 ? static_cast<C>(static_cast<bits>(x) * static_cast<bits>(y)) : x; });
            default: return run([op](C x, C y) { return remainder_of_integers(op, x, y); });
        }
    }
}
template <class C>
void compare_run(binary op, const C* a, const C* b, bool* out, std::size_t n) {
    const auto run = [&](auto f) {
        for (std::size_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
    };
    switch (op) {
        case binary::less: return run([](C x, C y) { return x < y; });
        case binary::less_or_equal: return run([](C x, C y) { return x <= y; });
        case binary::greater: return run([](C x, C y) { return x > y; });
        case binary::greater_or_equal: return run([](C x, C y) { return x >= y; });
        default: return run([](C x, C y) { return x == y; });
    }
}

/// out = a op b, where everything is computed as C.
template <class C>
void elementwise_as(isa set, binary op, const tensor_view& a, const tensor_view& b, const mutable_tensor_view& out) {
    const wide_reader<C> left(a), right(b);
    const storer<C> store = compares(op) ? nullptr : storer_of<C>(out.type());
    const auto row = pick(set, &baseline::binary_row, &avx2::binary_row, &avx512::binary_row);
    const auto out_width = static_cast<std::int64_t>(size_of(out.type()));
    const bool out_same = out.type() == (compares(op) ? element::boolean : element_of<C>);
    const shape& whole = out.shape();
    const auto run = [&](const offsets<3>& at, std::size_t n, const offsets<3>& step) {
        const bool vectors = std::same_as<C, float> && has_row(op);
        const bool out_here = out_same && step[2] == 1;
        const bool a_repeats = step[0] == 0, b_repeats = step[1] == 0;
        const bool all_here = out_here && left.same && right.same && (step[0] == 1 || (vectors && a_repeats)) &&
                              (step[1] == 1 || (vectors && b_repeats));
        const std::size_t most = all_here ? n : std::min(n, chunk);
        C xs[chunk], ys[chunk], zs[chunk];
        bool answers[chunk];
        for (std::size_t done = 0; done < n; done += most) {
            const std::size_t count = std::min(n - done, most);
            const auto first = static_cast<std::int64_t>(done);
            std::byte* z = out.data() + (at[2] + first * step[2]) * out_width;
            const C *x = xs, *y = ys;
            if (all_here && a_repeats)
                x = reinterpret_cast<const C*>(left.at(at[0]));
            else if (!a_repeats || done == 0)
                x = left(at[0] + first * step[0], step[0], count, xs);
            if (all_here && b_repeats)
                y = reinterpret_cast<const C*>(right.at(at[1]));
            else if (!b_repeats || done == 0)
                y = right(at[1] + first * step[1], step[1], count, ys);
            if (compares(op)) {
                compare_run(op, x, y, out_here ? reinterpret_cast<bool*>(z) : answers, count);
                if (!out_here)
                    for (std::size_t i = 0; i < count; ++i)
                        reinterpret_cast<bool*>(z)[static_cast<std::int64_t>(i) * step[2]] = answers[i];
                continue;
            }
            C* to = out_here ? reinterpret_cast<C*>(z) : zs;
            if constexpr (std::same_as<C, float>) {
                if (vectors)
                    row(op, x, a_repeats, y, b_repeats, to, count);
                else
                    binary_run(op, x, y, to, count);
            } else {
                binary_run(op, x, y, to, count);
            }
            if (!out_here) store(zs, z, step[2], count);
        }
    };
    for_each_run<3>(whole,
                    {stretched(a.shape(), a.steps(), whole), stretched(b.shape(), b.steps(), whole), out.steps()}, run);
}

[[nodiscard]] constexpr bool accepts(binary op, element a, element b, element out) noexcept {
    if (op == binary::pow) return a != element::boolean && b != element::boolean && out == a;
    if (a != b || out != (compares(op) ? element::boolean : a)) return false;
    if (op >= binary::logical_and && op <= binary::logical_xor) return a == element::boolean;
    if (op >= binary::bit_and && op <= binary::shift_right) return !is_floating(a) && a != element::boolean;
    return op == binary::equal || a != element::boolean;
}

inline void elementwise(isa set, binary op, const tensor_view& a, const tensor_view& b,
                        const mutable_tensor_view& out) {
    if (!accepts(op, a.type(), b.type(), out.type()))
        throw std::invalid_argument(std::string(name_of(op)) + ": " + describe(a) + " and " + describe(b) + " into " +
                                    describe(out));
    const shape whole = broadcast_shape(a.shape(), b.shape());
    if (!(whole == out.shape()))
        throw std::invalid_argument(std::string(name_of(op)) + ": " + a.shape().text() + " and " + b.shape().text() +
                                    " make " + whole.text() + ", not " + out.shape().text());
    if (a.type() != b.type() && (is_floating(a.type()) || is_floating(b.type())))
        return elementwise_as<double>(set, op, a, b, out);
    if (a.type() != b.type()) return elementwise_as<std::int64_t>(set, op, a, b, out);
    visit_wide(a.type(), [&]<class C>(C) { elementwise_as<C>(set, op, a, b, out); });
}
template <class T>
void elementwise(isa set, binary op, const view<const T>& a, const view<const T>& b, const view<T>& out) {
    elementwise(set, op, tensor_view(a), tensor_view(b), mutable_tensor_view(out));
}

inline void apply(isa set, activation act, const view<const float>& in, const view<float>& out) {
    if (!(in.shape() == out.shape()))
        throw std::invalid_argument(std::string(name_of(act)) + ": " + in.shape().text() + " into " +
                                    out.shape().text());
    map_runs<float>(in, out, [&](const float* x, float* z, std::size_t n) { activate_row(set, act, x, z, n); });
}
inline void exp(isa set, const view<const float>& in, const view<float>& out) {
    apply(set, unary_call{unary::exp, 0, 0}, in, out);
}

}  // namespace detail

/// out = a op b, with broadcasting.
///
/// shapes   out has broadcast_shape(a, b); any strides; fastest where runs are dense or one value repeats. out may be
///          an operand of its own shape. One type; comparisons answer bool; pow takes two and answers the first
///          (computed in double if either is floating point, as integers otherwise). bit_* and shift_* take integers,
///          logical_* and equal bool
/// errors   throws std::invalid_argument when shapes or types do not fit. Integers wrap; they divide towards zero, and
///          by zero to 0, also in mod and fmod; shifts by the width or more give 0. min and max of NaN are NaN
/// threads  re-entrant; an element's bits depend on its operands alone
/// source   ONNX Add-14, Sub-14, Mul-14, Div-14, Pow-15, Mod-13, Min-13, Max-13, PRelu-16, BitShift-11, BitwiseAnd-18,
///          And-7, Equal-19, Less-13 and their like
inline void elementwise(binary op, const tensor_view& a, const tensor_view& b, const mutable_tensor_view& out) {
    detail::elementwise(active_isa(), op, a, b, out);
}
template <class T>
requires(std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> ||
         std::same_as<T, std::int64_t>) void elementwise(binary op, const view<const T>& a, const view<const T>& b,
                                                         const view<T>& out) {
    elementwise(op, tensor_view(a), tensor_view(b), mutable_tensor_view(out));
}

/// out = act(in)
///
/// shapes   in and out of one shape, any strides; out may be in
/// cost     float: as unary.hpp says; double uses the C library
/// errors   throws std::invalid_argument when the shapes differ
/// threads  re-entrant; an element's bits depend neither on its position nor on how many there are
/// source   ONNX Relu-14, Sigmoid-13, Tanh-13, Gelu-20, HardSwish-14; NaN stays NaN, relu(-0) is -0
inline void apply(activation act, const view<const float>& in, const view<float>& out) {
    detail::apply(active_isa(), act, in, out);
}
inline void apply(activation act, const view<const double>& in, const view<double>& out) {
    switch (act) {
        case activation::none: return fanfold::detail::copy_elements(in, out);
        case activation::relu: return apply(unary::relu, in, out);
        case activation::sigmoid: return apply(unary::sigmoid, in, out);
        case activation::tanh: return apply(unary::tanh, in, out);
        case activation::gelu: return apply(unary::gelu, in, out);
        case activation::gelu_tanh: return apply(unary::gelu_tanh, in, out);
        case activation::silu: return apply(unary::silu, in, out);
        case activation::hard_swish: return apply(unary::hard_swish, in, out);
    }
}

template <std::floating_point T>
void relu(const view<const T>& in, const view<T>& out) {
    apply(activation::relu, in, out);
}
template <std::floating_point T>
void sigmoid(const view<const T>& in, const view<T>& out) {
    apply(activation::sigmoid, in, out);
}
template <std::floating_point T>
void tanh(const view<const T>& in, const view<T>& out) {
    apply(activation::tanh, in, out);
}

/// out = e^in
///
/// shapes   in and out of one shape, any strides; out may be in
/// cost     float: at most 2 units in the last place from the true value, subnormal results included
/// errors   throws std::invalid_argument when the shapes differ
/// source   ONNX Exp-13
inline void exp(const view<const float>& in, const view<float>& out) { detail::exp(active_isa(), in, out); }
inline void exp(const view<const double>& in, const view<double>& out) { apply(unary::exp, in, out); }

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
