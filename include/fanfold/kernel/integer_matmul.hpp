// fanfold/kernel/integer_matmul.hpp - products and convolutions of 8-bit integers, exact in 32 bits.
//   in    int8 or uint8 tensors and their zero points      out   int32
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../context/workspace.hpp"
#include "convolution_nd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// Products of differences of bytes are at most 255 * 255 in size: floats hold the sum of this many exactly.
inline constexpr std::int64_t exact_products = 256;
static_assert(exact_products * 255 * 255 <= std::int64_t{1} << 24);

/// Adds exact sums to out, or sets it; what does not fit 32 bits wraps.
inline void add_exact(const float* sums, std::int64_t count, std::int32_t* out, bool add) {
    for (std::int64_t i = 0; i < count; ++i) {
        const auto sum = static_cast<std::uint32_t>(static_cast<std::int32_t>(sums[i]));
        out[i] = static_cast<std::int32_t>(add ? static_cast<std::uint32_t>(out[i]) + sum : sum);
    }
}

/// Elements of an int8 or uint8 tensor as integers: one code for both types.
struct byte_reader {
    const std::uint8_t* data;
    std::int32_t flip;  // 128 for int8: two's complement with the sign bit turned is the value + 128

    byte_reader(std::string_view who, const tensor_view& t)
        : data(reinterpret_cast<const std::uint8_t*>(t.data())), flip(t.type() == element::int8 ? 128 : 0) {
        if (t.type() != element::int8 && t.type() != element::uint8)
            throw std::invalid_argument(std::string(who) + ": expected int8 or uint8, got " + describe(t));
    }
    [[nodiscard]] std::int32_t operator[](std::int64_t i) const { return (data[i] ^ flip) - flip; }
};

/// Zero points of a tensor: none, one for all, or one for each of `count` rows or columns.
struct zero_points {
    tensor_view values;
    std::size_t count;
    byte_reader read;

    zero_points(std::string_view who, const tensor_view& points, std::size_t expected)
        : values(points),
          count(points.size()),
          read(who, count == 0 ? tensor_view(nullptr, element::uint8, shape{0}) : points) {
        if (count > 1 && count != expected)
            throw std::invalid_argument(std::string(who) + ": " + std::to_string(count) + " zero points for " +
                                        std::to_string(expected) + " rows or columns");
    }
    [[nodiscard]] std::int32_t operator[](std::int64_t i) const { return count == 0 ? 0 : read[count == 1 ? 0 : i]; }
};

inline void matmul_integer(isa set, const tensor_view& a, const tensor_view& a_zero, const tensor_view& b,
                           const tensor_view& b_zero, const view<std::int32_t>& out, workspace& space) {
    const char* const who = "matmul_integer";
    if (a.rank() != 2 || b.rank() != 2 || out.rank() != 2 || a.extent(1) != b.extent(0) ||
        out.extent(0) != a.extent(0) || out.extent(1) != b.extent(1) || (out.extent(1) > 1 && out.step(1) != 1))
        throw std::invalid_argument("matmul_integer: " + describe(a) + " times " + describe(b) + " into " +
                                    out.shape().text());
    const byte_reader from_a(who, a), from_b(who, b);
    const std::int64_t rows = a.extent(0), inner = a.extent(1), columns = b.extent(1);
    const zero_points zero_a(who, a_zero, static_cast<std::size_t>(rows));
    const zero_points zero_b(who, b_zero, static_cast<std::size_t>(columns));
    if (out.size() == 0) return;
    const std::int64_t deepest = std::min(inner, exact_products), tallest = std::min<std::int64_t>(rows, 96);
    const auto room = [&](std::int64_t count) { return space.take<float>(static_cast<std::size_t>(count)); };
    const workspace::scope scope(space);
    const auto wide_a = room(tallest * deepest), panels = room((columns + 15) / 16 * 16 * deepest);
    const auto sums = room(tallest * columns);
    std::int64_t first = 0;
    do {  // once for inner == 0, too
        const std::int64_t depth = std::min(inner - first, exact_products);
        float* to = panels.data();
        for (std::int64_t column = 0; column < columns; column += 16)
            for (std::int64_t k = first; k < first + depth; ++k)
                for (std::int64_t n = column; n < column + 16; ++n) {
                    const bool real = n < columns;
                    *to++ = real ? static_cast<float>(from_b[k * b.steps()[0] + n * b.steps()[1]] - zero_b[n]) : 0.0F;
                }
        for (std::int64_t start = 0; start < rows; start += tallest) {
            space.stop.check();
            const std::int64_t tile = std::min(tallest, rows - start);
            to = wide_a.data();
            for (std::int64_t m = start; m < start + tile; ++m)
                for (std::int64_t k = first; k < first + depth; ++k)
                    *to++ = static_cast<float>(from_a[m * a.steps()[0] + k * a.steps()[1]] - zero_a[m]);
            matmul(set, {wide_a.data(), shape{tile, depth}},
                   {panels.data(), nullptr, static_cast<std::size_t>(depth), static_cast<std::size_t>(columns)},
                   {sums.data(), shape{tile, columns}}, activation::none);
            for (std::int64_t m = 0; m < tile; ++m)
                add_exact(sums.data() + m * columns, columns, out.data() + (start + m) * out.step(0), first != 0);
        }
        first += exact_products;
    } while (first < inner);
}

inline void conv_integer(isa set, const tensor_view& in, const tensor_view& in_zero, const tensor_view& weights,
                         const tensor_view& weights_zero, const conv_geometry& g, const view<std::int32_t>& out,
                         workspace& space) {
    const char* const who = "conv_integer";
    const window3 w = conv_window(in.shape(), weights.shape(), g);
    const std::int64_t outputs = weights.extent(0), channels = weights.extent(1), taps = channels * w.window();
    check_conv(in.shape(), weights.shape(), 0, outputs, out.shape(), w.answer(in.shape(), outputs),
               in.dense() && weights.dense() && out.dense());
    const byte_reader from(who, in), weight(who, weights);
    const zero_points zero(who, in_zero, 1), weight_zero(who, weights_zero, static_cast<std::size_t>(outputs));
    if (out.size() == 0) return;
    const std::int64_t positions = w.out_plane(), plane = w.in_plane(), deepest = std::min(taps, exact_products);
    const std::int64_t block = panel_positions(deepest, positions), of_group = outputs / g.groups;
    const auto room = [&](std::int64_t count) { return space.take<float>(static_cast<std::size_t>(count)); };
    const workspace::scope scope(space);
    const auto wide = room(outputs * taps), panels = room(block * deepest), sums = room(of_group * block);
    for (std::int64_t i = 0; i < outputs * taps; ++i)
        wide[static_cast<std::size_t>(i)] = static_cast<float>(weight[i] - weight_zero[i / taps]);
    const std::int32_t shift = zero[0];
    for (std::int64_t part = 0; part < in.extent(0) * g.groups; ++part) {
        space.stop.check();
        for (std::int64_t first = 0; first < positions; first += block)
            for (std::int64_t tap = 0; tap < taps; tap += deepest) {
                space.stop.check();
                const std::int64_t count = std::min(block, positions - first), depth = std::min(deepest, taps - tap);
                image_to_panels(w, tap, tap + depth, first, count, panels.data(), [&](std::int64_t c, std::int64_t i) {
                    return static_cast<float>(from[(part * channels + c) * plane + i] - shift);
                });
                matmul(
                    set,
                    {wide.data() + part % g.groups * of_group * taps + tap, shape{of_group, depth}, strides{taps, 1}},
                    {panels.data(), nullptr, static_cast<std::size_t>(depth), static_cast<std::size_t>(count)},
                    {sums.data(), shape{of_group, count}}, activation::none);
                for (std::int64_t o = 0; o < of_group; ++o)
                    add_exact(sums.data() + o * count, count, out.data() + (part * of_group + o) * positions + first,
                              tap != 0);
            }
    }
}

}  // namespace detail

/// out[m, n] = sum over k of (a[m, k] - a_zero[m]) * (b[k, n] - b_zero[n]), exact while it fits 32 bits, else wrapped.
///
/// shapes   a [M, K], b [K, N] int8 or uint8 of any strides; zero points of the same kind: of size 0 (zero), 1, or [M]
///          and [N]; out [M, N] with step 1 along N
/// cost     2 M N K flops: the float product, exact over 256 steps of K at a time; scratch for 256 rows of b
/// errors   throws std::invalid_argument when the shapes or types do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX MatMulInteger-10
inline void matmul_integer(const tensor_view& a, const tensor_view& a_zero, const tensor_view& b,
                           const tensor_view& b_zero, const view<std::int32_t>& out, workspace& space) {
    detail::matmul_integer(active_isa(), a, a_zero, b, b_zero, out, space);
}

/// Convolution of integers; padding counts as the zero point. Exact as matmul_integer.
///
/// shapes   as conv_nd, int8 or uint8; in_zero of size 0 or 1, weights_zero of size 0, 1 or [O]
/// errors   as conv_nd
/// threads  re-entrant with a workspace each
/// source   ONNX ConvInteger-10
inline void conv_integer(const tensor_view& in, const tensor_view& in_zero, const tensor_view& weights,
                         const tensor_view& weights_zero, const conv_geometry& geometry, const view<std::int32_t>& out,
                         workspace& space) {
    detail::conv_integer(active_isa(), in, in_zero, weights, weights_zero, geometry, out, space);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
