// fanfold/onnx/operators/window.hpp - the attributes that convolutions and poolings share.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../../model/operators/sliding.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// How many axes the window moves along; 0 where a run has to tell.
[[nodiscard]] inline std::size_t spatial_rank(const value_type& input) {
    if (!input.shape.ranked()) return 0;
    const std::size_t rank = input.shape.rank();
    if (rank < 3 || rank > 5)
        throw std::invalid_argument("expected an input of rank 3 to 5, [N, C, ...], got " + input.text());
    return rank - 2;
}

/// Numbers from `least` to 2^30, `each` for every axis; null when there is no such attribute.
[[nodiscard]] inline const std::vector<std::int64_t>* read_axes(node_import& node, const char* name, std::size_t each,
                                                                std::int64_t least, sliding_rule& rule) {
    const std::vector<std::int64_t>* given = node.integers(name);
    if (given == nullptr) return nullptr;
    if (rule.axes == 0 && given->size() % each == 0) rule.axes = given->size() / each;
    bool fits = given->size() == rule.axes * each && rule.axes <= 3;
    for (const std::int64_t value : *given) fits = fits && value >= least && value <= (std::int64_t{1} << 30);
    if (!fits)
        throw std::invalid_argument("attribute " + in_quotes(name) + ": expected " + std::to_string(rule.axes * each) +
                                    " numbers from " + std::to_string(least) + " to 2^30, got " +
                                    std::to_string(given->size()) +
                                    (given->empty() ? "" : " from " + std::to_string(given->front())));
    return given;
}

}  // namespace detail

/// Whether kernel_shape has to be there, or the weights say it.
enum class window_size { stated, of_weights };

/// kernel_shape, strides, dilations, pads and auto_pad of a node whose input 0 are images.
///
/// errors   throws std::invalid_argument for wrong counts, numbers out of range, and pads beside auto_pad
/// source   ONNX Conv-11, MaxPool-12, AveragePool-19
[[nodiscard]] inline sliding_rule read_window(node_import& node, window_size size) {
    sliding_rule rule;
    rule.axes = detail::spatial_rank(node.type(0));
    if (size == window_size::stated && !node.has_attribute("kernel_shape"))
        throw std::invalid_argument("expected attribute 'kernel_shape', got none");
    const auto read = [&](const char* name, kernel::per_axis& to) {
        const std::vector<std::int64_t>* given = detail::read_axes(node, name, 1, 1, rule);
        for (std::size_t axis = 0; given != nullptr && axis < rule.axes; ++axis) to[axis] = (*given)[axis];
    };
    read("kernel_shape", rule.window.size);
    read("strides", rule.window.stride);
    read("dilations", rule.window.dilation);
    bool padded = false;
    if (const std::vector<std::int64_t>* pads = detail::read_axes(node, "pads", 2, 0, rule))
        for (std::size_t axis = 0; axis < rule.axes; ++axis) {
            rule.window.before[axis] = (*pads)[axis];
            rule.window.after[axis] = (*pads)[rule.axes + axis];
            padded = padded || rule.window.before[axis] != 0 || rule.window.after[axis] != 0;
        }
    const std::string_view mode = node.text("auto_pad", "NOTSET");
    if (mode == "NOTSET") return rule;
    if (mode == "SAME_UPPER")
        rule.padding = window_padding::same_upper;
    else if (mode == "SAME_LOWER")
        rule.padding = window_padding::same_lower;
    else if (mode == "VALID")
        rule.padding = window_padding::none;
    else
        throw std::invalid_argument("attribute 'auto_pad': expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, got " +
                                    in_quotes(mode));
    if (padded) throw std::invalid_argument("expected no 'pads' beside auto_pad " + in_quotes(mode) + ", got some");
    return rule;
}

/// The same where the weights have to agree with kernel_shape.
[[nodiscard]] inline sliding_rule read_window(node_import& node, const value_type& weights) {
    sliding_rule rule = read_window(node, window_size::of_weights);
    if (!weights.shape.ranked()) return rule;
    if (rule.axes != 0 && weights.shape.rank() != rule.axes + 2)
        throw std::invalid_argument("expected weights [O, C / groups, ...] of the rank of " + node.type(0).text() +
                                    ", got " + weights.text());
    symbolic_shape stated, got;
    for (std::size_t axis = 2; axis < weights.shape.rank() && axis < 5; ++axis) {
        stated.push_back(rule.window.size[axis - 2]);
        got.push_back(weights.shape[axis]);
        if (weights.shape[axis].constant()) rule.window.size[axis - 2] = weights.shape[axis].fixed;
    }
    if (node.has_attribute("kernel_shape") && !may_equal(stated, got))
        throw std::invalid_argument("expected weights as 'kernel_shape' says, " + stated.text() + ", got " +
                                    got.text());
    return rule;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
