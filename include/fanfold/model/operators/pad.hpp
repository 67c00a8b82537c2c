// fanfold/model/operators/pad.hpp - elements added around a value, or cut off.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/pad.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// As many elements before and behind each axis as given here or by input 1 (all befores, then all behinds), for the
/// axes of input 3 where that is given. Input 2 is what constant padding writes, 0 when it is left out.
///
/// source   ONNX Pad-2, Pad-11, Pad-18, Pad-19
class pad {
public:
    explicit pad(kernel::pad_mode mode, std::optional<std::vector<std::int64_t>> counts = {})
        : mode_(mode), counts_(std::move(counts)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Pad"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, counts_ ? 1 : 2, 4);
        const symbolic_shape& x = in[0].shape;
        if (given(in, 2) && in[2].type != in[0].type)
            detail::refuse("a constant of the data's type", in[2].text() + " for " + in[0].text());
        if (!x.ranked()) return {{in[0].type, x}};
        const auto counts = counts_ ? symbolic_values(counts_->begin(), counts_->end()) : sizes_in(in[1]);
        const auto axes = given(in, 3) ? integers_in(in[3]) : std::vector<std::int64_t>();
        if (!counts || !axes) return {{in[0].type, symbolic_shape::of_rank(x.rank())}};
        const detail::axis_list at = padded_axes(*axes, x.rank());
        if (counts->size() != 2 * at.size())
            detail::refuse(std::to_string(2 * at.size()) + " pads", std::to_string(counts->size()));
        symbolic_shape out = x;
        for (std::size_t i = 0; i < at.size(); ++i)
            out[at[i]] = out[at[i]] + (*counts)[i] + (*counts)[i + at.size()];
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        const auto counts = counts_ ? symbolic_values(counts_->begin(), counts_->end()) : sizes_in(in[1]);
        const auto axes = given(in, 3) ? integers_in(in[3]) : std::vector<std::int64_t>();
        if (!rows || !counts || !axes) return true;
        const detail::axis_list at = padded_axes(*axes, in[0].shape.rank());
        for (std::size_t i = 0; i < at.size(); ++i)
            if (at[i] == *rows && !((*counts)[i] == extent(0) && (*counts)[i + at.size()] == extent(0))) return true;
        return false;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        const std::vector<std::int64_t> counts = counts_ ? *counts_ : integers_in(in[1]);
        const detail::axis_list axes =
            padded_axes(given(in, 3) ? integers_in(in[3]) : std::vector<std::int64_t>(), in[0].rank());
        std::vector<std::int64_t> before(in[0].rank(), 0);
        for (std::size_t i = 0; i < axes.size(); ++i) before[axes[i]] = counts[i];
        kernel::pad(mode_, in[0], before, given(in, 2) ? in[2].data() : nullptr, out[0]);
    }

private:
    static detail::axis_list padded_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
        return axes.empty() ? detail::all_axes(rank) : detail::expect_axes(axes, rank);
    }

    kernel::pad_mode mode_;
    std::optional<std::vector<std::int64_t>> counts_;
};
static_assert(graph_operation<pad>);

}  // namespace fanfold::inline FANFOLD_ABI
