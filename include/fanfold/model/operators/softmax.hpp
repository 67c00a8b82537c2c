// fanfold/model/operators/softmax.hpp - exponentials that sum to one, along an axis.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/softmax.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which elements sum to one: those along the axis, or all from the axis on (the value seen as a matrix).
enum class softmax_over { axis, axis_and_later };

/// exp(x - max) / sum, in float32.
///
/// shapes   float32 of rank 1 or more, any shape; a negative axis counts from the end
/// source   ONNX Softmax-13 (axis), Softmax-11 (axis_and_later)
class softmax {
public:
    explicit softmax(std::int64_t axis, softmax_over over = softmax_over::axis) : axis_(axis), over_(over) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Softmax"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        if (in[0].type != element::float32 || in[0].shape.rank() == 0)
            detail::refuse("float32 of rank 1 or more", in[0].text());
        (void)detail::expect_axis(axis_, in[0].shape.rank());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const symbolic_shape& x = in[0].shape;
        const std::size_t axis = detail::expect_axis(axis_, x.rank());
        return x.volume(axis, over_ == softmax_over::axis ? axis + 1 : x.rank()).depends_on_rows();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const std::size_t axis = detail::expect_axis(axis_, in[0].rank());
        if (over_ == softmax_over::axis) {
            kernel::softmax(in[0].as<float>(), axis, out[0].as<float>());
            return;
        }
        std::int64_t outer = 1;
        for (std::size_t before = 0; before < axis; ++before) outer *= in[0].extent(before);
        const shape matrix{outer, static_cast<std::int64_t>(in[0].size()) / outer};
        kernel::softmax(in[0].reshaped(matrix).as<float>(), 1, out[0].reshaped(matrix).as<float>());
    }

private:
    std::int64_t axis_;
    softmax_over over_;
};
static_assert(graph_operation<softmax>);

}  // namespace fanfold::inline FANFOLD_ABI
