// fanfold/kernel/window.hpp - where a sliding window may stand along one axis; what convolution and pooling share.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

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

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
