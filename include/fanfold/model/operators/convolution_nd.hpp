// fanfold/model/operators/convolution_nd.hpp - convolution and its transpose, shapes and weights known in a run only.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/convolution_nd.hpp"
#include "../operation.hpp"
#include "sliding.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::array real_elements{element::float32, element::float64};

/// The rule for images and weights; a rank that only the weights tell is taken from there.
[[nodiscard]] inline symbolic_shape expect_convolved(std::span<const argument> in, const sliding_rule& rule,
                                                     std::span<const element> types) {
    expect_inputs(in, 2, 3);
    expect_spatial(in[0], rule, types);
    const symbolic_shape &x = in[0].shape, &w = in[1].shape;
    if (x.ranked() && w.ranked() && x.rank() != w.rank())
        refuse("weights [O, C / groups, ...] of the rank of " + in[0].text(), in[1].text());
    if (x.ranked() || !w.ranked()) return x;
    const symbolic_shape images = symbolic_shape::of_rank(w.rank());
    expect_spatial({in[0].type, images}, rule, types);
    return images;
}
inline void expect_bias(std::span<const argument> in, element type, const extent& channels) {
    if (given(in, 2) && (in[2].type != type || !may_equal(in[2].shape, symbolic_shape{channels})))
        refuse("a bias " + std::string(name_of(type)) + " [" + channels.text() + "]", in[2].text());
}
template <class T>
[[nodiscard]] std::span<const T> bias_in(std::span<const tensor_view> in) {
    return given(in, 2) ? in[2].as<T>().flat() : std::span<const T>();
}
[[nodiscard]] inline kernel::conv_geometry geometry_of(const kernel::window_nd& w, std::int64_t groups) {
    return {w.stride, w.dilation, w.before, w.after, groups};
}
/// The rule's window with the size that the weights have, as far as it is known.
[[nodiscard]] inline kernel::window_nd window_of(const sliding_rule& rule, const symbolic_shape& weights) {
    kernel::window_nd w = rule.window;
    for (std::size_t axis = 2; weights.ranked() && axis < weights.rank() && axis < 5; ++axis)
        if (weights[axis].constant()) w.size[axis - 2] = weights[axis].fixed;
    return w;
}

/// The rule for images and weights of these shapes.
[[nodiscard]] inline kernel::conv_geometry geometry_over(sliding_rule rule, const shape& images, const shape& weights,
                                                         std::int64_t groups) {
    rule.window = window_of(rule, weights);
    return geometry_of(rule.over(images), groups);
}

/// What a convolution with these weights makes of these images.
[[nodiscard]] inline symbolic_shape convolved(std::span<const argument> in, const sliding_rule& rule,
                                              std::int64_t groups, std::span<const element> types) {
    const symbolic_shape x = expect_convolved(in, rule, types);
    if (!x.ranked()) return x;
    const symbolic_shape w = in[1].shape.ranked() ? in[1].shape : symbolic_shape::of_rank(x.rank());
    if (!may_equal(x[1], w[1] * extent(groups)) || (w[0].constant() && w[0].fixed % groups != 0))
        refuse("weights for " + in[0].text() + " in " + std::to_string(groups) + " groups", in[1].text());
    symbolic_shape out = x;
    out[1] = w[0];
    const kernel::window_nd window = window_of(rule, w);
    for (std::size_t axis = 2; axis < x.rank(); ++axis)
        out[axis] =
            w[axis].constant() ? windows_along("convolution", rule, axis - 2, x[axis], window) : extent::unknown();
    return out;
}

inline void check_groups(std::int64_t groups) {
    if (groups < 1) refuse("at least one group", std::to_string(groups) + " groups");
}

}  // namespace detail

/// Slides weights over images: inputs x, weights, bias (may be left out).
///
/// shapes   float32 or float64: x [N, C, ...] with one to three spatial axes, weights [O, C / groups, ...], bias [O] ->
///          [N, O, ...]
/// errors   answers throws std::invalid_argument naming what does not fit
/// source   ONNX Conv-11
class convolution_nd {
public:
    explicit convolution_nd(const sliding_rule& rule, std::int64_t groups = 1, element type = element::float32)
        : rule_(rule), groups_(groups), type_(type) {
        detail::check_groups(groups);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Conv"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const symbolic_shape out = detail::convolved(in, rule_, groups_, std::span(&type_, 1));
        if (in[1].type != type_) detail::refuse("weights of " + std::string(name_of(type_)), in[1].text());
        detail::expect_bias(in, type_, out.ranked() ? out[1] : extent::unknown());
        return {{type_, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const auto g = detail::geometry_over(rule_, in[0].shape(), in[1].shape(), groups_);
        if (type_ == element::float32)
            kernel::conv_nd(in[0].as<float>(), in[1].as<float>(), detail::bias_in<float>(in), g, out[0].as<float>(),
                            space, activation_);
        else
            kernel::conv_nd(in[0].as<double>(), in[1].as<double>(), detail::bias_in<double>(in), g, out[0].as<double>(),
                            space);
    }
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        std::vector<argument> known;
        for (const shape& one : in) known.emplace_back(value_type{type_, one});
        const std::uint64_t each = in[1].volume() / static_cast<std::uint64_t>(std::max<std::int64_t>(in[1][0], 1));
        return 2 * each * detail::convolved(known, rule_, groups_, std::span(&type_, 1)).at(1).volume();
    }
    [[nodiscard]] std::optional<convolution_nd> with(kernel::activation act) const {
        if (type_ != element::float32 || activation_ != kernel::activation::none) return std::nullopt;
        convolution_nd fused = *this;
        fused.activation_ = act;
        return fused;
    }

    [[nodiscard]] const sliding_rule& rule() const noexcept { return rule_; }
    [[nodiscard]] std::int64_t groups() const noexcept { return groups_; }

private:
    sliding_rule rule_;
    std::int64_t groups_;
    element type_;
    kernel::activation activation_ = kernel::activation::none;
};
static_assert(graph_operation<convolution_nd>);

/// Lays the weights down once for each element of an image, at stride intervals, and adds up.
///
/// shapes   float32 or float64: x [N, C, ...] with one to three spatial axes, weights [C, O / groups, ...], bias [O] ->
///          [N, O, ...] with extents as `target` says, else (extent - 1) stride + reach + added - padding
/// errors   answers throws std::invalid_argument naming what does not fit
/// source   ONNX ConvTranspose-11
class transposed_convolution {
public:
    struct extents {
        std::vector<std::int64_t> added{};   ///< output_padding; empty: none
        std::vector<std::int64_t> target{};  ///< output_shape; empty: what comes out
    };

    transposed_convolution(const sliding_rule& rule, std::int64_t groups, extents wanted)
        : rule_(rule), groups_(groups), wanted_(std::move(wanted)) {
        detail::check_groups(groups);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "ConvTranspose"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const symbolic_shape x = detail::expect_convolved(in, rule_, detail::real_elements);
        if (in[1].type != in[0].type) detail::refuse("weights of " + std::string(name_of(in[0].type)), in[1].text());
        if (!x.ranked()) return {{in[0].type, x}};
        const symbolic_shape w = in[1].shape.ranked() ? in[1].shape : symbolic_shape::of_rank(x.rank());
        if (!may_equal(x[1], w[0]) || (x[1].constant() && x[1].fixed % groups_ != 0))
            detail::refuse("weights for " + in[0].text() + " in " + std::to_string(groups_) + " groups", in[1].text());
        check_counts(x.rank() - 2);
        symbolic_shape out = x;
        out[1] = w[1] * extent(groups_);
        detail::expect_bias(in, in[0].type, out[1]);
        const bool same = rule_.padding == window_padding::same_upper || rule_.padding == window_padding::same_lower;
        for (std::size_t axis = 0; axis + 2 < x.rank(); ++axis) {
            const kernel::window_nd& g = rule_.window;
            extent& along = out[axis + 2];
            if (!wanted_.target.empty())
                along = wanted_.target[axis];
            else if (same)
                along = x[axis + 2] * extent(g.stride[axis]);
            else
                along = full(axis, x[axis + 2], w[axis + 2]) - extent(g.before[axis] + g.after[axis]);
            if (along.constant() && along.fixed < 0) detail::refuse("an answer of 0 or more elements", along.text());
        }
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        kernel::conv_geometry g = detail::geometry_of(rule_.window, groups_);
        const bool upper = rule_.padding == window_padding::same_upper;
        for (std::size_t axis = 0; axis + 2 < in[0].rank(); ++axis) {
            if (wanted_.target.empty() && rule_.padding == window_padding::stated) break;
            const std::int64_t whole = full(axis, in[0].extent(axis + 2), in[1].extent(axis + 2)).fixed;
            const std::int64_t total = std::max<std::int64_t>(whole - out[0].extent(axis + 2), 0);
            g.before[axis] = upper ? total / 2 : total - total / 2;
            g.after[axis] = total - g.before[axis];
        }
        if (in[0].type() == element::float32)
            kernel::conv_transpose_nd(in[0].as<float>(), in[1].as<float>(), detail::bias_in<float>(in), g,
                                      out[0].as<float>(), space);
        else
            kernel::conv_transpose_nd(in[0].as<double>(), in[1].as<double>(), detail::bias_in<double>(in), g,
                                      out[0].as<double>(), space);
    }

private:
    void check_counts(std::size_t axes) const {
        for (const std::vector<std::int64_t>* list : {&wanted_.added, &wanted_.target})
            if (!list->empty() && list->size() != axes)
                detail::refuse(std::to_string(axes) + " numbers for as many axes", std::to_string(list->size()));
    }
    /// What comes out before anything is cut off.
    [[nodiscard]] extent full(std::size_t axis, const extent& along, const extent& size) const {
        const kernel::window_nd& g = rule_.window;
        const extent reach = (size - extent(1)) * extent(g.dilation[axis]) + extent(1);
        const extent added = wanted_.added.empty() ? 0 : wanted_.added[axis];
        return (along - extent(1)) * extent(g.stride[axis]) + reach + added;
    }

    sliding_rule rule_;
    std::int64_t groups_;
    extents wanted_;
};
static_assert(graph_operation<transposed_convolution>);

}  // namespace fanfold::inline FANFOLD_ABI
