// fanfold/model/operators/matrix_stack.hpp - matrix products over the last two axes, leading axes broadcast.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::swap

#include "broadcast.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Whether the last two axes of an operand are swapped before use.
enum class transposed { no, yes };
/// Which side of a product an operand stands on: of rank 1 it is a row there, or a column.
enum class operand { left, right };

namespace detail {

struct product_shape {
    extent inner;
    symbolic_shape answer;
};

/// What a product of these operands looks like.
/// errors   throws std::invalid_argument naming both when they do not fit
[[nodiscard]] inline product_shape product_of(const value_type& a, transposed a_form, const value_type& b,
                                              transposed b_form) {
    const std::string both = a.text() + " and " + b.text();
    const bool ranked = a.shape.ranked() && b.shape.ranked();
    if ((a.shape.ranked() && a.shape.rank() == 0) || (b.shape.ranked() && b.shape.rank() == 0))
        refuse("two operands of rank 1 or more", both);
    if (!ranked) return {extent::unknown(), symbolic_shape::unknown()};
    const std::size_t a_rank = a.shape.rank();
    const std::size_t b_rank = b.shape.rank();
    const bool swap_a = a_form == transposed::yes && a_rank > 1;
    const bool swap_b = b_form == transposed::yes && b_rank > 1;
    const extent inner = a.shape[swap_a ? a_rank - 2 : a_rank - 1];
    const extent b_inner = b_rank == 1 ? b.shape[0] : b.shape[swap_b ? b_rank - 1 : b_rank - 2];
    if (!may_equal(inner, b_inner)) refuse("operands that agree in the inner extent", both);

    const auto leading = [](const symbolic_shape& s) {
        return symbolic_shape(std::span<const extent>(s.begin(), s.rank() - (s.rank() > 1 ? 2 : 1)));
    };
    symbolic_shape answer = broadcast(leading(a.shape), leading(b.shape));
    if (a_rank > 1) answer.push_back(a.shape[swap_a ? a_rank - 1 : a_rank - 2]);
    if (b_rank > 1) answer.push_back(b.shape[swap_b ? b_rank - 2 : b_rank - 1]);
    return {inner.known() ? inner : b_inner, answer};
}

/// One operand in a run: a stack of matrices.
struct matrix_stack {
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    std::int64_t count = 1;
    shape batch{};
    tensor_view values{};
    strides steps{};

    matrix_stack(const tensor_view& operand, transposed form, fanfold::operand side) : values(operand) {
        const std::size_t rank = operand.rank();
        if (rank == 1) {
            (side == operand::left ? columns : rows) = operand.extent(0);
            steps[side == operand::left ? 1 : 0] = 1;
            return;
        }
        rows = operand.extent(rank - 2);
        columns = operand.extent(rank - 1);
        batch = shape(std::span<const std::int64_t>(operand.shape().begin(), rank - 2));
        count = static_cast<std::int64_t>(batch.volume());
        steps = {std::max<std::int64_t>(columns, 1), 1};
        if (form == transposed::no) return;
        std::swap(rows, columns);
        std::swap(steps[0], steps[1]);
    }

    [[nodiscard]] tensor_view at(std::int64_t matrix) const {
        const std::int64_t skip = matrix * rows * columns * static_cast<std::int64_t>(size_of(values.type()));
        return {values.data() + skip, values.type(), shape{rows, columns}, steps};
    }
    [[nodiscard]] std::int64_t extent_from_back(std::size_t back) const {
        return back <= batch.rank() ? batch[batch.rank() - back] : 1;
    }
    /// Which matrix serves the answer whose leading indices, innermost first, are `index`.
    [[nodiscard]] std::int64_t position(std::span<const std::int64_t> index) const {
        std::int64_t matrix = 0;
        std::int64_t step = 1;
        for (std::size_t back = 1; back <= batch.rank(); ++back) {
            const std::int64_t length = extent_from_back(back);
            if (length != 1) matrix += index[back - 1] * step;
            step *= length;
        }
        return matrix;
    }
};

/// Calls each(i, matrix of a, matrix of b) for the `count` matrices of the answer.
template <class Each>
void for_each_product(const matrix_stack& a, const matrix_stack& b, std::int64_t first, std::int64_t last,
                      Each&& each) {
    const std::size_t axes = std::max(a.batch.rank(), b.batch.rank());
    std::array<std::int64_t, shape::max_rank> index{};
    for (std::int64_t i = first; i < last; ++i) {
        std::int64_t rest = i;
        for (std::size_t back = 1; back <= axes; ++back) {
            const std::int64_t length = std::max(a.extent_from_back(back), b.extent_from_back(back));
            index[back - 1] = rest % length;
            rest /= length;
        }
        each(i, a.position(index), b.position(index));
    }
}
template <class Each>
void for_each_product(const matrix_stack& a, const matrix_stack& b, std::int64_t count, Each&& each) {
    for_each_product(a, b, 0, count, each);
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
