// fanfold/kernel/non_max_suppression.hpp - the best boxes that do not overlap a better one.
//   in    boxes [B, S, 4], scores [B, C, S]      out   (image, class, box) of what is kept
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::min, std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <limits>     // std::numeric_limits
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../context/workspace.hpp"
#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

struct suppression_options {
    /// corners: y1 x1 y2 x2, any two opposite ones; centre: x y width height.
    enum class boxes : std::uint8_t { corners, centre };

    enum boxes boxes = boxes::corners;
    std::int64_t most = 0;                                  ///< per image and class
    float overlap = 0;                                      ///< intersection over union above which the worse box goes
    float score = -std::numeric_limits<float>::infinity();  ///< what a box must exceed
};

namespace detail {

struct box {
    float top, left, bottom, right;

    box(const float* p, enum suppression_options::boxes kind) {
        if (kind == suppression_options::boxes::centre) {
            left = p[0] - p[2] / 2;
            right = p[0] + p[2] / 2;
            top = p[1] - p[3] / 2;
            bottom = p[1] + p[3] / 2;
        } else {
            top = std::min(p[0], p[2]);
            bottom = std::max(p[0], p[2]);
            left = std::min(p[1], p[3]);
            right = std::max(p[1], p[3]);
        }
    }
    [[nodiscard]] float area() const { return (bottom - top) * (right - left); }
    [[nodiscard]] bool overlaps(const box& other, float threshold) const {
        const float high = std::min(bottom, other.bottom) - std::max(top, other.top);
        const float wide = std::min(right, other.right) - std::max(left, other.left);
        if (high <= 0 || wide <= 0) return false;
        const float common = high * wide, both = area() + other.area() - common;
        return both > 0 && common / both > threshold;
    }
};

}  // namespace detail

/// For each image and class, takes boxes by falling score (the earlier one of equals, NaN never) and keeps those that
/// no kept box of the class overlaps too much.
///
/// shapes   boxes [B, S, 4], scores [B, C, S], dense; (image, class, box) in that order, best boxes of a class first
/// cost     B C (S log S + S kept)
/// errors   throws std::invalid_argument when the shapes do not fit
/// threads  re-entrant with a workspace each
/// source   ONNX NonMaxSuppression-11
[[nodiscard]] inline std::vector<std::array<std::int64_t, 3>> non_max_suppression(const view<const float>& boxes,
                                                                                  const view<const float>& scores,
                                                                                  const suppression_options& options,
                                                                                  workspace& space) {
    if (boxes.rank() != 3 || scores.rank() != 3 || boxes.extent(2) != 4 || boxes.extent(0) != scores.extent(0) ||
        boxes.extent(1) != scores.extent(2) || !boxes.dense() || !scores.dense())
        throw std::invalid_argument("non_max_suppression: boxes " + boxes.shape().text() + " with scores " +
                                    scores.shape().text() + ": expected dense [B, S, 4] and [B, C, S]");
    std::vector<std::array<std::int64_t, 3>> kept;
    if (scores.size() == 0) return kept;
    const std::int64_t classes = scores.extent(1), count = boxes.extent(1);
    const workspace::scope scope(space);
    const auto order = space.take<std::int64_t>(static_cast<std::size_t>(count));
    for (std::int64_t image = 0; image < boxes.extent(0); ++image)
        for (std::int64_t c = 0; c < classes; ++c) {
            space.stop.check();
            const float* score = scores.data() + (image * classes + c) * count;
            std::size_t candidates = 0;
            for (std::int64_t s = 0; s < count; ++s)
                if (score[s] > options.score) order[candidates++] = s;
            std::sort(
                order.begin(), order.begin() + static_cast<std::ptrdiff_t>(candidates),
                [score](std::int64_t a, std::int64_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
            const std::size_t first = kept.size();
            const auto at = [&](std::int64_t s) {
                return detail::box(boxes.data() + (image * count + s) * 4, options.boxes);
            };
            for (const std::int64_t s : order.first(candidates)) {
                if (static_cast<std::int64_t>(kept.size() - first) >= options.most) break;
                if (kept.size() - first > 256) space.stop.check();
                const detail::box candidate = at(s);
                const bool free = std::none_of(
                    kept.begin() + static_cast<std::ptrdiff_t>(first), kept.end(),
                    [&](const auto& better) { return candidate.overlaps(at(better[2]), options.overlap); });
                if (free) kept.push_back({image, c, s});
            }
        }
    return kept;
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
