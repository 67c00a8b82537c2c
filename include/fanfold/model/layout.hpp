// fanfold/model/layout.hpp - images with their channels side by side wherever convolutions want that,
// and weights packed.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../kernel/transpose.hpp"
#include "../kernel/winograd_choice.hpp"
#include "fusion.hpp"
#include "operators/axes.hpp"
#include "operators/convolution.hpp"
#include "operators/images_nhwc.hpp"
#include "operators/pieces.hpp"
#include "operators/pooling.hpp"
#include "operators/resize.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::array<std::size_t, 4> channels_last_order{0, 2, 3, 1}, channels_first_order{0, 3, 1, 2};
inline constexpr std::array<std::size_t, 3> other_row_order{0, 2, 1};  // of [N, C, L] and [N, L, C]
using axis_order = std::span<const std::size_t>;
[[nodiscard]] inline axis_order last_order(std::size_t rank) {
    return rank == 3 ? axis_order(other_row_order) : axis_order(channels_last_order);
}
[[nodiscard]] inline axis_order first_order(std::size_t rank) {
    return rank == 3 ? axis_order(other_row_order) : axis_order(channels_first_order);
}

/// Another view of images with one channel, or with one pixel: the order of the axes from 1 on does not matter.
class channels_moved {
public:
    static constexpr bool aliases = true;

    explicit channels_moved(axis_order order) : order_(order.begin(), order.end()) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Reshape"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        symbolic_shape out = in[0].shape;
        for (std::size_t axis = 0; axis < order_.size(); ++axis) out[axis] = in[0].shape[order_[axis]];
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        copy_reshaped(in[0], out[0]);
    }

private:
    std::vector<std::size_t> order_;
};
static_assert(graph_operation<channels_moved>);

[[nodiscard]] inline value_type moved(const value_type& from, axis_order order) {
    value_type out = from;
    for (std::size_t axis = 0; axis < order.size(); ++axis) out.shape[axis] = from.shape[order[axis]];
    return out;
}

/// The window of a rule over images, where it does not depend on their size or that is known.
[[nodiscard]] inline std::optional<kernel::window_nd> fixed_window(const sliding_rule& rule, const value_type& x,
                                                                   const shape& weights) {
    sliding_rule sized = rule;
    for (std::size_t axis = 2; axis < weights.rank() && axis < 5; ++axis) sized.window.size[axis - 2] = weights[axis];
    if (rule.padding == window_padding::stated) return sized.window;
    if (rule.padding == window_padding::none) return sized.over(shape(std::vector<std::int64_t>(x.shape.rank(), 1)));
    for (std::size_t axis = 2; axis < x.shape.rank(); ++axis)
        if (!x.shape[axis].constant()) return std::nullopt;
    symbolic_shape one = x.shape;
    one[0] = one[1] = 1;
    return sized.over(one.at(1));
}

/// Puts what it can between channels-last values; a value has its old place, a channels-last twin, or both.
class layout_pass {
public:
    explicit layout_pass(const graph_draft& draft)
        : draft_(draft), used_(draft.uses()), twin_(draft.values()), here_(draft.values(), true) {}

    void run() {
        for (const graph_step& step : draft_.steps())
            for (const std::size_t output : step.outputs) here_[output] = false;
        std::vector<graph_step> steps = std::move(draft_.steps());
        for (graph_step& step : steps) place(std::move(step));
        for (const std::size_t output : draft_.outputs()) need(output);
        draft_.steps() = std::move(made_);
    }

private:
    [[nodiscard]] bool is_image(std::size_t v) const {
        const symbolic_shape& s = draft_.type(v).shape;
        return s.ranked() && s.rank() == 4;
    }
    /// [N, C, L]
    [[nodiscard]] bool is_row(std::size_t v) const {
        const symbolic_shape& s = draft_.type(v).shape;
        return s.ranked() && s.rank() == 3;
    }
    [[nodiscard]] std::size_t rank(std::size_t v) const { return draft_.type(v).shape.rank(); }
    [[nodiscard]] bool moved_already(std::size_t v) const { return v < twin_.size() && twin_[v].has_value(); }
    static bool order_is_free(const symbolic_shape& channels_first) {
        bool one_place = true;
        for (std::size_t axis = 2; axis < channels_first.rank(); ++axis)
            one_place = one_place && channels_first[axis] == extent(1);
        return one_place || channels_first[1] == extent(1);
    }

    /// The value in its old place.
    void need(std::size_t v) {
        if (v >= here_.size() || here_[v]) return;
        here_[v] = true;
        reorder(*twin_[v], v, first_order(rank(v)), draft_.type(v).shape);
    }
    /// Its channels-last twin.
    std::size_t twin(std::size_t v) {
        if (moved_already(v)) return *twin_[v];
        value_type type = moved(draft_.type(v), last_order(rank(v)));
        std::size_t made = 0;
        if (const auto& elements = draft_.elements(v)) {
            tensor copy(type.type, type.shape.at(1));
            kernel::transpose(*elements, last_order(elements->rank()), mutable_tensor_view(copy));
            made = draft_.add_constant(std::move(copy));
        } else {
            made = draft_.add_value(std::move(type), draft_.name(v));
            reorder(v, made, last_order(rank(v)), draft_.type(v).shape);
        }
        if (v < twin_.size()) twin_[v] = made;
        return made;
    }
    void reorder(std::size_t from, std::size_t to, axis_order order, const symbolic_shape& channels_first) {
        if (order_is_free(channels_first)) {
            draft_.alias(to, from);
            made_.push_back({channels_moved(order), draft_.name(to), {from}, {to}});
            return;
        }
        made_.push_back(
            {transpose(std::vector<std::int64_t>(order.begin(), order.end())), draft_.name(to), {from}, {to}});
    }

    void place(graph_step&& step) {
        if (absorb(step)) return;
        std::optional<graph_step> other = convolved(step);
        if (!other) other = convolved_row(step);
        if (other) release_weights(step);
        if (!other) other = followed(step);
        if (other) {
            other->outputs = {
                draft_.add_value(moved(draft_.type(step.outputs[0]), last_order(rank(step.outputs[0]))), step.name)};
            twin_[step.outputs[0]] = other->outputs[0];
            made_.push_back(*std::move(other));
            return;
        }
        for (const std::size_t input : step.inputs) need(input);
        for (const std::size_t output : step.outputs) here_[output] = true;
        made_.push_back(pack(std::move(step)));
    }
    /// Packed weights are a copy.
    void release_weights(const graph_step& step) const {
        for (std::size_t i = 1; i < step.inputs.size(); ++i)
            if (used_[step.inputs[i]] == 1) draft_.release(step.inputs[i]);
    }

    /// A transposition between the two orders names a twin, or is one.
    bool absorb(const graph_step& step) {
        const auto* op = step.op.as<transpose>();
        if (op == nullptr || !is_image(step.inputs[0]) || !is_image(step.outputs[0])) return false;
        const axis_list order = op->order(4);
        const auto is = [&](const std::array<std::size_t, 4>& wanted) {
            return std::equal(wanted.begin(), wanted.end(), order.begin());
        };
        if (is(channels_last_order) && moved_already(step.inputs[0])) {
            draft_.alias(step.outputs[0], *twin_[step.inputs[0]]);
            made_.push_back({identity(), step.name, {*twin_[step.inputs[0]]}, step.outputs});
            here_[step.outputs[0]] = true;
            return true;
        }
        if (!is(channels_first_order)) return false;
        need(step.inputs[0]);
        twin_[step.outputs[0]] = step.inputs[0];
        return true;
    }

    [[nodiscard]] view<const float> floats(std::size_t v) const { return draft_.elements(v)->as<float>(); }
    [[nodiscard]] view<const float> bias_of(const graph_step& step) const {
        const bool given = step.inputs.size() > 2 && !draft_.absent(step.inputs[2]);
        return given ? floats(step.inputs[2]) : view<const float>{};
    }

    /// A convolution that is faster with its channels side by side: lanes are output channels there.
    std::optional<graph_step> convolved(const graph_step& step) {
        if (!constant_convolution(draft_, step) || !is_image(step.inputs[0])) return std::nullopt;
        const auto* op = step.op.as<convolution_nd>();
        const view<const float> weights = floats(step.inputs[1]);
        const value_type& x = draft_.type(step.inputs[0]);
        const auto window = fixed_window(op->rule(), x, weights.shape());
        if (!window || weights.rank() != 4) return std::nullopt;
        const std::int64_t outputs = weights.extent(0) / op->groups();
        const bool depthwise = weights.extent(1) == 1 && op->groups() == weights.extent(0) && op->groups() > 1;
        const bool there = moved_already(step.inputs[0]);
        if (!depthwise && outputs < few_outputs && !(there && weights.extent(1) >= few_outputs)) return std::nullopt;
        const kernel::conv2d_geometry g{{window->stride[0], window->stride[1]},
                                        {window->dilation[0], window->dilation[1]},
                                        {window->before[0], window->before[1], window->after[0], window->after[1]},
                                        op->groups()};
        return draft_.packing(
            {convolution_nhwc(weights, bias_of(step), g, tiles(weights, g, draft_.type(step.outputs[0]))),
             step.name,
             {twin(step.inputs[0])},
             {}});
    }

    /// By which tiles a convolution is fastest, as far as accuracy and memory may be given for it. Images of unknown
    /// size are taken to be large.
    [[nodiscard]] std::optional<kernel::winograd_tile> tiles(const view<const float>& weights,
                                                             const kernel::conv2d_geometry& g,
                                                             const value_type& answer) const {
        const preference& prefer = draft_.prefer();
        if (prefer.accuracy == accuracy::direct || prefer.memory == weight_memory::small ||
            !kernel::packed_winograd::fits(weights.shape(), g))
            return std::nullopt;
        const auto size = [&](std::size_t axis) {
            const extent& along = answer.shape[axis];
            return along.constant() ? along.fixed : usual_size;
        };
        return kernel::fastest_tile(
            {weights.extent(1), weights.extent(0), size(2), size(3), g.stride[0]},
            prefer.accuracy == accuracy::high ? kernel::winograd_tile::two : kernel::winograd_tile::four);
    }

    /// The same along one axis: an image of one line. Otherwise its weights would be packed in every run, unless the
    /// length were known.
    std::optional<graph_step> convolved_row(const graph_step& step) {
        if (!constant_convolution(draft_, step) || !is_row(step.inputs[0])) return std::nullopt;
        const auto* op = step.op.as<convolution_nd>();
        const value_type& x = draft_.type(step.inputs[0]);
        const view<const float> w = floats(step.inputs[1]);
        const auto window = w.rank() == 3 ? fixed_window(op->rule(), x, w.shape()) : std::nullopt;
        if (!window) return std::nullopt;
        const bool depthwise = w.extent(1) == 1 && op->groups() == w.extent(0) && op->groups() > 1;
        if (!depthwise && w.extent(0) / op->groups() < few_outputs && w.extent(1) * w.extent(2) < 32)
            return std::nullopt;
        const kernel::conv2d_geometry g{{1, window->stride[0]},
                                        {1, window->dilation[0]},
                                        {0, window->before[0], 0, window->after[0]},
                                        op->groups()};
        const view<const float> weights(w.data(), shape{w.extent(0), w.extent(1), 1, w.extent(2)});
        return draft_.packing({convolution_nhwc(weights, bias_of(step), g), step.name, {twin(step.inputs[0])}, {}});
    }

    /// A step that can do with twins as well, after one that made them.
    std::optional<graph_step> followed(const graph_step& step) {
        if (step.outputs.size() != 1 || (!is_image(step.outputs[0]) && !is_row(step.outputs[0]))) return std::nullopt;
        bool wanted = false;
        for (const std::size_t input : step.inputs)
            wanted = wanted || (moved_already(input) && !draft_.elements(input));
        if (!wanted) return std::nullopt;
        if (step.op.elementwise() && !step.op.aliases()) return element_by_element(step);
        if (!is_image(step.outputs[0])) return std::nullopt;
        if (const auto* op = step.op.as<concat>()) {
            for (const std::size_t input : step.inputs)
                if (!is_image(input)) return std::nullopt;
            const std::size_t axis = expect_axis(op->axis(), 4);
            return with_twins(step, concat(axis == 0 ? 0 : axis == 1 ? 3 : static_cast<std::int64_t>(axis) - 1));
        }
        if (draft_.type(step.inputs[0]).type != element::float32 || !is_image(step.inputs[0])) return std::nullopt;
        if (const auto* op = step.op.as<max_pooling>())
            return op->places() == max_places::dropped ? pooled(step, op->rule(), pooling_nhwc::kind::greatest)
                                                       : std::nullopt;
        if (const auto* op = step.op.as<average_pooling>())
            return pooled(step, op->rule(), pooling_nhwc::kind::mean, op->padding());
        if (const auto* op = step.op.as<global_pooling>()) {
            if (op->kind() == global_pool::norm) return std::nullopt;
            const bool mean = op->kind() == global_pool::average;
            return with_twins(step,
                              global_pooling_nhwc(mean ? pooling_nhwc::kind::mean : pooling_nhwc::kind::greatest));
        }
        if (const auto* op = step.op.as<resize>()) {
            resize_rule rule = op->rule();
            std::vector<std::int64_t> axes;
            if (!rule.axes) rule.axes = {0, 1, 2, 3};
            for (const std::size_t axis : expect_axes(*rule.axes, 4))
                axes.push_back(axis == 0 ? 0 : axis == 1 ? 3 : static_cast<std::int64_t>(axis) - 1);
            rule.axes = std::move(axes);
            graph_step out{resize(std::move(rule)), step.name, step.inputs, {}};
            for (const std::size_t input : out.inputs)
                if (input != out.inputs[0]) need(input);
            out.inputs[0] = twin(step.inputs[0]);
            return out;
        }
        return std::nullopt;
    }

    graph_step with_twins(const graph_step& step, operation op) {
        graph_step out{std::move(op), step.name, {}, {}};
        for (const std::size_t input : step.inputs) out.inputs.push_back(twin(input));
        return out;
    }

    std::optional<graph_step> pooled(const graph_step& step, const sliding_rule& rule, pooling_nhwc::kind kind,
                                     kernel::padding_counts counts = kernel::padding_counts::no) {
        const auto w = fixed_window(rule, draft_.type(step.inputs[0]), {});
        if (!w) return std::nullopt;
        const symbolic_shape &in = draft_.type(step.inputs[0]).shape, &out = draft_.type(step.outputs[0]).shape;
        double row = 1;  // its taps: as much as no stop interrupts
        for (std::size_t axis = 1; axis < 4; ++axis) row *= static_cast<double>(axis == 2 ? 1 : out[axis].fixed);
        for (std::size_t axis = 0; axis < 2; ++axis)
            row *= static_cast<double>(std::min(w->size[axis], in[axis + 2].fixed));
        if (row > 0x1p28) return std::nullopt;
        kernel::window2d window;
        window.size = {w->size[0], w->size[1]};
        window.stride = {w->stride[0], w->stride[1]};
        window.dilation = {w->dilation[0], w->dilation[1]};
        window.padding = {w->before[0], w->before[1], w->after[0], w->after[1]};
        window.rounding = w->rounding;
        return with_twins(step, pooling_nhwc(kind, window, counts));
    }

    /// Operands of the answer's rank have twins; constants of lower rank get its axes first.
    std::optional<graph_step> element_by_element(const graph_step& step) {
        const std::size_t axes = rank(step.outputs[0]);
        const auto has_twin = [&](std::size_t v) {
            const symbolic_shape& s = draft_.type(v).shape;
            return s.ranked() && s.rank() == axes;
        };
        for (const std::size_t input : step.inputs) {
            if (has_twin(input) || draft_.absent(input)) continue;
            const auto& elements = draft_.elements(input);
            if (!elements || !elements->dense() || elements->rank() > axes) return std::nullopt;
        }
        graph_step out{step.op, step.name, {}, {}};
        for (const std::size_t input : step.inputs) {
            if (draft_.absent(input) || (!has_twin(input) && draft_.elements(input)->size() == 1)) {
                out.inputs.push_back(input);
                continue;
            }
            if (has_twin(input)) {
                out.inputs.push_back(twin(input));
                continue;
            }
            const tensor_view elements = *draft_.elements(input);
            std::vector<std::int64_t> extents(axes - elements.rank(), 1), turned;
            for (std::size_t axis = 0; axis < elements.rank(); ++axis) extents.push_back(elements.extent(axis));
            const tensor_view from = elements.reshaped(shape(extents));
            for (const std::size_t axis : last_order(axes)) turned.push_back(extents[axis]);
            tensor copy(from.type(), shape(turned));
            kernel::transpose(from, last_order(axes), mutable_tensor_view(copy));
            out.inputs.push_back(draft_.add_constant(std::move(copy)));
        }
        return out;
    }

    /// A convolution that stays: its weights are packed where the images' size is known.
    graph_step pack(graph_step&& step) const {
        if (!constant_convolution(draft_, step)) return std::move(step);
        const auto* op = step.op.as<convolution_nd>();
        const value_type& x = draft_.type(step.inputs[0]);
        if (x.type != element::float32 || !x.shape.ranked() || x.shape.rank() > 4) return std::move(step);
        for (std::size_t axis = 1; axis < x.shape.rank(); ++axis)
            if (!x.shape[axis].constant() || x.shape[axis].fixed < 1) return std::move(step);
        const view<const float> weights = floats(step.inputs[1]);
        const auto w = fixed_window(op->rule(), x, weights.shape());
        if (!w) return std::move(step);
        const value_type& y = draft_.type(step.outputs[0]);  // nothing interrupts an image
        double products = static_cast<double>(weights.size());
        for (std::size_t axis = 2; axis < y.shape.rank(); ++axis)
            products *= static_cast<double>(y.shape[axis].constant() ? y.shape[axis].fixed : 1);
        if (products > 0x1p34) return std::move(step);
        kernel::conv2d_geometry g{{w->stride[0], w->stride[1]},
                                  {w->dilation[0], w->dilation[1]},
                                  {w->before[0], w->before[1], w->after[0], w->after[1]},
                                  op->groups()};
        if (x.shape.rank() == 3)
            g = {{1, w->stride[0]}, {1, w->dilation[0]}, {0, w->before[0], 0, w->after[0]}, op->groups()};
        operation packed = convolution(x, weights, bias_of(step), g);
        release_weights(step);
        return draft_.packing({std::move(packed), std::move(step.name), {step.inputs[0]}, std::move(step.outputs)});
    }

    static constexpr std::int64_t usual_size = 32;
    static constexpr std::int64_t few_outputs = 12;  // below, lanes of positions beat lanes of channels

    const graph_draft& draft_;
    std::vector<std::size_t> used_;                 ///< by value that was there before
    std::vector<std::optional<std::size_t>> twin_;  ///< by value that was there before
    std::vector<bool> here_;                        ///< computed in its old place already
    std::vector<graph_step> made_{};
};

}  // namespace detail

/// Convolutions with constant weights take images [N, H, W, C] where that is faster, and with them all steps that
/// follow and can; transpositions stand at the borders only. Weights are packed.
inline void choose_layout(const graph_draft& draft) { detail::layout_pass(draft).run(); }

}  // namespace fanfold::inline FANFOLD_ABI
