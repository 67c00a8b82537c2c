// fanfold/onnx/operators/conv.hpp - Conv and ConvTranspose; weights over images of a known size are packed at load.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>     // std::array
#include <cstddef>   // std::size_t
#include <cstdint>   // std::int64_t
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

#include "../../model/operators/convolution.hpp"
#include "../../model/operators/convolution_nd.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// float32 images or signals whose size is known at load.
[[nodiscard]] inline bool known_size(const value_type& x) {
    if (x.type != element::float32 || !x.shape.ranked() || x.shape.rank() > 4) return false;
    for (std::size_t axis = 1; axis < x.shape.rank(); ++axis)
        if (!x.shape[axis].constant() || x.shape[axis].fixed < 1) return false;
    return true;
}

[[nodiscard]] inline kernel::conv2d_geometry geometry2d(const sliding_rule& rule, const value_type& x,
                                                        std::int64_t groups) {
    const kernel::window_nd w = rule.over(x.shape.at(1));
    if (x.shape.rank() == 3) return {{1, w.stride[0]}, {1, w.dilation[0]}, {0, w.before[0], 0, w.after[0]}, groups};
    return {{w.stride[0], w.stride[1]},
            {w.dilation[0], w.dilation[1]},
            {w.before[0], w.before[1], w.after[0], w.after[1]},
            groups};
}

}  // namespace detail

/// source   ONNX Conv-1, Conv-11, Conv-22
inline void import_conv(node_import& node) {
    node.expect_inputs(2, 3);
    const value_type x = node.type(0), weights = node.type(1);
    const sliding_rule rule = read_window(node, weights);
    const std::int64_t groups = node.integer("group", 1);
    if (detail::known_size(x) && weights.type == element::float32) {
        const std::optional<tensor_view> w = node.constant(1);
        const std::optional<tensor_view> b = node.has_input(2) ? node.constant(2) : std::nullopt;
        if (w && (b || !node.has_input(2)))
            return node.answer(convolution(x, w->as<float>(), b ? b->as<float>() : view<const float>{},
                                           detail::geometry2d(rule, x, groups)),
                               {node.input(0)});
    }
    node.answer(convolution_nd(rule, groups, x.type == element::float64 ? x.type : element::float32), node.inputs());
}

/// source   ONNX ConvTranspose-1, ConvTranspose-11, ConvTranspose-22
inline void import_conv_transpose(node_import& node) {
    node.expect_inputs(2, 3);
    const sliding_rule rule = read_window(node, node.type(1));
    transposed_convolution::extents wanted;
    if (const std::vector<std::int64_t>* added = node.integers("output_padding")) wanted.added = *added;
    if (const std::vector<std::int64_t>* target = node.integers("output_shape")) wanted.target = *target;
    if (rule.axes != 0 && wanted.target.size() == rule.axes + 2)  // some exporters list N and C, too
        wanted.target.erase(wanted.target.begin(), wanted.target.begin() + 2);
    node.answer(transposed_convolution(rule, node.integer("group", 1), std::move(wanted)), node.inputs());
}

inline constexpr std::array conv_operators{
    operator_entry{"Conv", first_opset, last_opset, &import_conv},
    operator_entry{"ConvTranspose", first_opset, last_opset, &import_conv_transpose}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
