// fanfold/kernel/cast.hpp - elements of one type as another.
// SPDX-License-Identifier: MIT
#pragma once
#include <stdexcept>  // std::invalid_argument

#include "../core/tensor.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// out = in, as numbers of out's type. Floating point to integers goes towards zero; what does not fit becomes the
/// nearest that does, NaN 0. Integers to integers wrap. To bool: x != 0, and NaN is true. To floating point: rounded
/// once, too large becomes infinity.
///
/// shapes   in and out of one shape, any strides; they share no memory unless types and strides are equal
/// errors   throws std::invalid_argument when the shapes differ
/// threads  re-entrant
/// source   ONNX Cast-13 (which leaves out-of-range conversions open)
inline void cast(const tensor_view& in, const mutable_tensor_view& out) {
    if (!(in.shape() == out.shape())) throw std::invalid_argument("cast: " + describe(in) + " into " + describe(out));
    const auto copy = [](const auto* from, auto* to, std::size_t n) { std::copy(from, from + n, to); };
    const auto small = [](element type) { return is_floating(type) && size_of(type) <= 4; };
    if (in.type() == out.type()) return fanfold::detail::copy_elements(in, out);
    if (small(in.type()) && small(out.type())) return detail::map_runs<float>(in, out, copy);
    if (is_floating(in.type())) return detail::map_runs<double>(in, out, copy);
    if (in.type() == element::uint64 && is_floating(out.type())) return detail::map_runs<std::uint64_t>(in, out, copy);
    detail::map_runs<std::int64_t>(in, out, copy);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
