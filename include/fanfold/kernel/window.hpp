// fanfold/kernel/window.hpp - where a sliding window may stand along one axis; what convolution and pooling share.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max, std::min
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// A window over [N, C, H, W]: [vertical, horizontal].
struct window2d {
    /// What happens to a last window that fits only in part: dropped, or kept unless it starts behind the image.
    enum class rounding : std::uint8_t { floor, ceil };

    std::array<std::int64_t, 2> size{1, 1};
    std::array<std::int64_t, 2> stride{1, 1};
    std::array<std::int64_t, 2> dilation{1, 1};
    std::array<std::int64_t, 4> padding{0, 0, 0, 0};  ///< top, left, bottom, right
    enum rounding rounding = rounding::floor;
};

/// How the window of a convolution moves over the image: [vertical, horizontal].
struct conv2d_geometry {
    std::array<std::int64_t, 2> stride{1, 1};
    std::array<std::int64_t, 2> dilation{1, 1};
    std::array<std::int64_t, 4> padding{0, 0, 0, 0};  ///< top, left, bottom, right
    std::int64_t groups = 1;
};

namespace detail {

[[nodiscard]] inline std::int64_t checked_mul(std::string_view who, std::int64_t a, std::int64_t b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product))
        throw std::invalid_argument(std::string(who) + ": " + std::to_string(a) + " * " + std::to_string(b) +
                                    " overflows");
    return product;
}

struct window_axis {
    std::string_view who;
    std::int64_t extent, size, stride, dilation, before, after;

    /// From the first to the last element that a window touches, inclusive.
    [[nodiscard]] std::int64_t reach() const { return (size - 1) * dilation + 1; }

    /// How many windows there are.
    ///
    /// errors   throws std::invalid_argument when there are none, or the numbers make no sense or overflow
    [[nodiscard]] std::int64_t positions(enum window2d::rounding round) const {
        std::int64_t window = 0, padded = 0, reached = 0;
        const bool sane = extent >= 1 && size >= 1 && stride >= 1 && dilation >= 1 && before >= 0 && after >= 0 &&
                          !__builtin_mul_overflow(size - 1, dilation, &window) &&
                          !__builtin_add_overflow(window, std::int64_t{1}, &window) &&
                          !__builtin_add_overflow(extent, before, &padded) &&
                          !__builtin_add_overflow(padded, after, &padded) &&
                          !__builtin_add_overflow(padded, stride, &reached);
        if (!sane || window > padded)
            throw std::invalid_argument(std::string(who) + ": a window of " + std::to_string(size) + ", stride " +
                                        std::to_string(stride) + ", dilation " + std::to_string(dilation) +
                                        " does not fit an extent of " + std::to_string(extent) + " padded by " +
                                        std::to_string(before) + " and " + std::to_string(after));
        const std::int64_t room = padded - window;
        std::int64_t count = room / stride + 1;
        if (round == window2d::rounding::ceil && room % stride != 0 && count * stride < extent + before) ++count;
        return count;
    }
};

/// errors   throws std::invalid_argument with the numbers when weights [O, C / groups, kh, kw], bias and geometry make
///          no sense together
inline void check_conv_weights(const view<const float>& weights, const shape& bias, const conv2d_geometry& g) {
    if (weights.rank() != 4 || weights.size() == 0)
        throw std::invalid_argument("conv2d: weights " + weights.shape().text() +
                                    " are not [O, C / groups, kh, kw] with elements");
    if (g.groups < 1 || weights.extent(0) % g.groups != 0)
        throw std::invalid_argument("conv2d: " + std::to_string(g.groups) + " groups for weights " +
                                    weights.shape().text());
    if (bias.volume() != 0 && !(bias == shape{weights.extent(0)}))
        throw std::invalid_argument("conv2d: bias " + bias.text() + " for weights " + weights.shape().text());
    bool sane = true;
    for (std::size_t axis = 0; axis < 2; ++axis) sane = sane && g.stride[axis] >= 1 && g.dilation[axis] >= 1;
    for (const std::int64_t pad : g.padding) sane = sane && pad >= 0;
    if (!sane) throw std::invalid_argument("conv2d: a stride or dilation below 1, or a padding below 0");
}

/// How many windows stand along axis 0 or 1 of an image.
[[nodiscard]] inline std::int64_t conv_positions(const conv2d_geometry& g, const std::array<std::int64_t, 2>& size,
                                                 std::size_t axis, std::int64_t extent) {
    return window_axis{"conv2d",         extent,          size[axis],         g.stride[axis],
                       g.dilation[axis], g.padding[axis], g.padding[axis + 2]}
        .positions(window2d::rounding::floor);
}

/// [N, OH, OW, outputs] of images [N, H, W, channels].
///
/// errors   throws std::invalid_argument with the numbers when `in` is something else, or the window does not fit
[[nodiscard]] inline shape conv_output_nhwc(const conv2d_geometry& g, const std::array<std::int64_t, 2>& size,
                                            std::int64_t channels, std::int64_t outputs, const shape& in) {
    if (in.rank() != 4 || in[3] != channels)
        throw std::invalid_argument("conv2d: " + in.text() + " is not [N, H, W, " + std::to_string(channels) + "]");
    return {in[0], conv_positions(g, size, 0, in[1]), conv_positions(g, size, 1, in[2]), outputs};
}

/// From a pixel of images [N, H, W, C] to the next, where pixels lie in row-major order at equal steps of C or more and
/// channels side by side; 0 where they do not.
[[nodiscard]] inline std::int64_t pixel_step(const view<float>& images) {
    std::int64_t pixel = 0, pixels = 1;  // pixels: of one step along the axis
    for (std::size_t axis = 3; axis-- > 0; pixels *= images.extent(axis)) {
        if (images.extent(axis) == 1) continue;
        if (pixel == 0) pixel = images.step(axis);
        if (images.step(axis) != pixel * pixels) return 0;
    }
    if (pixel == 0) pixel = images.extent(3);
    return pixel >= images.extent(3) && (images.extent(3) == 1 || images.step(3) == 1) ? pixel : 0;
}

/// What lies between pixels of the answer; it is dense, or a part of the channels of dense images where nothing is
/// added.
///
/// errors   throws std::invalid_argument when shapes or steps are others
[[nodiscard]] inline std::int64_t expect_conv_nhwc(const view<const float>& in, const shape& expected,
                                                   const view<float>& out, const view<const float>& addend) {
    const bool adds = addend.size() != 0, fits = out.shape() == expected && in.dense();
    const std::int64_t pixel = !fits || out.dense() ? expected[3] : pixel_step(out);
    if (!fits || pixel == 0 || (adds && (!(addend.shape() == expected) || !addend.dense() || pixel != expected[3])))
        throw std::invalid_argument("conv2d: " + in.shape().text() + (adds ? " and " + addend.shape().text() : "") +
                                    " into " + out.shape().text() + ", expected dense " + expected.text());
    return pixel;
}

/// Taps [from, to) of a window that begins at `first` along an axis and lie within [0, extent).
struct inside_taps {
    std::int64_t from, to;
    inside_taps(std::int64_t first, std::int64_t size, std::int64_t dilation, std::int64_t extent)
        : from(first < 0 ? std::min((-first - 1) / dilation + 1, size) : 0),
          to(extent <= first ? from : std::max(from, std::min((extent - first - 1) / dilation + 1, size))) {}
    /// As a factor of products that may be beyond 64 bits.
    [[nodiscard]] double count() const { return static_cast<double>(to - from); }
};

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
