// fanfold/model/operators/crop_pad.hpp - a value cropped or padded around its centre.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memset
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../core/tensor.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The centre of a value, or a value in the midst of zeros, axis by axis as long as input 1 says; the odd element goes
/// at the end.
///
/// shapes   any type, any shape; int64 [axes] or [rank]
/// source   ONNX CenterCropPad-18
class center_crop_pad {
public:
    static constexpr std::uint32_t shape_inputs = 0b10;

    explicit center_crop_pad(std::optional<std::vector<std::int64_t>> axes = {}) : axes_(std::move(axes)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "CenterCropPad"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        symbolic_shape out = in[0].shape;
        if (!out.ranked()) return {{in[0].type, out}};
        const detail::axis_list axes = axes_of(out.rank());
        const auto sizes = sizes_in(in[1]);
        if (sizes && sizes->size() != axes.size())
            detail::refuse(std::to_string(axes.size()) + " extents", std::to_string(sizes->size()));
        for (std::size_t i = 0; i < axes.size(); ++i) {
            out[axes[i]] = sizes ? (*sizes)[i] : extent::unknown();
            if (out[axes[i]].constant() && out[axes[i]].fixed < 0)
                detail::refuse("extents of 0 or more", out[axes[i]].text());
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return !rows || !(answers(in).front().shape[*rows] == in[0].shape[*rows]);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        std::memset(out[0].data(), 0, out[0].bytes());
        tensor_view from = in[0];
        mutable_tensor_view to = out[0];
        for (std::size_t axis = 0; axis < from.rank(); ++axis) {
            const std::int64_t before = from.extent(axis), after = to.extent(axis);
            const auto count = static_cast<std::size_t>(std::min(before, after));
            if (before > after) from = from.slice(axis, static_cast<std::size_t>((before - after) / 2), count);
            if (after > before) to = to.slice(axis, static_cast<std::size_t>((after - before) / 2), count);
        }
        if (from.size() != 0) detail::copy_elements(from, to);
    }

private:
    [[nodiscard]] detail::axis_list axes_of(std::size_t rank) const {
        return axes_ ? detail::expect_axes(*axes_, rank) : detail::all_axes(rank);
    }

    std::optional<std::vector<std::int64_t>> axes_;
};
static_assert(graph_operation<center_crop_pad>);

}  // namespace fanfold::inline FANFOLD_ABI
