// fanfold/kernel/unique.hpp - every slice of a tensor once.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::stable_sort
#include <numeric>    // std::iota
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../core/tensor.hpp"
#include "index.hpp"
#include "widen.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// sorted: ascending; seen: in the order in which they first occur.
enum class unique_order : std::uint8_t { sorted, seen };

/// `values` has the distinct slices; `first` where each occurs first; `inverse` which of them each slice of the input
/// equals; `counts` how often each occurs.
struct unique_slices {
    tensor values;
    std::vector<std::int64_t> first, inverse, counts;
};

namespace detail {

/// Slices of [outer, n, inner] along n compared element by element in row-major order; NaN last, and equal to itself.
template <class T>
struct slice_order {
    const T* data;
    std::size_t outer, n, inner;

    [[nodiscard]] int compare(std::int64_t i, std::int64_t j) const {
        for (std::size_t o = 0; o < outer; ++o) {
            const T* a = data + (o * n + static_cast<std::size_t>(i)) * inner;
            const T* b = data + (o * n + static_cast<std::size_t>(j)) * inner;
            for (std::size_t k = 0; k < inner; ++k) {
                const bool left = a[k] != a[k], right = b[k] != b[k];
                if (left != right) return left ? 1 : -1;
                if (a[k] < b[k]) return -1;
                if (a[k] > b[k]) return 1;
            }
        }
        return 0;
    }
};

}  // namespace detail

/// The distinct slices of `in` along `axis`. For distinct elements reshape it to one axis first.
///
/// shapes   in dense, of any type
/// cost     n log n comparisons of slices; allocates, since nobody knows the size before
/// errors   throws std::invalid_argument when there is no such axis, or for several slices without elements
/// threads  re-entrant
/// source   ONNX Unique-11
[[nodiscard]] inline unique_slices unique(unique_order order, const tensor_view& in, std::size_t axis) {
    if (axis >= in.rank()) detail::refuse("unique", "no axis " + std::to_string(axis) + " in " + describe(in));
    detail::expect_dense("unique", in);
    if (in.size() == 0 && in.extent(axis) > 1)  // their number may be any
        detail::refuse("unique", "slices without elements in " + describe(in));
    const auto n = static_cast<std::size_t>(in.extent(axis));
    const std::size_t outer = detail::volume_of(in.shape(), 0, axis);
    const std::size_t inner = detail::volume_of(in.shape(), axis + 1, in.rank());
    std::vector<std::int64_t> by(n), group(n), firsts;
    std::iota(by.begin(), by.end(), 0);
    unique_slices found;
    visit_element(in.type(), [&]<class T>(T) {
        const detail::slice_order<T> slices{reinterpret_cast<const T*>(in.data()), outer, n, inner};
        std::stable_sort(by.begin(), by.end(),
                         [&](std::int64_t i, std::int64_t j) { return slices.compare(i, j) < 0; });
        for (std::size_t i = 0; i < n; ++i) {
            if (i == 0 || slices.compare(by[i - 1], by[i]) != 0) firsts.push_back(by[i]);
            group[static_cast<std::size_t>(by[i])] = static_cast<std::int64_t>(firsts.size()) - 1;
        }
    });
    std::vector<std::int64_t> place(firsts.size());  // of a sorted group in the answer
    std::iota(place.begin(), place.end(), 0);
    found.first = firsts;
    if (order == unique_order::seen) {
        std::sort(found.first.begin(), found.first.end());
        for (std::size_t g = 0; g < firsts.size(); ++g)
            place[g] = std::lower_bound(found.first.begin(), found.first.end(), firsts[g]) - found.first.begin();
    }
    found.counts.assign(firsts.size(), 0);
    for (const std::int64_t g : group) {
        found.inverse.push_back(place[static_cast<std::size_t>(g)]);
        ++found.counts[static_cast<std::size_t>(found.inverse.back())];
    }
    found.values = tensor::uninitialized(in.type(), in.shape().with(axis, static_cast<std::int64_t>(firsts.size())));
    const std::size_t width = inner * size_of(in.type());
    std::byte* to = found.values.data();
    if (found.values.size() == 0) return found;
    for (std::size_t o = 0; o < outer; ++o)
        for (const std::int64_t i : found.first) {
            detail::copy_bytes(to, in.data() + (o * n + static_cast<std::size_t>(i)) * width, width);
            to += width;
        }
    return found;
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
