// fanfold/onnx/operators/window.hpp - the attributes that convolutions and poolings share.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// kernel_shape, strides, dilations, pads and auto_pad of a node over images [N, C, H, W] or signals [N, C, L].
struct window_attributes {
    std::array<std::int64_t, 2> size{1, 1};
    std::array<std::int64_t, 2> stride{1, 1};
    std::array<std::int64_t, 2> dilation{1, 1};
    std::array<std::int64_t, 4> padding{};  ///< top, left, bottom, right
    bool automatic = false;                 ///< auto_pad chose the padding
};

namespace detail {

/// Number of dimensions that the window moves along: 2, or 1 for signals.
[[nodiscard]] inline std::size_t spatial_rank(const value_type& input) {
    const std::size_t rank = input.shape.rank();
    if (rank != 3 && rank != 4)
        throw std::invalid_argument("expected an input of rank 3 or 4, [N, C, L] or [N, C, H, W], got " + input.text());
    return rank - 2;
}

/// One positive number an axis; a signal's are those of the width.
inline void read_axes(node_import& node, const char* name, std::size_t spatial, std::array<std::int64_t, 2>& out) {
    const std::vector<std::int64_t>* given = node.integers(name);
    if (given == nullptr) return;
    bool fits = given->size() == spatial;
    for (const std::int64_t value : *given) fits = fits && value >= 1 && value <= (std::int64_t{1} << 30);
    if (!fits)
        throw std::invalid_argument("attribute " + in_quotes(name) + ": expected " + std::to_string(spatial) +
                                    " numbers from 1 to 2^30, got " + std::to_string(given->size()) +
                                    (given->empty() ? "" : " from " + std::to_string(given->front())));
    for (std::size_t axis = 0; axis < spatial; ++axis) out[2 - spatial + axis] = (*given)[axis];
}

/// auto_pad SAME: as many windows as strides fit into the extent, the odd element at the end or at the start.
inline void pad_same(window_attributes& w, const value_type& input, std::size_t spatial, bool upper) {
    for (std::size_t axis = 2 - spatial; axis < 2; ++axis) {
        const extent& along = input.shape[axis + input.shape.rank() - 2];
        if (!along.constant() || along.fixed < 0)
            throw std::invalid_argument("expected a known extent, got " + input.text());
        const std::int64_t windows = (along.fixed + w.stride[axis] - 1) / w.stride[axis];
        const std::int64_t reach = (w.size[axis] - 1) * w.dilation[axis] + 1;
        const std::int64_t total = std::max<std::int64_t>((windows - 1) * w.stride[axis] + reach - along.fixed, 0);
        w.padding[axis] = upper ? total / 2 : total - total / 2;
        w.padding[axis + 2] = total - w.padding[axis];
    }
}

}  // namespace detail

/// `size` is what the weights say, or {0, 0} where kernel_shape alone says it.
///
/// errors   throws std::invalid_argument for wrong counts, numbers out of range, and pads beside auto_pad
/// source   ONNX Conv-11, MaxPool-12, AveragePool-19
[[nodiscard]] inline window_attributes read_window(node_import& node, const value_type& input,
                                                   std::array<std::int64_t, 2> size) {
    const std::size_t spatial = detail::spatial_rank(input);
    window_attributes w;
    const bool from_weights = size[1] != 0;
    if (!from_weights && !node.has_attribute("kernel_shape"))
        throw std::invalid_argument("expected attribute 'kernel_shape', got none");
    w.size = from_weights ? size : std::array<std::int64_t, 2>{1, 1};
    detail::read_axes(node, "kernel_shape", spatial, w.size);
    if (from_weights && w.size != size)
        throw std::invalid_argument("expected weights as 'kernel_shape' says, [" + std::to_string(w.size[0]) + ", " +
                                    std::to_string(w.size[1]) + "], got [" + std::to_string(size[0]) + ", " +
                                    std::to_string(size[1]) + "]");
    detail::read_axes(node, "strides", spatial, w.stride);
    detail::read_axes(node, "dilations", spatial, w.dilation);

    const std::vector<std::int64_t>* pads = node.integers("pads");
    if (pads != nullptr) {
        bool fits = pads->size() == 2 * spatial;
        for (const std::int64_t pad : *pads) fits = fits && pad >= 0 && pad <= (std::int64_t{1} << 30);
        if (!fits)
            throw std::invalid_argument("attribute 'pads': expected " + std::to_string(2 * spatial) +
                                        " numbers from 0 to 2^30, got " + std::to_string(pads->size()) +
                                        (pads->empty() ? "" : " from " + std::to_string(pads->front())));
        for (std::size_t axis = 0; axis < spatial; ++axis) {
            w.padding[2 - spatial + axis] = (*pads)[axis];
            w.padding[4 - spatial + axis] = (*pads)[spatial + axis];
        }
    }
    const std::string_view mode = node.text("auto_pad", "NOTSET");
    if (mode == "NOTSET") return w;
    w.automatic = true;
    if (w.padding != std::array<std::int64_t, 4>{})
        throw std::invalid_argument("expected no 'pads' beside auto_pad " + in_quotes(mode) + ", got some");
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER")
        detail::pad_same(w, input, spatial, mode == "SAME_UPPER");
    else if (mode != "VALID")
        throw std::invalid_argument("attribute 'auto_pad': expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, got " +
                                    in_quotes(mode));
    return w;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
