// fanfold/kernel/elementwise.hpp - relu, sigmoid, tanh, exp; sums, differences, products, quotients with broadcasting.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <array>        // std::array
#include <cmath>        // std::exp, std::tanh
#include <concepts>     // std::floating_point
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::make_unsigned_t

#include "../core/view.hpp"
#include "activation.hpp"
#include "strided.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class binary : std::uint8_t { add, sub, mul, div };

[[nodiscard]] constexpr std::string_view name_of(binary op) noexcept {
    switch (op) {
        case binary::add: return "add";
        case binary::sub: return "sub";
        case binary::mul: return "mul";
        case binary::div: return "div";
    }
    return "?";
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

/// The shape that `a` and `b` have together: axes are aligned at the last, an extent of 1 stretches.
///
/// errors   throws std::invalid_argument with both shapes when they do not fit
/// source   ONNX multidirectional broadcasting
[[nodiscard]] inline shape broadcast_shape(const shape& a, const shape& b) {
    const std::size_t rank = std::max(a.rank(), b.rank());
    std::array<std::int64_t, shape::max_rank> extents{};
    for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::size_t back = rank - axis;
        const std::int64_t left = back > a.rank() ? 1 : a[a.rank() - back];
        const std::int64_t right = back > b.rank() ? 1 : b[b.rank() - back];
        if (left != right && left != 1 && right != 1)
            throw std::invalid_argument("cannot broadcast " + a.text() + " with " + b.text());
        extents[axis] = left == 1 ? right : left;
    }
    return shape(std::span<const std::int64_t>(extents.data(), rank));
}

namespace detail {

/// The strides of a tensor seen as a larger one: 0 where it is repeated.
[[nodiscard]] inline strides stretched(const shape& from, const strides& steps, const shape& to) {
    strides wide{};
    for (std::size_t axis = 0; axis < from.rank(); ++axis)
        wide[axis + to.rank() - from.rank()] = from[axis] == 1 ? 0 : steps[axis];
    return wide;
}

template <class T>
[[nodiscard]] constexpr T compute(binary op, T x, T y) noexcept {
    if constexpr (std::floating_point<T>) {
        switch (op) {
            case binary::add: return x + y;
            case binary::sub: return x - y;
            case binary::mul: return x * y;
            case binary::div: return x / y;
        }
    } else {
        using bits = std::make_unsigned_t<T>;
        const auto p = static_cast<bits>(x), q = static_cast<bits>(y);
        switch (op) {
            case binary::add: return static_cast<T>(p + q);
            case binary::sub: return static_cast<T>(p - q);
            case binary::mul: return static_cast<T>(p * q);
            case binary::div: return y == 0 ? T{0} : y == -1 ? static_cast<T>(bits{0} - p) : static_cast<T>(x / y);
        }
    }
    return x;
}

template <class T>
void elementwise(isa set, binary op, const view<const T>& a, const view<const T>& b, const view<T>& out) {
    const shape whole = broadcast_shape(a.shape(), b.shape());
    if (!(whole == out.shape()))
        throw std::invalid_argument(std::string(name_of(op)) + ": " + a.shape().text() + " and " + b.shape().text() +
                                    " make " + whole.text() + ", not " + out.shape().text());
    [[maybe_unused]] const auto row = pick(set, &baseline::binary_row, &avx2::binary_row, &avx512::binary_row);
    for_each_run<3>(whole,
                    {stretched(a.shape(), a.steps(), whole), stretched(b.shape(), b.steps(), whole), out.steps()},
                    [&](const offsets<3>& at, std::size_t n, const offsets<3>& step) {
                        const T* x = a.data() + at[0];
                        const T* y = b.data() + at[1];
                        T* z = out.data() + at[2];
                        if constexpr (std::same_as<T, float>) {
                            if ((step[0] | 1) == 1 && (step[1] | 1) == 1 && step[2] == 1)
                                return row(op, x, step[0] == 0, y, step[1] == 0, z, n);
                        }
                        for (std::size_t i = 0; i < n; ++i, x += step[0], y += step[1], z += step[2])
                            *z = compute(op, *x, *y);
                    });
}

/// `row(in, out, n)` over all elements, whatever the strides.
template <class Row>
void unary(const char* name, const view<const float>& in, const view<float>& out, Row&& row) {
    if (!(in.shape() == out.shape()))
        throw std::invalid_argument(std::string(name) + ": " + in.shape().text() + " into " + out.shape().text());
    for_each_run<2>(in.shape(), {in.steps(), out.steps()},
                    [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
                        const float* x = in.data() + at[0];
                        float* z = out.data() + at[1];
                        if (step[0] == 1 && step[1] == 1) return row(x, z, n);
                        std::array<float, 64> some;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
                        for (std::size_t done = 0; done < n;) {
                            const std::size_t count = std::min(n - done, some.size());
                            for (std::size_t i = 0; i < count; ++i, x += step[0]) some[i] = *x;
                            row(some.data(), some.data(), count);
                            for (std::size_t i = 0; i < count; ++i, z += step[1]) *z = some[i];
                            done += count;
                        }
                    });
}

template <class F>
void unary_of_double(const char* name, const view<const double>& in, const view<double>& out, F&& f) {
    if (!(in.shape() == out.shape()))
        throw std::invalid_argument(std::string(name) + ": " + in.shape().text() + " into " + out.shape().text());
    for_each_run<2>(in.shape(), {in.steps(), out.steps()},
                    [&](const offsets<2>& at, std::size_t n, const offsets<2>& step) {
                        const double* x = in.data() + at[0];
                        double* z = out.data() + at[1];
                        for (std::size_t i = 0; i < n; ++i, x += step[0], z += step[1]) *z = f(*x);
                    });
}

inline void apply(isa set, activation act, const view<const float>& in, const view<float>& out) {
    unary(name_of(act).data(), in, out,
          [&](const float* x, float* z, std::size_t n) { activate_row(set, act, x, z, n); });
}
inline void exp(isa set, const view<const float>& in, const view<float>& out) {
    unary("exp", in, out, [&](const float* x, float* z, std::size_t n) { exp_row(set, x, z, n); });
}

}  // namespace detail

/// out = a op b, with broadcasting.
///
/// shapes   out has broadcast_shape(a, b); any strides; fastest where runs are dense or one value repeats. out may be
///          an operand of its own shape
/// errors   throws std::invalid_argument when the shapes do not fit. Integers wrap; they divide towards zero, and by
///          zero to 0
/// threads  re-entrant; an element's bits depend on its operands alone
/// source   ONNX Add-14, Sub-14, Mul-14, Div-14
template <class T>
requires(std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> ||
         std::same_as<T, std::int64_t>) void elementwise(binary op, const view<const T>& a, const view<const T>& b,
                                                         const view<T>& out) {
    detail::elementwise<T>(active_isa(), op, a, b, out);
}

/// out = act(in)
///
/// shapes   in and out of one shape, any strides; out may be in
/// cost     float sigmoid and tanh: at most 3 units in the last place from the true value, subnormal results included;
///          double uses std::exp and std::tanh
/// errors   throws std::invalid_argument when the shapes differ
/// threads  re-entrant; an element's bits depend neither on its position nor on how many there are
/// source   ONNX Relu-14, Sigmoid-13, Tanh-13; NaN stays NaN, relu(-0) is -0
inline void apply(activation act, const view<const float>& in, const view<float>& out) {
    detail::apply(active_isa(), act, in, out);
}
inline void apply(activation act, const view<const double>& in, const view<double>& out) {
    detail::unary_of_double(name_of(act).data(), in, out, [act](double x) {
        switch (act) {
            case activation::relu: return 0 > x ? 0.0 : x;
            case activation::sigmoid: {
                const double e = std::exp(-std::abs(x));
                return (x < 0 ? e : 1.0) / (1.0 + e);
            }
            case activation::tanh: return std::tanh(x);
            case activation::none: break;
        }
        return x;
    });
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
inline void exp(const view<const double>& in, const view<double>& out) {
    detail::unary_of_double("exp", in, out, [](double x) { return std::exp(x); });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
