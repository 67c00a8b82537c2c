// fanfold/kernel/top_k.hpp - the largest or smallest elements along an axis, in order.
// SPDX-License-Identifier: MIT
#pragma once
#include "arg_extreme.hpp"
#include "index.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {
namespace detail {

/// Element i of the row at `first`, as a number that orders: NaN above everything, equal ones by index.
template <class T>
struct row_order {
    const T* first;
    std::int64_t step;
    extreme which;

    [[nodiscard]] bool before(std::int64_t i, std::int64_t j) const {
        const T a = first[i * step], b = first[j * step];
        bool up = a<b, down = a> b;
        if constexpr (!std::integral<T>) {
            const bool left = a != a, right = b != b;
            up = up || (right && !left);
            down = down || (left && !right);
        }
        if (up || down) return which == extreme::largest ? down : up;
        return i < j;
    }
};

/// Lets heap[at] sink: the root of a heap is what comes last.
template <class T>
void sink(const row_order<T>& order, std::int64_t* heap, std::int64_t step, std::int64_t at, std::int64_t size) {
    const std::int64_t moved = heap[at * step];
    while (true) {
        std::int64_t child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && order.before(heap[child * step], heap[(child + 1) * step])) ++child;
        if (!order.before(moved, heap[child * step])) break;
        heap[at * step] = heap[child * step];
        at = child;
    }
    heap[at * step] = moved;
}

/// The first k of n in their order, as indices `step` apart.
template <class T>
void top_of_row(const row_order<T>& order, std::int64_t n, std::int64_t k, std::int64_t* heap, std::int64_t step) {
    if (k == 0) return;
    for (std::int64_t i = 0; i < k; ++i) heap[i * step] = i;
    for (std::int64_t i = k / 2; i-- > 0;) sink(order, heap, step, i, k);
    for (std::int64_t i = k; i < n; ++i)
        if (order.before(i, heap[0])) {
            heap[0] = i;
            sink(order, heap, step, 0, k);
        }
    for (std::int64_t size = k; size-- > 1;) {
        std::swap(heap[0], heap[size * step]);
        sink(order, heap, step, 0, size);
    }
}

}  // namespace detail

/// The k largest (smallest) elements along `axis`, best first, and where they stand; of equal ones the first. NaN
/// counts as larger than every number.
///
/// shapes   in of number type, dense; values of its type and indices of int64, dense, of in's shape but k along `axis`
/// cost     n log k per row, no memory
/// errors   throws std::invalid_argument when shapes, types or the axis do not fit
/// threads  re-entrant
/// source   ONNX TopK-11 (which leaves the order open where sorted = 0)
inline void top_k(extreme which, const tensor_view& in, std::size_t axis, const mutable_tensor_view& values,
                  const view<std::int64_t>& indices) {
    const bool known = axis < in.rank() && axis < values.rank();
    const std::int64_t k = known ? values.extent(axis) : 0;
    if (!known || values.type() != in.type() || in.type() == element::boolean || k > in.extent(axis) ||
        !(in.shape().with(axis, k) == values.shape()) || !(values.shape() == indices.shape()))
        detail::refuse("top_k", describe(in) + " along axis " + std::to_string(axis) + " into " + describe(values) +
                                    " and int64 " + indices.shape().text());
    detail::expect_dense("top_k", in, values, indices);
    if (values.size() == 0) return;
    const std::int64_t n = in.extent(axis);
    const std::size_t inner = detail::volume_of(in.shape(), axis + 1, in.rank());
    const auto step = static_cast<std::int64_t>(inner);
    visit_element(in.type(), [&]<class T>(T) {
        for (std::size_t row = 0; row < values.size() / static_cast<std::size_t>(k); ++row) {
            const auto block = static_cast<std::int64_t>(row / inner), column = static_cast<std::int64_t>(row % inner);
            const T* first = reinterpret_cast<const T*>(in.data()) + block * n * step + column;
            T* best = reinterpret_cast<T*>(values.data()) + block * k * step + column;
            std::int64_t* where = indices.data() + block * k * step + column;
            detail::top_of_row<T>({first, step, which}, n, k, where, step);
            for (std::int64_t i = 0; i < k; ++i) best[i * step] = first[where[i * step] * step];
        }
    });
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
