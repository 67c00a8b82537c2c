// fanfold/model/operators/softmax.hpp - exponentials that sum to one, along an axis; their logarithms, their largest.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/hardmax.hpp"
#include "../../kernel/log_softmax.hpp"
#include "../../kernel/softmax.hpp"
#include "../operation.hpp"
#include "element_ranges.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which elements sum to one: those along the axis, or all from the axis on (the value seen as a matrix).
enum class softmax_over { axis, axis_and_later };

/// What is made of each row: probabilities, their logarithms, or a 1 for the largest element.
enum class softmax_kind { probability, logarithm, hard };

/// exp(x - max) / sum, its logarithm, or 1 where x is largest.
///
/// shapes   floating point of rank 1 or more, any shape; a negative axis counts from the end
/// source   ONNX Softmax-13, LogSoftmax-13, Hardmax-13 (axis), Softmax-11 and its like (axis_and_later)
class softmax {
public:
    explicit softmax(std::int64_t axis, softmax_over over = softmax_over::axis,
                     softmax_kind kind = softmax_kind::probability)
        : axis_(axis), over_(over), kind_(kind) {}

    [[nodiscard]] std::string_view name() const noexcept {
        switch (kind_) {
            case softmax_kind::logarithm: return "LogSoftmax";
            case softmax_kind::hard: return "Hardmax";
            case softmax_kind::probability: break;
        }
        return "Softmax";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const bool ranked = in[0].shape.ranked();
        if (!is_floating(in[0].type) || (ranked && in[0].shape.rank() == 0))
            detail::refuse("floating point of rank 1 or more", in[0].text());
        if (ranked) (void)detail::expect_axis(axis_, in[0].shape.rank());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const symbolic_shape& x = in[0].shape;
        const std::size_t axis = detail::expect_axis(axis_, x.rank());
        const auto rows = x.row_axis();
        return !rows || *rows == axis || (over_ == softmax_over::axis_and_later && *rows > axis);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const std::size_t axis = detail::expect_axis(axis_, in[0].rank());
        if (over_ == softmax_over::axis && axis + 1 != in[0].rank()) return compute(in[0], axis, out[0]);
        std::int64_t outer = 1;
        for (std::size_t before = 0; before < axis; ++before) outer *= in[0].extent(before);
        const shape matrix{outer, static_cast<std::int64_t>(in[0].size()) / outer};
        const auto some = [&](const tensor_view& x, const mutable_tensor_view& y) { compute(x, 1, y); };
        detail::over_rows(space, 32, out[0].reshaped(matrix), some, in[0].reshaped(matrix));
    }

    /// Probabilities along the last of `rank` axes.
    [[nodiscard]] bool along_last(std::size_t rank) const {
        return kind_ == softmax_kind::probability && detail::expect_axis(axis_, rank) + 1 == rank;
    }

private:
    void compute(const tensor_view& in, std::size_t axis, const mutable_tensor_view& out) const {
        switch (kind_) {
            case softmax_kind::probability: return kernel::softmax(in, axis, out);
            case softmax_kind::logarithm: return kernel::log_softmax(in, axis, out);
            case softmax_kind::hard: return kernel::hardmax(in, axis, out);
        }
    }

    std::int64_t axis_;
    softmax_over over_;
    softmax_kind kind_;
};
static_assert(graph_operation<softmax>);

}  // namespace fanfold::inline FANFOLD_ABI
