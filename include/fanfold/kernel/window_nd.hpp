// fanfold/kernel/window_nd.hpp - a window that slides over one, two or three axes of an image.
//   in    [N, C, ...], a window      out   where it stands, and which of its taps lie within the image
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../core/shape.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// One number for each spatial axis, outermost first; numbers behind the last axis are ignored.
using per_axis = std::array<std::int64_t, 3>;

/// A window over [N, C, ...] with one to three spatial axes.
struct window_nd {
    per_axis size{1, 1, 1};
    per_axis stride{1, 1, 1};
    per_axis dilation{1, 1, 1};
    per_axis before{0, 0, 0};  ///< padding
    per_axis after{0, 0, 0};
    enum window2d::rounding rounding = window2d::rounding::floor;
};

namespace detail {

/// Which taps of a window lie within the axis.
struct tap_range {
    std::int64_t start, from, to;  // of tap 0; taps [from, to) are inside
};

/// The same with exactly three axes: those that an image lacks have extent 1 and stand in front.
struct window3 {
    per_axis in{1, 1, 1}, out{1, 1, 1}, size{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, before{0, 0, 0},
        after{0, 0, 0};

    window3(std::string_view who, const shape& image, const window_nd& w) {
        const std::size_t axes = image.rank() - 2;
        if (image.rank() < 3 || image.rank() > 5)
            throw std::invalid_argument(std::string(who) + ": " + image.text() +
                                        " is not [N, C, ...] with one to three spatial axes");
        for (std::size_t a = 0; a < axes; ++a) {
            const std::size_t to = a + 3 - axes;
            in[to] = image[a + 2];
            size[to] = w.size[a];
            stride[to] = w.stride[a];
            dilation[to] = w.size[a] == 1 ? 1 : w.dilation[a];
            before[to] = w.before[a];
            after[to] = w.after[a];
        }
    }
    void place(std::string_view who, enum window2d::rounding rounding) {
        for (std::size_t a = 0; a < 3; ++a)
            out[a] = window_axis{who, in[a], size[a], stride[a], dilation[a], before[a], after[a]}.positions(rounding);
    }

    [[nodiscard]] tap_range taps(std::size_t axis, std::int64_t position) const {
        const std::int64_t start = position * stride[axis] - before[axis];
        const inside_taps inside(start, size[axis], dilation[axis], in[axis]);
        return {start, inside.from, inside.to};
    }
    /// Elements of an image, of an answer, of a window.
    [[nodiscard]] std::int64_t in_plane() const { return in[0] * in[1] * in[2]; }
    [[nodiscard]] std::int64_t out_plane() const { return out[0] * out[1] * out[2]; }
    [[nodiscard]] std::int64_t window() const { return size[0] * size[1] * size[2]; }
    /// At most so many taps of a window lie within the image.
    [[nodiscard]] double most_taps() const {
        double taps = 1;
        for (std::size_t a = 0; a < 3; ++a) taps *= static_cast<double>(std::min(size[a], in[a]));
        return taps;
    }
    /// `image` with other channels, and the extents that the window leaves.
    [[nodiscard]] shape answer(const shape& image, std::int64_t channels) const {
        shape made = image.with(1, channels);
        for (std::size_t a = 2; a < image.rank(); ++a) made = made.with(a, out[a + 3 - image.rank()]);
        return made;
    }
};

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
