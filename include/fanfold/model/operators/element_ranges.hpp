// fanfold/model/operators/element_ranges.hpp - elements, or rows of a matrix, shared by workers.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t, std::uint64_t

#include "../../context/workspace.hpp"
#include "../../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Calls body(slice of in ..., slice of out) for ranges of rows of matrices that have equally many. The work: of all
/// bytes that are read and written, and `flops` for each element of the answer.
template <class Body, class... In>
void over_rows(const workspace& space, std::uint64_t flops, const mutable_tensor_view& out, const Body& body,
               const In&... in) {
    const std::uint64_t bytes = ((out.size() * size_of(out.type())) + ... + (in.size() * size_of(in.type())));
    space.tiles.ranges(static_cast<std::size_t>(out.extent(0)), 8 * bytes + flops * out.size(),
                       [&](std::size_t first, std::size_t last) {
                           body(in.slice(0, first, last - first)..., out.slice(0, first, last - first));
                       });
}

/// Whether elements of dense tensors at one index depend on each other alone; then all can be seen as lists.
template <class... In>
[[nodiscard]] bool alike(const mutable_tensor_view& out, const In&... in) {
    return out.dense() && ((in.dense() && in.shape() == out.shape()) && ...);
}

/// The same for ranges of elements, in sixteens, of tensors that are alike.
template <class Body, class... In>
void over_elements(const workspace& space, std::uint64_t flops, const mutable_tensor_view& out, const Body& body,
                   const In&... in) {
    const std::size_t size = out.size(), sixteens = (size + 15) / 16;
    const shape flat{static_cast<std::int64_t>(size)};
    const std::uint64_t bytes = ((size * size_of(out.type())) + ... + (size * size_of(in.type())));
    space.tiles.ranges(sixteens, 8 * bytes + flops * size, [&](std::size_t first, std::size_t last) {
        const std::size_t from = 16 * first, count = (last == sixteens ? size : 16 * last) - from;
        body(in.reshaped(flat).slice(0, from, count)..., out.reshaped(flat).slice(0, from, count));
    });
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
