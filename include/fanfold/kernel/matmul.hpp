// fanfold/kernel/matmul.hpp - matrix product with weights repacked once, bias and activation included.
//   in    a [M, K], weights [K, N] packed      out   act(bias + a * weights) [M, N]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint8_t, SIZE_MAX
#include <cstring>    // std::memcpy
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::index_sequence

#include "../context/tile_loop.hpp"
#include "../core/tensor.hpp"
#include "activation.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

struct matmul_call {
    const float* a;
    std::ptrdiff_t a_row, a_step;
    std::size_t rows, inner, columns;
    const float* panels;
    const float* bias;  // whole panels; null: +0
    float* out;
    std::ptrdiff_t out_row, out_step;
    activation act;
    bool accumulate = false;  // the chains go on from what is in out, not from the bias
    bool followed = false;    // the weights of the next product lie behind these
};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/matmul.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/matmul.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/matmul.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// Packed weights that lie elsewhere.
///
/// layout   panels of 16 columns, [ceil(N / 16)][K][16], zeros behind the last column; the same for every
///          instruction set
struct packed_view {
    const float* panels = nullptr;
    const float* bias = nullptr;  ///< ceil(N / 16) * 16 floats; null: no bias
    std::size_t inner = 0;
    std::size_t columns = 0;

    /// How many floats the panels of [inner, columns] weights take; throws std::invalid_argument when that is more than
    /// memory can hold.
    [[nodiscard]] static std::size_t floats(std::size_t inner, std::size_t columns) {
        std::size_t rounded = 0, count = 0, bytes = 0;
        if (__builtin_add_overflow(columns, std::size_t{15}, &rounded) ||
            __builtin_mul_overflow(rounded / 16 * 16, inner, &count) ||
            __builtin_mul_overflow(count, 2 * sizeof(float), &bytes))
            throw std::invalid_argument("packed_matrix: [" + std::to_string(inner) + ", " + std::to_string(columns) +
                                        "] is more than memory can hold");
        return count;
    }
};

/// Packs weights [K, N], any strides, into `room` of `packed_view::floats(K, N)` floats, which must outlive the result.
///
/// cost     reads and writes each weight once
/// errors   throws std::invalid_argument when the weights are no matrix or `room` is too small
[[nodiscard]] inline packed_view pack(const view<const float>& weights, std::span<float> room) {
    if (weights.rank() != 2)
        throw std::invalid_argument("packed_matrix: weights " + weights.shape().text() + " are not [K, N]");
    const auto inner = static_cast<std::size_t>(weights.extent(0)),
               columns = static_cast<std::size_t>(weights.extent(1));
    const std::size_t needed = packed_view::floats(inner, columns);
    if (room.size() < needed)
        throw std::invalid_argument("packed_matrix: room for " + std::to_string(room.size()) + " floats, weights " +
                                    weights.shape().text() + " need " + std::to_string(needed));
    float* to = room.data();
    if (inner == 0) return {room.data(), nullptr, inner, columns};  // however many columns a file may claim
    for (std::size_t column = 0; column < columns; column += 16) {
        const std::size_t width = columns - column < 16 ? columns - column : 16;
        std::size_t k = 0;
        // Columns that lie in rows of their own are read a cache line at a time: sixteen of them compete for few lines.
        for (; weights.step(0) == 1 && width == 16 && k + 16 <= inner; k += 16, to += 256) {
            const float* from =
                weights.data() + static_cast<std::ptrdiff_t>(k) + static_cast<std::ptrdiff_t>(column) * weights.step(1);
            for (std::size_t n = 0; n < 16; ++n, from += weights.step(1)) {
                float line[16];
                std::memcpy(line, from, sizeof line);
                for (std::size_t i = 0; i < 16; ++i) to[i * 16 + n] = line[i];
            }
        }
        for (; k < inner; ++k, to += 16) {
            const float* from = weights.data() + static_cast<std::ptrdiff_t>(k) * weights.step(0) +
                                static_cast<std::ptrdiff_t>(column) * weights.step(1);
            if (weights.step(1) == 1 && width == 16) {
                std::memcpy(to, from, 16 * sizeof(float));
                continue;
            }
            for (std::size_t n = 0; n < width; ++n) to[n] = from[static_cast<std::ptrdiff_t>(n) * weights.step(1)];
            for (std::size_t n = width; n < 16; ++n) to[n] = 0;
        }
    }
    return {room.data(), nullptr, inner, columns};
}

/// Owns packed weights and their bias: pack once, multiply often.
///
/// shapes   weights [K, N] of any strides; bias [N] of any step, or of size 0 for none
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  const use from any thread
class packed_matrix {
public:
    packed_matrix() = default;
    explicit packed_matrix(const view<const float>& weights, const view<const float>& bias = {}) {
        if (weights.rank() != 2)
            throw std::invalid_argument("packed_matrix: weights " + weights.shape().text() + " are not [K, N]");
        if (bias.size() != 0 && (bias.rank() != 1 || bias.extent(0) != weights.extent(1)))
            throw std::invalid_argument("packed_matrix: bias " + bias.shape().text() + " for weights " +
                                        weights.shape().text());
        inner_ = static_cast<std::size_t>(weights.extent(0));
        columns_ = static_cast<std::size_t>(weights.extent(1));
        count_ = packed_floats(inner_, columns_);
        const std::size_t padded = (columns_ + 15) / 16 * 16;
        const std::size_t total = count_ + (bias.size() == 0 ? 0 : padded);
        data_ = tensor::populated(element::float32, shape{static_cast<std::int64_t>(total)});
        (void)pack(weights, {floats(), count_});
        if (bias.size() == 0) return;
        has_bias_ = true;
        for (std::size_t n = 0; n < padded; ++n)
            floats()[count_ + n] = n < columns_ ? bias.data()[static_cast<std::ptrdiff_t>(n) * bias.step(0)] : 0.0F;
    }

    [[nodiscard]] std::size_t inner() const noexcept { return inner_; }
    [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
    [[nodiscard]] std::size_t bytes() const { return data_.bytes(); }
    [[nodiscard]] bool has_bias() const noexcept { return has_bias_; }
    /// Panels and bias.
    [[nodiscard]] std::span<const std::byte> memory() const { return {data_.data(), data_.bytes()}; }
    /// [ceil(N / 16)][K][16]
    [[nodiscard]] std::span<const float> panels() const { return {floats(), count_}; }
    /// [N]; empty when there is none.
    [[nodiscard]] std::span<const float> bias() const { return {floats() + count_, has_bias_ ? columns_ : 0}; }
    [[nodiscard]] packed_view seen() const& {
        return {floats(), has_bias_ ? floats() + count_ : nullptr, inner_, columns_};
    }
    packed_view seen() const&& = delete;  // would dangle

    [[nodiscard]] static std::size_t packed_floats(std::size_t inner, std::size_t columns) {
        return packed_view::floats(inner, columns);
    }

private:
    float* floats() { return reinterpret_cast<float*>(data_.data()); }
    const float* floats() const { return reinterpret_cast<const float*>(data_.data()); }

    tensor data_;  // the panels, then the bias padded to whole panels
    std::size_t count_ = 0;
    std::size_t inner_ = 0;
    std::size_t columns_ = 0;
    bool has_bias_ = false;
};

namespace detail {

/// How a product is cut for several workers: rows in twelves, columns in panels of 128.
struct matmul_parts {
    std::size_t rows = 1, columns = 1;

    matmul_parts(const matmul_call& m, const tile_loop& tiles) {
        const std::uint64_t work = 2 * std::uint64_t{m.inner} * m.columns * (m.rows + 8);  // with few rows, it reads
        const std::size_t wanted = tiles.tiles(work, SIZE_MAX);
        if (wanted == 1) return;
        const std::size_t blocks = (m.rows + 95) / 96, twelves = (m.rows + 11) / 12, panels = (m.columns + 127) / 128;
        rows = std::min(blocks, wanted);
        columns = std::min(panels, (wanted + rows - 1) / rows);
        if (rows * columns < std::min(wanted, tiles.width()))
            rows = std::min(twelves, (wanted + columns - 1) / columns);
    }
};

/// Some rows and columns of it.
[[nodiscard]] inline matmul_call part_of(const matmul_call& m, const matmul_parts& parts, std::size_t tile) {
    const std::size_t down = tile / parts.columns, across = tile % parts.columns;
    const std::size_t twelves = (m.rows + 11) / 12, panels = (m.columns + 127) / 128;
    const std::size_t row = twelves * down / parts.rows * 12, column = panels * across / parts.columns * 128;
    matmul_call part = m;
    part.rows = std::min(m.rows, twelves * (down + 1) / parts.rows * 12) - row;
    part.columns = std::min(m.columns, panels * (across + 1) / parts.columns * 128) - column;
    part.a += static_cast<std::ptrdiff_t>(row) * m.a_row;
    part.panels += column * m.inner;
    if (part.bias != nullptr) part.bias += column;
    part.out += static_cast<std::ptrdiff_t>(row) * m.out_row + static_cast<std::ptrdiff_t>(column) * m.out_step;
    return part;
}

/// What the sums start from: the bias, or what stands in the answer already.
enum class matmul_start : std::uint8_t { bias, out };

inline void matmul(isa set, const view<const float>& a, const packed_view& w, const view<float>& out, activation act,
                   matmul_start start = matmul_start::bias, const tile_loop& tiles = {}) {
    if (a.rank() != 2 || out.rank() != 2 || static_cast<std::size_t>(a.extent(1)) != w.inner ||
        static_cast<std::size_t>(out.extent(1)) != w.columns || a.extent(0) != out.extent(0))
        throw std::invalid_argument("matmul: " + a.shape().text() + " times weights [" + std::to_string(w.inner) +
                                    ", " + std::to_string(w.columns) + "] into " + out.shape().text());
    if (out.size() == 0) return;
    const matmul_call call{a.data(),
                           w.inner == 0 ? 0 : a.step(0),  // rows of nothing lie nowhere
                           a.step(1),
                           static_cast<std::size_t>(a.extent(0)),
                           w.inner,
                           w.columns,
                           w.panels,
                           w.bias,
                           out.data(),
                           out.step(0),
                           out.step(1),
                           act,
                           start == matmul_start::out};
    const auto kernel = pick(set, &baseline::matmul, &avx2::matmul, &avx512::matmul);
    const matmul_parts parts(call, tiles);
    if (parts.rows * parts.columns == 1) return kernel(call);
    tiles(parts.rows * parts.columns, [&](std::size_t tile) { kernel(part_of(call, parts, tile)); });
}

}  // namespace detail

/// out[m, n] = act(bias[n] + sum over k of a[m, k] * weights[k, n])
///
/// shapes   a [M, K], out [M, N], any strides; fastest when out has step 1 along N. out may not overlap a. K = 0 gives
///          act(bias)
/// cost     2 M N K flops; reads the weights once per 96 rows (48 where rows are gathered, at most 48 KiB of stack)
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; split by `tiles` into rows and columns. One chain of fused multiply-adds in ascending k for
///          each output, starting from the bias: the bits of a row do not depend on M
/// source   ONNX Gemm-13, MatMul-13
inline void matmul(const view<const float>& a, const packed_view& w, const view<float>& out,
                   activation act = activation::none, const tile_loop& tiles = {}) {
    detail::matmul(active_isa(), a, w, out, act, detail::matmul_start::bias, tiles);
}
inline void matmul(const view<const float>& a, const packed_matrix& w, const view<float>& out,
                   activation act = activation::none, const tile_loop& tiles = {}) {
    detail::matmul(active_isa(), a, w.seen(), out, act, detail::matmul_start::bias, tiles);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
