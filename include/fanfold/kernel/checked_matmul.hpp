// fanfold/kernel/checked_matmul.hpp - the packed matrix product, with a checksum of every row of answers.
//   in    a [M, K], weights [K, N] packed, their sums
//   out   act(bias + a * weights) [M, N], and how many rows do not add up
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <stdexcept>  // std::invalid_argument

#include "matmul.hpp"
#include "product_check.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

[[nodiscard]] inline product_sums sums_of(const packed_view& w) {
    return product_sums::of(w.panels, w.inner, w.columns,
                            w.bias == nullptr ? std::span<const float>() : std::span(w.bias, w.columns));
}

namespace detail {

template <class T>
[[nodiscard]] view<T> rows_of(const view<T>& all, std::size_t first, std::size_t count) {
    return {all.data() + static_cast<std::ptrdiff_t>(first) * all.step(0),
            shape{static_cast<std::int64_t>(count), all.extent(1)}, strides{all.step(0), all.step(1)}};
}

[[nodiscard]] inline std::size_t checked_matmul(isa set, const view<const float>& a, const packed_view& w,
                                                const product_sums& sums, const view<float>& out, activation act,
                                                const tile_loop& tiles) {
    if (out.size() == 0) return 0;
    if (a.step(1) != 1 || out.step(1) != 1)
        throw std::invalid_argument("checked_matmul: rows have a step between their elements");
    if (sums.ones.size() != w.inner + 16) throw std::invalid_argument("checked_matmul: sums of other weights");
    const check_run whole{0, static_cast<std::ptrdiff_t>(w.inner)};
    const auto rows = static_cast<std::size_t>(a.extent(0));
    const auto block = [&](std::size_t first, std::size_t last) {
        return check_products(set, {a.data() + static_cast<std::ptrdiff_t>(first) * a.step(0), nullptr, a.step(0),
                                    last - first, &whole, 1, w.inner, sums.ones.data(), sums.squares.data(), sums.bias,
                                    out.data() + static_cast<std::ptrdiff_t>(first) * out.step(0),
                                    static_cast<std::size_t>(out.step(0)), w.columns, nullptr, act});
    };
    constexpr std::size_t block_rows = 96;  // what matmul computes at a time: still in the cache
    const std::uint64_t work = 2 * std::uint64_t{w.inner} * w.columns * rows;
    if (tiles.tiles(work, SIZE_MAX) == 1) {
        std::size_t suspicious = 0;
        for (std::size_t row = 0; row < rows; row += block_rows) {
            const std::size_t last = std::min(rows, row + block_rows), count = last - row;
            matmul(set, rows_of(a, row, count), w, rows_of(out, row, count), activation::none);
            suspicious += block(row, last);
        }
        return suspicious;
    }
    matmul(set, a, w, out, activation::none, matmul_start::bias, tiles);
    std::atomic<std::size_t> suspicious{0};
    tiles.ranges(rows, 16 * std::uint64_t{w.inner + w.columns} * rows, [&](std::size_t first, std::size_t last) {
        suspicious.fetch_add(block(first, last), std::memory_order_relaxed);
    });
    return suspicious.load();
}

}  // namespace detail

/// What `matmul` computes, to the bit, and how many rows of it do not add up: d = |sum of y - x (W 1)|, in double and
/// before the activation, is more than rounding explains.
///
/// shapes   as matmul; a and out have step 1 along their rows
/// cost     matmul's, and for each row about K / 2 + N / 3 fused multiply-adds of 16 lanes: 8 / N + 5 / K of it
/// errors   throws std::invalid_argument when the shapes do not fit
/// source   Huang & Abraham 1984
[[nodiscard]] inline std::size_t checked_matmul(const view<const float>& a, const packed_view& w,
                                                const product_sums& sums, const view<float>& out,
                                                activation act = activation::none, const tile_loop& tiles = {}) {
    return detail::checked_matmul(active_isa(), a, w, sums, out, act, tiles);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
