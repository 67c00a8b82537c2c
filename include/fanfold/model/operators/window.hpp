// fanfold/model/operators/window.hpp - the images that windows slide over, and signals as images.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t

#include "../../core/view.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Images [N, C, H, W], or signals [N, C, L] as images of height 1; only N may depend on the rows.
/// errors   throws std::invalid_argument otherwise
inline void expect_images(const value_type& in) {
    const std::size_t rank = in.shape.ranked() ? in.shape.rank() : 0;
    bool fits = in.type == element::float32 && (rank == 3 || rank == 4);
    for (std::size_t axis = 1; fits && axis < rank; ++axis) fits = in.shape[axis].constant();
    if (!fits) refuse("float32 [N, C, H, W] or [N, C, L] with only N open", in.text());
}
[[nodiscard]] inline std::int64_t channels_of(const symbolic_shape& s) { return s[1].fixed; }
[[nodiscard]] inline std::int64_t height_of(const symbolic_shape& s) { return s.rank() == 4 ? s[2].fixed : 1; }
[[nodiscard]] inline std::int64_t width_of(const symbolic_shape& s) { return s[s.rank() - 1].fixed; }

/// The shape of as many images (or signals, when the height is 1 as it was) as `like` has.
[[nodiscard]] inline value_type images_like(const symbolic_shape& like, std::int64_t channels, std::int64_t height,
                                            std::int64_t width) {
    if (like.rank() == 3) return {element::float32, {like[0], channels, width}};
    return {element::float32, {like[0], channels, height, width}};
}

/// A tensor of images or signals as images.
template <class View>
[[nodiscard]] View as_images(const View& tensor) {
    if (tensor.rank() == 4) return tensor;
    return tensor.reshaped({tensor.extent(0), tensor.extent(1), 1, tensor.extent(2)});
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
