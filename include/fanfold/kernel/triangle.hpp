// fanfold/kernel/triangle.hpp - the upper or lower triangle of matrices, zero elsewhere.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp

#include "index.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class triangle : std::uint8_t { upper, lower };

/// out = in where column - row >= diagonal (upper) or <= diagonal (lower), else 0.
///
/// shapes   in and out dense, of one type and shape [..., rows, columns]; out may be in
/// errors   throws std::invalid_argument when shapes or types do not fit
/// threads  re-entrant
/// source   ONNX Trilu-14
inline void trilu(triangle part, std::int64_t diagonal, const tensor_view& in, const mutable_tensor_view& out) {
    if (in.type() != out.type() || !(in.shape() == out.shape()) || in.rank() < 2)
        detail::refuse("trilu", describe(in) + " into " + describe(out));
    detail::expect_dense("trilu", in, out);
    if (in.size() == 0) return;
    const std::size_t width = size_of(in.type());
    const std::int64_t rows = in.extent(in.rank() - 2), columns = in.extent(in.rank() - 1);
    const std::size_t bytes = static_cast<std::size_t>(columns) * width;
    const std::size_t all = in.size() / static_cast<std::size_t>(columns);
    diagonal = std::clamp(diagonal, -rows, columns);
    for (std::size_t row = 0; row < all; ++row) {
        const auto at = static_cast<std::int64_t>(row) % rows + diagonal;  // where the diagonal crosses
        const auto split =
            static_cast<std::size_t>(std::clamp<std::int64_t>(part == triangle::upper ? at : at + 1, 0, columns)) *
            width;
        std::byte* to = out.data() + row * bytes;
        const std::byte* from = in.data() + row * bytes;
        const std::size_t first = part == triangle::upper ? split : 0, last = part == triangle::upper ? bytes : split;
        std::memset(to, 0, first);
        if (to != from) std::memcpy(to + first, from + first, last - first);
        std::memset(to + last, 0, bytes - last);
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
