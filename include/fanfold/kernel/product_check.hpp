// fanfold/kernel/product_check.hpp - checksums of products with constant weights: a row of answers must add up to what
// its inputs say.
//   in    rows of x, answers y before their activation, sums of the weights      out   how many rows do not add up
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>    // std::abs, std::sqrt, std::isfinite
#include <cstddef>  // std::size_t
#include <span>     // std::span
#include <vector>   // std::vector

#include "activation.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Sums over the columns of weights [K, N].
///
/// cost     reads the weights once; 12 bytes for each of their rows
struct product_sums {
    std::size_t inner = 0, columns = 0;
    std::vector<double> ones;    ///< W 1, and 16 zeros
    std::vector<float> squares;  ///< of each row of W, and 16 zeros
    double bias = 0;

    /// Of weights packed in panels of 16.
    template <class = void>
    [[nodiscard]] static product_sums of(const float* panels, std::size_t inner, std::size_t columns,
                                         std::span<const float> bias) {
        product_sums sums;
        sums.inner = inner;
        sums.columns = columns;
        sums.ones.resize(inner + 16);
        std::vector<double> squares(inner);
        const float* from = panels;
        for (std::size_t panel = 0; panel < columns; panel += 16)
            for (std::size_t k = 0; k < inner; ++k)
                for (std::size_t lane = 0; lane < 16; ++lane) {
                    const auto w = static_cast<double>(*from++);
                    sums.ones[k] += w;
                    squares[k] += w * w;
                }
        for (const double one : squares) sums.squares.push_back(static_cast<float>(one));
        sums.squares.resize(inner + 16);
        for (const float b : bias) sums.bias += static_cast<double>(b);
        return sums;
    }
};

namespace detail {

/// Inputs that lie side by side: `length` floats from `from` on, seen from where a row's begin.
struct check_run {
    std::ptrdiff_t from, length;
};

struct check_call {
    const float* in;
    const std::ptrdiff_t* at;  // where each row's inputs begin; null: in_step apart
    std::ptrdiff_t in_step;
    std::size_t rows;
    const check_run* runs;
    std::size_t run_count;
    std::size_t inner;
    const double* ones;
    const float* squares;
    double bias;
    float* out;
    std::size_t out_step, columns;
    const double* addend;  // null: none; else the sum and the sum of squares of what was added to each row
    activation act;
    std::size_t group = 1;  // rows that are looked at together: 1 or 4

    [[nodiscard]] const float* input(std::size_t row) const {
        return in == nullptr ? in : in + (at == nullptr ? static_cast<std::ptrdiff_t>(row) * in_step : at[row]);
    }
};

/// Answers [columns][positions], each channel a plane, whose inputs lie in planes, too: tap k of position p at
/// in[taps[k] + p].
struct plane_check_call {
    const float* in;
    const std::ptrdiff_t* taps;
    std::size_t inner;
    const double* ones;
    const float* squares;
    double bias;
    const float* out;
    std::size_t out_step;  // between planes
    std::size_t columns, positions;
};

/// How many positions of a convolution are looked at together: with many columns one, which costs little there; else
/// four, where rounding the sums of four to float stays far below the tolerance.
[[nodiscard]] constexpr std::size_t positions_together(std::size_t inner, std::size_t columns) noexcept {
    return columns <= 512 && inner * inner >= columns ? 4 : 1;
}
[[nodiscard]] inline double check_limit(std::size_t inner, double square) {
    return 4 * 0x1p-24 * std::sqrt(static_cast<double>(inner == 0 ? 1 : inner)) * std::sqrt(square);
}
/// By the squares of the answers alone, a part of the sum below, so that most rows need no more.
/// `square` is a float sum.
[[nodiscard]] inline bool is_clearly_right(std::size_t inner, double difference, double square) {
    constexpr double unit = 4 * 0x1p-24;  // squared: a root for each row would be felt where rows are short
    return square < 1e35 && difference * difference <= unit * unit * static_cast<double>(inner) * square;
}

/// d <= kappa u sqrt(K) sqrt(sum of x^2 w2 + sum of y^2), kappa 4, and finite. x(k) and y(n) give the elements.
///
/// source   Huang & Abraham, "Algorithm-Based Fault Tolerance for Matrix Operations", 1984
template <class X, class Y>
[[nodiscard]] bool is_suspicious(std::size_t inner, std::size_t columns, const float* squares, double difference,
                                 double square, const X& x, const Y& y) {
    for (std::size_t k = 0; k < inner; ++k) square += x(k) * x(k) * static_cast<double>(squares[k]);
    for (std::size_t n = 0; n < columns; ++n) square += y(n) * y(n);
    const double limit = check_limit(inner, square);
    return !(std::isfinite(limit) && std::abs(difference) <= limit);
}
[[nodiscard]] inline bool is_suspicious(const check_call& c, std::size_t row, double difference) {
    const float *in = c.input(row), *out = c.out + row * c.out_step;
    const check_run* run = c.runs;
    std::ptrdiff_t before = 0;  // taps of the runs that are done
    const auto x = [&](std::size_t k) {
        while (static_cast<std::ptrdiff_t>(k) - before >= run->length) before += run++->length;
        return static_cast<double>(in[run->from + (static_cast<std::ptrdiff_t>(k) - before)]);
    };
    return is_suspicious(c.inner, c.columns, c.squares, difference, c.addend == nullptr ? 0 : c.addend[2 * row + 1], x,
                         [&](std::size_t n) { return static_cast<double>(out[n]); });
}
[[nodiscard]] inline bool is_suspicious(const plane_check_call& c, std::size_t position, double difference) {
    return is_suspicious(
        c.inner, c.columns, c.squares, difference, 0,
        [&](std::size_t k) { return static_cast<double>(c.in[c.taps[k] + static_cast<std::ptrdiff_t>(position)]); },
        [&](std::size_t n) { return static_cast<double>(c.out[n * c.out_step + position]); });
}

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/product_check.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/product_check.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/product_check.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

inline void addend_sums(isa set, const float* addend, std::size_t step, std::size_t rows, std::size_t columns,
                        double* to) {
    pick(set, &baseline::addend_sums, &avx2::addend_sums, &avx512::addend_sums)(addend, step, rows, columns, to);
}
[[nodiscard]] inline std::size_t check_products(isa set, const check_call& c) {
    return pick(set, &baseline::check_products, &avx2::check_products, &avx512::check_products)(c);
}
[[nodiscard]] inline std::size_t check_planes(isa set, const plane_check_call& c) {
    return pick(set, &baseline::check_planes, &avx2::check_planes, &avx512::check_planes)(c);
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
