// fanfold/model/operators/regions.hpp - images sampled at points, pooled over regions, and boxes that overlap.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/grid_sample.hpp"
#include "../../kernel/max_roi_pool.hpp"
#include "../../kernel/non_max_suppression.hpp"
#include "../../kernel/roi_align.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A value of this type whose shape may be `expected`.
inline void expect_like(const argument& in, element type, const symbolic_shape& expected) {
    if (in.type != type || !may_equal(in.shape, expected))
        refuse(std::string(name_of(type)) + " " + expected.text(), in.text());
}
[[nodiscard]] inline extent along(const symbolic_shape& s, std::size_t axis) {
    return s.ranked() && axis < s.rank() ? s[axis] : extent::unknown();
}

}  // namespace detail

/// Each region cut into bins, with the mean or the maximum of samples in each: inputs x, regions, their images.
///
/// shapes   float32 [N, C, H, W], float32 [R, 4], int64 [R] -> float32 [R, C, height, width]
/// source   ONNX RoiAlign-10, RoiAlign-16
class roi_align {
public:
    roi_align(const kernel::roi_options& options, std::int64_t height, std::int64_t width)
        : options_(options), height_(height), width_(width) {
        if (height < 1 || width < 1)
            detail::refuse("bins of 1 or more", std::to_string(height) + " by " + std::to_string(width));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "RoiAlign"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        detail::expect_like(in[0], element::float32, symbolic_shape::of_rank(4));
        const extent regions = detail::along(in[1].shape, 0);
        detail::expect_like(in[1], element::float32, {regions, 4});
        detail::expect_like(in[2], element::int64, {regions});
        return {{element::float32, {regions, detail::along(in[0].shape, 1), height_, width_}}};
    }
    /// Any region may lie in any image.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape.depends_on_rows() || detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        kernel::roi_align(in[0].as<float>(), in[1].as<float>(), in[2].as<std::int64_t>().flat(), options_,
                          out[0].as<float>(), space);
    }

private:
    kernel::roi_options options_;
    std::int64_t height_;
    std::int64_t width_;
};
static_assert(graph_operation<roi_align>);

/// Each region cut into bins of whole pixels, with the maximum of each: inputs x, regions.
///
/// shapes   float32 [N, C, H, W], float32 [R, 5] -> float32 [R, C, height, width]
/// source   ONNX MaxRoiPool-1
class max_roi_pooling {
public:
    max_roi_pooling(std::int64_t height, std::int64_t width, float scale)
        : height_(height), width_(width), scale_(scale) {
        if (height < 1 || width < 1)
            detail::refuse("bins of 1 or more", std::to_string(height) + " by " + std::to_string(width));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "MaxRoiPool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        detail::expect_like(in[0], element::float32, symbolic_shape::of_rank(4));
        const extent regions = detail::along(in[1].shape, 0);
        detail::expect_like(in[1], element::float32, {regions, 5});
        return {{element::float32, {regions, detail::along(in[0].shape, 1), height_, width_}}};
    }
    /// Any region may lie in any image.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape.depends_on_rows() || detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        kernel::max_roi_pool(in[0].as<float>(), in[1].as<float>(), scale_, out[0].as<float>(), space.stop);
    }

private:
    std::int64_t height_;
    std::int64_t width_;
    float scale_;
};
static_assert(graph_operation<max_roi_pooling>);

/// Images or volumes at the points that input 1 gives.
///
/// shapes   float32 [N, C, H, W] and [N, OH, OW, 2] -> float32 [N, C, OH, OW]; or [N, C, D, H, W] and
///          [N, OD, OH, OW, 3] -> [N, C, OD, OH, OW]
/// source   ONNX GridSample-16, GridSample-20
class grid_sample {
public:
    explicit grid_sample(const kernel::grid_options& options = {}) : options_(options) {}

    [[nodiscard]] std::string_view name() const noexcept { return "GridSample"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        const symbolic_shape &x = in[0].shape, &points = in[1].shape;
        if (!x.ranked() && !points.ranked()) {
            detail::expect_like(in[0], element::float32, x);
            detail::expect_like(in[1], element::float32, points);
            return {{element::float32, x}};
        }
        const std::size_t rank = x.ranked() ? x.rank() : points.rank();
        if (rank != 4 && rank != 5) detail::refuse("images [N, C, H, W] or volumes [N, C, D, H, W]", in[0].text());
        const extent images = detail::along(x, 0);
        detail::expect_like(in[0], element::float32, symbolic_shape::of_rank(rank));
        symbolic_shape places = symbolic_shape::of_rank(rank), out{images.known() ? images : detail::along(points, 0)};
        places[0] = images;
        places[rank - 1] = static_cast<std::int64_t>(rank - 2);
        detail::expect_like(in[1], element::float32, places);
        out.push_back(detail::along(x, 1));
        for (std::size_t axis = 1; axis + 1 < rank; ++axis) out.push_back(detail::along(points, axis));
        return {{element::float32, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::grid_sample(in[0].as<float>(), in[1].as<float>(), options_, out[0].as<float>());
    }

private:
    kernel::grid_options options_;
};
static_assert(graph_operation<grid_sample>);

/// The best boxes of each image and class that do not overlap better ones. Inputs: boxes, scores, and, each of which
/// may be left out, how many to keep, the overlap above which a box goes, the score that a box must exceed.
///
/// shapes   float32 [B, S, 4] and [B, C, S], int64 [] or [1], float32 [] or [1] twice -> int64 [kept, 3]
/// source   ONNX NonMaxSuppression-11
class non_max_suppression {
public:
    explicit non_max_suppression(
        enum kernel::suppression_options::boxes boxes = kernel::suppression_options::boxes::corners)
        : boxes_(boxes) {}

    [[nodiscard]] std::string_view name() const noexcept { return "NonMaxSuppression"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 5);
        const extent images = detail::along(in[0].shape, 0), boxes = detail::along(in[0].shape, 1);
        detail::expect_like(in[0], element::float32, {images, boxes, 4});
        detail::expect_like(in[1], element::float32, {images, extent::unknown(), boxes});
        for (std::size_t i = 2; i < in.size(); ++i) {
            const element type = i == 2 ? element::int64 : element::float32;
            if (given(in, i) && in[i].type != type) detail::refuse("one " + std::string(name_of(type)), in[i].text());
        }
        return {{element::int64, {extent::unknown(), 3}}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, answer_room out, workspace& space) const {
        const auto one = [&]<class T>(std::size_t index, T otherwise) {
            if (!given(in, index)) return otherwise;
            if (in[index].size() != 1) detail::refuse("one number", describe(in[index]));
            return in[index].as<T>().data()[0];
        };
        kernel::suppression_options options;
        options.boxes = boxes_;
        options.most = one(2, std::int64_t{0});
        options.overlap = one(3, 0.0F);
        options.score = one(4, options.score);
        const auto kept = kernel::non_max_suppression(in[0].as<float>(), in[1].as<float>(), options, space);
        const auto to = out(0, element::int64, shape{static_cast<std::int64_t>(kept.size()), 3}).as<std::int64_t>();
        for (std::size_t i = 0; i < kept.size(); ++i)
            for (std::size_t k = 0; k < 3; ++k) to.data()[i * 3 + k] = kept[i][k];
    }

private:
    enum kernel::suppression_options::boxes boxes_;
};
static_assert(graph_operation<non_max_suppression>);

}  // namespace fanfold::inline FANFOLD_ABI
