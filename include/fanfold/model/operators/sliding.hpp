// fanfold/model/operators/sliding.hpp - how a window slides over images whose size may be known in a run only.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <string>     // std::string

#include "../../kernel/window_nd.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where padding comes from: as stated, as little as makes ceil(extent / stride) windows fit with its odd element at
/// the end (upper) or at the start (lower), or none.
enum class window_padding : std::uint8_t { stated, same_upper, same_lower, none };

/// A window over [N, C, ...] as attributes describe it.
struct sliding_rule {
    kernel::window_nd window{};  ///< size where weights do not say it, paddings where they are stated
    window_padding padding = window_padding::stated;
    std::size_t axes = 0;  ///< how many spatial axes the numbers are about; 0: however many there are

    /// The window over one more extent, with its padding there decided.
    /// errors   throws std::invalid_argument when the window reaches too far
    void place(std::size_t axis, std::int64_t along, kernel::window_nd& w) const {
        if (padding == window_padding::stated) return;
        w.before[axis] = w.after[axis] = 0;
        if (padding == window_padding::none) return;
        const std::int64_t stride = w.stride[axis];
        const std::int64_t last = (along / stride + (along % stride == 0 ? 0 : 1) - 1) * stride;  // window's start
        const extent reach = extent(w.size[axis] - 1) * extent(w.dilation[axis]) + extent(1);  // may be beyond 64 bits
        const std::int64_t total = std::max<std::int64_t>((reach + extent(last - along)).fixed, 0);
        w.before[axis] = padding == window_padding::same_upper ? total / 2 : total - total / 2;
        w.after[axis] = total - w.before[axis];
    }
    /// The window over images of this shape.
    [[nodiscard]] kernel::window_nd over(const shape& images) const {
        kernel::window_nd w = window;
        for (std::size_t axis = 2; axis < images.rank() && axis < 5; ++axis) place(axis - 2, images[axis], w);
        return w;
    }
};

namespace detail {

/// [N, C, ...] with as many spatial axes as the rule is about.
/// errors   throws std::invalid_argument for another rank, or another element type than these
inline void expect_spatial(const value_type& x, const sliding_rule& rule, std::span<const element> types) {
    bool fits = false;
    for (const element type : types) fits = fits || x.type == type;
    if (fits && x.shape.ranked()) {
        const std::size_t rank = x.shape.rank();
        fits = rank >= 3 && rank <= 5 && (rule.axes == 0 || rule.axes == rank - 2);
    }
    if (fits) return;
    std::string expected;
    for (const element type : types) expected += (expected.empty() ? "" : " or ") + std::string(name_of(type));
    refuse(expected + " images of rank " + (rule.axes == 0 ? "3 to 5" : std::to_string(rule.axes + 2)), x.text());
}

/// How many windows there are along spatial axis `axis`; unknown where the extent is.
/// errors   throws std::invalid_argument when none fits
[[nodiscard]] inline extent windows_along(const char* who, const sliding_rule& rule, std::size_t axis,
                                          const extent& along, kernel::window_nd w) {
    if (!along.constant()) return extent::unknown();
    rule.place(axis, along.fixed, w);
    return kernel::detail::window_axis{
        who, along.fixed, w.size[axis], w.stride[axis], w.dilation[axis], w.before[axis], w.after[axis]}
        .positions(w.rounding);
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
