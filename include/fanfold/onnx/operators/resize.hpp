// fanfold/onnx/operators/resize.hpp - Resize, Upsample, DepthToSpace, SpaceToDepth.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

#include "../../model/operators/elementwise.hpp"
#include "../../model/operators/resize.hpp"
#include "../../model/operators/space.hpp"
#include "../node.hpp"
#include "choice.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline kernel::interpolation read_mode(node_import& node) {
    using enum kernel::interpolation;
    static constexpr std::array<std::pair<std::string_view, kernel::interpolation>, 4> modes{
        {{"nearest", nearest}, {"linear", linear}, {"bilinear", linear}, {"cubic", cubic}}};
    return choice(node, "mode", "nearest", modes);
}

/// Integers between which lines are drawn are computed with as float32, and what is behind the point is cut off, as
/// ONNX's reference does it.
inline void answer_resized(node_import& node, resize_rule rule) {
    const element type = node.type(0).type;
    const bool whole = type == element::uint8 || type == element::int8;
    if (!whole || rule.options.mode != kernel::interpolation::linear)
        return node.answer(resize(std::move(rule)), node.inputs());
    std::vector<value_id> inputs = node.inputs();
    inputs[0] = node.add(cast(element::float32), {inputs[0]});
    node.answer(cast(type), {node.add(resize(std::move(rule)), inputs)});
}

}  // namespace detail

/// source   ONNX Upsample-1 with two attributes, Upsample-7 with one, Upsample-9 with an input
inline void import_upsample(node_import& node) {
    node.expect_inputs(1, 2);
    resize_rule rule;
    rule.options.mode = detail::read_mode(node);
    rule.options.coordinates = kernel::coordinates::asymmetric;
    rule.options.nearest = kernel::nearest_rounding::floor;
    if (node.opset() >= 9) {
        rule.scales_at = 1;
    } else if (const std::vector<float>* scales = node.reals("scales")) {
        rule.scales.assign(scales->begin(), scales->end());
    } else {
        const float height = node.real("height_scale", 1), width = node.real("width_scale", 1);
        rule.scales = {1, 1, static_cast<double>(height), static_cast<double>(width)};
    }
    detail::answer_resized(node, std::move(rule));
}

/// source   ONNX Resize-10 with scales alone, Resize-11 to Resize-19
inline void import_resize(node_import& node) {
    resize_rule rule;
    kernel::resize_options& o = rule.options;
    o.mode = detail::read_mode(node);
    if (node.opset() < 11) {
        node.expect_inputs(2, 2);
        rule.scales_at = 1;
        o.coordinates = kernel::coordinates::asymmetric;
        o.nearest = kernel::nearest_rounding::ceil_when_smaller;
        return detail::answer_resized(node, std::move(rule));
    }
    node.expect_inputs(1, 4);
    {
        using enum kernel::coordinates;
        static constexpr std::array<std::pair<std::string_view, kernel::coordinates>, 7> all{
            {{"half_pixel", half_pixel},
             {"half_pixel_symmetric", half_pixel_symmetric},
             {"pytorch_half_pixel", pytorch_half_pixel},
             {"align_corners", align_corners},
             {"asymmetric", asymmetric},
             {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
             {"tf_crop_and_resize", tf_crop_and_resize}}};
        o.coordinates = detail::choice(node, "coordinate_transformation_mode", "half_pixel", all);
    }
    {
        using enum kernel::nearest_rounding;
        static constexpr std::array<std::pair<std::string_view, kernel::nearest_rounding>, 4> all{
            {{"round_prefer_floor", round_prefer_floor},
             {"round_prefer_ceil", round_prefer_ceil},
             {"floor", floor},
             {"ceil", ceil}}};
        o.nearest = detail::choice(node, "nearest_mode", "round_prefer_floor", all);
    }
    {
        using enum resize_policy;
        static constexpr std::array<std::pair<std::string_view, resize_policy>, 3> all{
            {{"stretch", stretch}, {"not_larger", not_larger}, {"not_smaller", not_smaller}}};
        rule.policy = detail::choice(node, "keep_aspect_ratio_policy", "stretch", all);
    }
    o.cubic_coefficient = node.real("cubic_coeff_a", -0.75F);
    o.extrapolation_value = node.real("extrapolation_value", 0);
    if (node.integer("exclude_outside", 0) != 0) o.outside = kernel::outside::excluded;
    if (node.integer("antialias", 0) != 0) o.antialias = kernel::antialias::on;
    if (const std::vector<std::int64_t>* axes = node.integers("axes")) rule.axes = *axes;
    rule.scales_at = 2;
    rule.sizes_at = 3;
    if (o.coordinates == kernel::coordinates::tf_crop_and_resize) rule.region_at = 1;
    detail::answer_resized(node, std::move(rule));
}

/// source   ONNX DepthToSpace-1, DepthToSpace-11 with a mode
inline void import_depth_to_space(node_import& node) {
    node.expect_inputs(1, 1);
    using enum kernel::depth_order;
    static constexpr std::array<std::pair<std::string_view, kernel::depth_order>, 2> modes{
        {{"DCR", block_then_channel}, {"CRD", channel_then_block}}};
    const kernel::depth_order order = detail::choice(node, "mode", "DCR", modes);
    node.answer(depth_to_space(node.integer("blocksize", 0), order), node.inputs());
}

/// source   ONNX SpaceToDepth-1, SpaceToDepth-13
inline void import_space_to_depth(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(space_to_depth(node.integer("blocksize", 0)), node.inputs());
}

inline constexpr std::array resize_operators{
    operator_entry{"Resize", 10, last_opset, &import_resize},
    operator_entry{"Upsample", first_opset, 9, &import_upsample},
    operator_entry{"DepthToSpace", first_opset, last_opset, &import_depth_to_space},
    operator_entry{"SpaceToDepth", first_opset, last_opset, &import_space_to_depth}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
