// fanfold/model/operators/batched_matmul.hpp - a matrix product of two values that are known at run time only.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::swap
#include <vector>       // std::vector

#include "../../kernel/matmul.hpp"
#include "../operation.hpp"
#include "broadcast.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Whether the last two axes of an operand are swapped before use.
enum class transposed { no, yes };

/// y = a b over the last two axes; leading axes broadcast. b is packed into scratch, once a matrix.
///
/// shapes   a float32 [.., M, K], b float32 [.., K, C] -> float32 [.., M, C]; a of rank 1 is [1, K], b of rank 1 is
///          [K, 1], and the axis added goes again
/// errors   answers throws std::invalid_argument naming both operands when they do not fit
/// source   ONNX MatMul-13; Gemm-13 with operands known at run time
class batched_matmul {
public:
    explicit batched_matmul(transposed a_form = transposed::no, transposed b_form = transposed::no,
                            std::string name = "MatMul")
        : name_(std::move(name)), a_form_(a_form), b_form_(b_form) {}

    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        return {{element::float32, plan(in[0], in[1]).answer}};
    }

    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return plan(in[0], in[1]).inner.depends_on_rows();
    }

    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const {
        const matrix_extents b = extents_of(in[1], b_form_, 0);
        return workspace::rounded(packed_floats(b.rows, b.columns) * sizeof(float));
    }

    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const matrices a(in[0], a_form_, 1);
        const matrices b(in[1], b_form_, 0);
        const std::int64_t rows = a.rows;
        const std::int64_t inner = a.columns;
        const std::int64_t columns = b.columns;
        const std::int64_t count = static_cast<std::int64_t>(out[0].size()) / (rows * columns);
        const workspace::scope here(space);
        const std::span<float> room = space.take<float>(packed_floats(inner, columns));
        const std::span<float> answers = out[0].as<float>().flat();

        if (b.count == 1 && a.count == count && a_form_ == transposed::no) {  // one tall product
            const auto packed = kernel::pack(b.at(0), room);
            const view<const float> tall(in[0].as<float>().data(), shape{count * rows, inner});
            kernel::matmul(tall, packed, view<float>(answers.data(), shape{count * rows, columns}));
            return;
        }
        // Leading axes of the answer; an operand without one of them, or with an extent of 1, stands still along it.
        const std::size_t axes = std::max(a.batch.rank(), b.batch.rank());
        std::array<std::int64_t, shape::max_rank> index{};
        std::int64_t packed_at = 0;
        kernel::packed_view packed = kernel::pack(b.at(0), room);
        for (std::int64_t i = 0; i < count; ++i) {
            std::int64_t rest = i;
            for (std::size_t back = 1; back <= axes; ++back) {
                const std::int64_t length = std::max(a.extent_from_back(back), b.extent_from_back(back));
                index[back - 1] = rest % length;
                rest /= length;
            }
            const std::int64_t b_at = b.position(index);
            if (b_at != packed_at) packed = kernel::pack(b.at(b_at), room);
            packed_at = b_at;
            const std::int64_t first = i * rows * columns;
            kernel::matmul(a.at(a.position(index)), packed, view<float>(answers.data() + first, shape{rows, columns}));
        }
    }

private:
    struct forms {
        extent inner;
        symbolic_shape answer;
    };

    struct matrix_extents {
        std::int64_t rows = 1;
        std::int64_t columns = 1;
    };
    /// `column_axis`: the axis of the matrix that an operand of rank 1 fills.
    static matrix_extents extents_of(const shape& operand, transposed form, std::size_t column_axis) {
        matrix_extents out;
        const std::size_t rank = operand.rank();
        if (rank == 1) {
            (column_axis == 1 ? out.columns : out.rows) = operand[0];
            return out;
        }
        out = {operand[rank - 2], operand[rank - 1]};
        if (form == transposed::yes) std::swap(out.rows, out.columns);
        return out;
    }

    /// One operand as a stack of matrices.
    struct matrices : matrix_extents {
        shape batch;
        std::int64_t count = 1;
        const float* data = nullptr;
        strides steps{};

        matrices(const tensor_view& operand, transposed form, std::size_t column_axis)
            : matrix_extents(extents_of(operand.shape(), form, column_axis)), data(operand.as<float>().data()) {
            const std::size_t rank = operand.rank();
            if (rank == 1) {
                steps[column_axis] = 1;
                return;
            }
            batch = shape(std::span<const std::int64_t>(operand.shape().begin(), rank - 2));
            count = static_cast<std::int64_t>(batch.volume());
            steps = {std::max<std::int64_t>(operand.extent(rank - 1), 1), 1};
            if (form == transposed::yes) std::swap(steps[0], steps[1]);
        }

        [[nodiscard]] view<const float> at(std::int64_t matrix) const {
            return {data + matrix * rows * columns, shape{rows, columns}, steps};
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

    static std::size_t packed_floats(std::int64_t inner, std::int64_t columns) {
        return kernel::packed_matrix::packed_floats(static_cast<std::size_t>(inner), static_cast<std::size_t>(columns));
    }

    [[nodiscard]] forms plan(const value_type& a, const value_type& b) const {
        const std::string both = a.text() + " and " + b.text();
        const bool ranked = a.shape.ranked() && b.shape.ranked();
        if (a.type != element::float32 || b.type != element::float32 ||
            (ranked && (a.shape.rank() == 0 || b.shape.rank() == 0)))
            detail::refuse("two float32 operands of rank 1 or more", both);
        if (!ranked) return {extent::unknown(), symbolic_shape::unknown()};
        const std::size_t a_rank = a.shape.rank();
        const std::size_t b_rank = b.shape.rank();
        const bool swap_a = a_form_ == transposed::yes && a_rank > 1;
        const bool swap_b = b_form_ == transposed::yes && b_rank > 1;
        const extent inner = a.shape[swap_a ? a_rank - 2 : a_rank - 1];
        const extent b_inner = b_rank == 1 ? b.shape[0] : b.shape[swap_b ? b_rank - 1 : b_rank - 2];
        if (!may_equal(inner, b_inner)) detail::refuse("operands that agree in the inner extent", both);

        const auto leading = [](const symbolic_shape& s) {
            return symbolic_shape(std::span<const extent>(s.begin(), s.rank() - (s.rank() > 1 ? 2 : 1)));
        };
        symbolic_shape answer = broadcast(leading(a.shape), leading(b.shape));
        if (a_rank > 1) answer.push_back(a.shape[swap_a ? a_rank - 1 : a_rank - 2]);
        if (b_rank > 1) answer.push_back(b.shape[swap_b ? b_rank - 2 : b_rank - 1]);
        return {inner.known() ? inner : b_inner, answer};
    }

    std::string name_;
    transposed a_form_;
    transposed b_form_;
};
static_assert(graph_operation<batched_matmul>);

}  // namespace fanfold::inline FANFOLD_ABI
