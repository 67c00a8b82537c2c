// fanfold/kernel/plain_matmul.hpp - matrix product of other types than float32, without packing.
//   in    a [M, K], b [K, N]      out   a b [M, N]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::fill_n
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// out[m, n] = sum over k of a[m, k] * b[k, n], in ascending k; unsigned integers wrap around.
///
/// shapes   a [M, K] and b [K, N] of any strides, out [M, N] with step 1 along N
/// cost     2 M N K operations; vectors where b has step 1 along N
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant; the bits of a row do not depend on M
/// source   ONNX MatMul-13
template <class T>
void plain_matmul(const view<const T>& a, const view<const T>& b, const view<T>& out) {
    if (a.rank() != 2 || b.rank() != 2 || out.rank() != 2 || a.extent(1) != b.extent(0) ||
        out.extent(0) != a.extent(0) || out.extent(1) != b.extent(1) || (out.extent(1) > 1 && out.step(1) != 1))
        throw std::invalid_argument("plain_matmul: " + a.shape().text() + " times " + b.shape().text() + " into " +
                                    out.shape().text());
    const std::int64_t columns = out.extent(1);
    for (std::int64_t m = 0; m < a.extent(0); ++m) {
        T* const row = out.data() + m * out.step(0);
        std::fill_n(row, columns, T{});
        for (std::int64_t k = 0; k < a.extent(1); ++k) {
            const T factor = a.data()[m * a.step(0) + k * a.step(1)];
            const T* from = b.data() + k * b.step(0);
            if (b.step(1) == 1)
                for (std::int64_t n = 0; n < columns; ++n) row[n] += factor * from[n];
            else
                for (std::int64_t n = 0; n < columns; ++n) row[n] += factor * from[n * b.step(1)];
        }
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
