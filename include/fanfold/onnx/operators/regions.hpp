// fanfold/onnx/operators/regions.hpp - RoiAlign, MaxRoiPool, AffineGrid, GridSample, NonMaxSuppression, CenterCropPad.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

#include "../../model/operators/affine_grid.hpp"
#include "../../model/operators/crop_pad.hpp"
#include "../../model/operators/regions.hpp"
#include "../node.hpp"
#include "choice.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX RoiAlign-10, RoiAlign-16 with a choice of coordinates, RoiAlign-22
inline void import_roi_align(node_import& node) {
    node.expect_inputs(3, 3);
    kernel::roi_options options;
    using pooling = enum kernel::roi_options::pooling;
    using coordinates = enum kernel::roi_options::coordinates;
    static constexpr std::array<std::pair<std::string_view, pooling>, 2> modes{
        {{"avg", pooling::average}, {"max", pooling::maximum}}};
    static constexpr std::array<std::pair<std::string_view, coordinates>, 2> all{
        {{"half_pixel", coordinates::half_pixel}, {"output_half_pixel", coordinates::output_half_pixel}}};
    options.pooling = detail::choice(node, "mode", "avg", modes);
    options.coordinates = detail::choice(node, "coordinate_transformation_mode",
                                         node.opset() < 16 ? "output_half_pixel" : "half_pixel", all);
    options.sampling_ratio = node.integer("sampling_ratio", 0);
    options.spatial_scale = node.real("spatial_scale", 1);
    node.answer(roi_align(options, node.integer("output_height", 1), node.integer("output_width", 1)), node.inputs());
}

/// source   ONNX GridSample-16, GridSample-20 with other words
inline void import_grid_sample(node_import& node) {
    node.expect_inputs(2, 2);
    kernel::grid_options options;
    using mode = enum kernel::grid_options::mode;
    using padding = enum kernel::grid_options::padding;
    static constexpr std::array<std::pair<std::string_view, mode>, 5> modes{{{"bilinear", mode::bilinear},
                                                                             {"linear", mode::bilinear},
                                                                             {"nearest", mode::nearest},
                                                                             {"bicubic", mode::bicubic},
                                                                             {"cubic", mode::bicubic}}};
    static constexpr std::array<std::pair<std::string_view, padding>, 3> paddings{
        {{"zeros", padding::zeros}, {"border", padding::border}, {"reflection", padding::reflection}}};
    options.mode = detail::choice(node, "mode", node.opset() < 20 ? "bilinear" : "linear", modes);
    options.padding = detail::choice(node, "padding_mode", "zeros", paddings);
    if (node.integer("align_corners", 0) != 0) options.corners = kernel::grid_options::corners::centres;
    node.answer(grid_sample(options), node.inputs());
}

/// source   ONNX AffineGrid-20
inline void import_affine_grid(node_import& node) {
    node.expect_inputs(2, 2);
    const bool centres = node.integer("align_corners", 0) != 0;
    node.answer(affine_grid(centres ? grid_ends::centres : grid_ends::edges), node.inputs());
}

/// source   ONNX NonMaxSuppression-10, NonMaxSuppression-11
inline void import_non_max_suppression(node_import& node) {
    node.expect_inputs(2, 5);
    using boxes = enum kernel::suppression_options::boxes;
    const bool centre = node.integer("center_point_box", 0) != 0;
    node.answer(non_max_suppression(centre ? boxes::centre : boxes::corners), node.inputs());
}

/// source   ONNX MaxRoiPool-1, MaxRoiPool-22
inline void import_max_roi_pool(node_import& node) {
    node.expect_inputs(2, 2);
    const std::vector<std::int64_t>* size = node.integers("pooled_shape");
    if (size == nullptr || size->size() != 2)
        throw std::invalid_argument("expected attribute 'pooled_shape' of 2 integers, got another or none");
    node.answer(max_roi_pooling((*size)[0], (*size)[1], node.real("spatial_scale", 1)), node.inputs());
}

/// source   ONNX CenterCropPad-18
inline void import_center_crop_pad(node_import& node) {
    node.expect_inputs(2, 2);
    std::optional<std::vector<std::int64_t>> axes;
    if (const std::vector<std::int64_t>* given = node.integers("axes")) axes = *given;
    node.answer(center_crop_pad(std::move(axes)), node.inputs());
}

inline constexpr std::array region_operators{
    operator_entry{"RoiAlign", 10, last_opset, &import_roi_align},
    operator_entry{"MaxRoiPool", 1, last_opset, &import_max_roi_pool},
    operator_entry{"AffineGrid", 20, last_opset, &import_affine_grid},
    operator_entry{"CenterCropPad", 18, last_opset, &import_center_crop_pad},
    operator_entry{"GridSample", 16, last_opset, &import_grid_sample},
    operator_entry{"NonMaxSuppression", 10, last_opset, &import_non_max_suppression}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
