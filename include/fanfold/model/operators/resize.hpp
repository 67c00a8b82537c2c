// fanfold/model/operators/resize.hpp - a value with other extents, its elements interpolated.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <cmath>        // std::floor
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/resize.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What becomes of sizes that would change the proportions: taken as they are, or one scale for all axes, so that none
/// is larger, or none smaller, than asked for.
enum class resize_policy { stretch, not_larger, not_smaller };

/// How a value is resized; the numbers come from inputs (their indices, 0 for none) or stand here.
struct resize_rule {
    kernel::resize_options options{};
    resize_policy policy = resize_policy::stretch;
    std::optional<std::vector<std::int64_t>> axes{};  ///< which axes the numbers are about; empty: all
    std::vector<double> scales{};
    std::size_t scales_at = 0;
    std::size_t sizes_at = 0;
    std::size_t region_at = 0;
};

/// A value with other extents.
///
/// shapes   any type (linear and cubic float32 and float64), any shape; scales float32, sizes int64, regions float32
///          for each of the axes, regions first where all start -> the same type and rank
/// errors   answers throws std::invalid_argument when the numbers do not fit the axes
/// source   ONNX Upsample-7, Upsample-9, Resize-10 to Resize-19
class resize {
public:
    explicit resize(resize_rule rule) : rule_(std::move(rule)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Resize"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, 4);
        const bool copies = rule_.options.mode == kernel::interpolation::nearest;
        if (!copies && in[0].type != element::float32 && in[0].type != element::float64)
            detail::refuse("float32 or float64 to interpolate", in[0].text());
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{in[0].type, x}};
        symbolic_shape out = x;
        const detail::axis_list axes = axes_of(x.rank());
        const bool by_size = lists(in, rule_.sizes_at);
        if (by_size) {
            const auto sizes = sizes_in(in[rule_.sizes_at]);
            if (sizes && sizes->size() != axes.size()) refuse_count("sizes", axes.size(), sizes->size());
            for (std::size_t i = 0; i < axes.size(); ++i) out[axes[i]] = sizes ? (*sizes)[i] : extent::unknown();
            if (rule_.policy != resize_policy::stretch) keep_proportions(x, axes, out);
            return {{in[0].type, out}};
        }
        const std::optional<std::vector<double>> scales = scales_of(in);
        if (scales && scales->size() != axes.size()) refuse_count("scales", axes.size(), scales->size());
        for (std::size_t i = 0; i < axes.size(); ++i) {
            extent& along = out[axes[i]];
            along = scales ? scaled(along, (*scales)[i]) : extent::unknown();
        }
        return {{in[0].type, out}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        const symbolic_shape out = answers(in).front().shape;
        if (!rows || !(out[*rows] == in[0].shape[*rows])) return true;
        return rule_.options.coordinates == kernel::coordinates::tf_crop_and_resize && rule_.region_at != 0;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const std::size_t rank = in[0].rank();
        const detail::axis_list axes = axes_of(rank);
        std::vector<kernel::resize_axis> how(rank);
        const std::vector<double> scales = read_scales(in);
        double shared = 0;
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::size_t axis = axes[i];
            const auto before = static_cast<double>(in[0].extent(axis)),
                       after = static_cast<double>(out[0].extent(axis));
            how[axis].scale = scales.empty() ? after / before : scales[i];
            if (!scales.empty() || rule_.policy == resize_policy::stretch) continue;
            const auto asked = static_cast<double>(integers_in(in[rule_.sizes_at])[i]);
            shared = i == 0 ? asked / before : narrower(shared, asked / before);
        }
        if (shared > 0)
            for (const std::size_t axis : axes) how[axis].scale = shared;
        if (rule_.region_at != 0 && given(in, rule_.region_at)) {
            const std::vector<double> region = reals_in(in[rule_.region_at]);
            for (std::size_t i = 0; region.size() == 2 * axes.size() && i < axes.size(); ++i) {
                how[axes[i]].region_from = region[i];
                how[axes[i]].region_to = region[axes.size() + i];
            }
        }
        kernel::resize(in[0], how, out[0], rule_.options, space);
    }
    [[nodiscard]] const resize_rule& rule() const noexcept { return rule_; }

private:
    [[noreturn]] static void refuse_count(const char* what, std::size_t expected, std::size_t got) {
        detail::refuse(std::to_string(expected) + " " + what, std::to_string(got));
    }
    [[nodiscard]] detail::axis_list axes_of(std::size_t rank) const {
        return rule_.axes ? detail::expect_axes(*rule_.axes, rank) : detail::all_axes(rank);
    }
    /// Some exporters leave an input out by giving an empty list.
    [[nodiscard]] static bool lists(std::span<const argument> in, std::size_t index) {
        if (index == 0 || !given(in, index)) return false;
        const symbolic_shape& s = in[index].shape;
        return !s.ranked() || !(s.volume() == extent(0));
    }
    [[nodiscard]] static std::vector<double> reals_in(const tensor_view& values) {
        std::vector<double> out;
        if (values.type() == element::float64)
            for (const double v : values.as<double>().flat()) out.push_back(v);
        else if (values.type() == element::float16)
            for (const float16 v : values.as<float16>().flat())
                out.push_back(static_cast<double>(static_cast<float>(v)));
        else
            for (const float v : values.as<float>().flat()) out.push_back(static_cast<double>(v));
        return out;
    }
    [[nodiscard]] std::optional<std::vector<double>> scales_of(std::span<const argument> in) const {
        if (!rule_.scales.empty()) return rule_.scales;
        if (rule_.scales_at == 0 || !given(in, rule_.scales_at)) detail::refuse("scales or sizes", "neither");
        if (!in[rule_.scales_at].value) return std::nullopt;
        return reals_in(*in[rule_.scales_at].value);
    }
    [[nodiscard]] std::vector<double> read_scales(std::span<const tensor_view> in) const {
        if (!rule_.scales.empty()) return rule_.scales;
        const bool by_size = rule_.sizes_at != 0 && given(in, rule_.sizes_at) && in[rule_.sizes_at].size() != 0;
        return by_size ? std::vector<double>() : reals_in(in[rule_.scales_at]);
    }
    [[nodiscard]] static extent scaled(const extent& along, double scale) {
        if (!(scale > 0) || scale > 0x1p40) detail::refuse("scales between 0 and 2^40", std::to_string(scale));
        if (along.constant()) return static_cast<std::int64_t>(std::floor(static_cast<double>(along.fixed) * scale));
        const auto whole = static_cast<std::int64_t>(scale);
        return static_cast<double>(whole) == scale ? along * extent(whole) : extent::unknown();
    }
    [[nodiscard]] double narrower(double a, double b) const {
        return rule_.policy == resize_policy::not_larger ? std::min(a, b) : std::max(a, b);
    }
    void keep_proportions(const symbolic_shape& x, const detail::axis_list& axes, symbolic_shape& out) const {
        double scale = 0;
        bool known = true;
        for (const std::size_t axis : axes)
            known = known && x[axis].constant() && out[axis].constant() && x[axis].fixed > 0;
        for (std::size_t i = 0; known && i < axes.size(); ++i) {
            const double one = static_cast<double>(out[axes[i]].fixed) / static_cast<double>(x[axes[i]].fixed);
            scale = i == 0 ? one : narrower(scale, one);
        }
        for (const std::size_t axis : axes)
            out[axis] =
                known ? extent(static_cast<std::int64_t>(std::floor(scale * static_cast<double>(x[axis].fixed) + 0.5)))
                      : extent::unknown();
    }

    resize_rule rule_;
};
static_assert(graph_operation<resize>);

}  // namespace fanfold::inline FANFOLD_ABI
