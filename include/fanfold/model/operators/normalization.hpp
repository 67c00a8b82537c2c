// fanfold/model/operators/normalization.hpp - values without their mean and spread, over axes, channels or groups.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../core/tensor.hpp"
#include "../../kernel/elementwise.hpp"
#include "../../kernel/normalization.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// float32 of at least `rank` axes.
inline void expect_floats(const value_type& x, std::size_t rank) {
    if (x.type != element::float32 || (x.shape.ranked() && x.shape.rank() < rank))
        refuse("float32 of rank " + std::to_string(rank) + " or more", x.text());
}
/// float32 [count]
inline void expect_list(const value_type& list, const extent& count) {
    const bool fits = list.type == element::float32 &&
                      (!list.shape.ranked() || (list.shape.rank() == 1 && may_equal(list.shape[0], count)));
    if (!fits) refuse("float32 [" + count.text() + "]", list.text());
}
[[nodiscard]] inline std::span<const float> floats_in(const tensor_view& v) { return v.as<float>().flat(); }
[[nodiscard]] inline extent channels_in(const symbolic_shape& x) {
    return !x.ranked() ? extent::unknown() : x.rank() == 1 ? extent(1) : x[1];
}
[[nodiscard]] inline bool depends_on_rows(std::span<const argument> in, std::size_t first) {
    for (const argument& one : in.subspan(first))
        if (one.shape.depends_on_rows()) return true;
    return false;
}

}  // namespace detail

/// (x - mean) / sqrt(variance + epsilon) * scale + bias over the axes from `axis` on; answers that, the means, and what
/// was multiplied with.
///
/// shapes   x float32 [outer.., inner..], scale and optionally bias broadcast to [inner..] -> as x, and twice
///          [outer.., 1..]
/// source   ONNX LayerNormalization-17
class layer_normalization {
public:
    explicit layer_normalization(std::int64_t axis = -1, float epsilon = 1e-5F) : axis_(axis), epsilon_(epsilon) {}

    [[nodiscard]] std::string_view name() const noexcept { return "LayerNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 3);
        for (const argument& one : in)
            if (!one.absent) detail::expect_floats(one, 0);
        const symbolic_shape& x = in[0].shape;
        if (!x.ranked()) return {{element::float32, x}, {element::float32, x}, {element::float32, x}};
        symbolic_shape outer = x;
        for (std::size_t axis = detail::expect_axis(axis_, x.rank()); axis < x.rank(); ++axis) outer[axis] = 1;
        for (std::size_t i = 1; i < in.size(); ++i)
            if (given(in, i) && !spreads(in[i].shape, x))
                detail::refuse(
                    "a scale and bias that broadcast to the axes from " + std::to_string(axis_) + " of " + in[0].text(),
                    in[i].text());
        return {in[0], {element::float32, outer}, {element::float32, outer}};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        const auto rows = in[0].shape.row_axis();
        return detail::depends_on_rows(in, 1) || !rows || *rows >= detail::expect_axis(axis_, in[0].shape.rank());
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const shape& x = in[0].shape();
        const std::size_t axis = detail::expect_axis(axis_, x.rank());
        const shape inner(std::span(x.begin() + axis, x.end()));
        const auto n = static_cast<std::int64_t>(inner.volume());
        const shape matrix{static_cast<std::int64_t>(x.volume()) / n, n};
        const workspace::scope scope(space);
        const auto scale = spread(in[1], inner, space);
        const auto bias = given(in, 2) ? spread(in[2], inner, space) : std::span<const float>();
        const auto mean = out[1].as<float>().flat(), factor = out[2].as<float>().flat();
        const auto rows = [&](std::size_t first, std::size_t last) {
            const std::size_t count = last - first;
            const auto some = [&](std::span<float> all) { return all.empty() ? all : all.subspan(first, count); };
            kernel::layer_norm(in[0].reshaped(matrix).slice(0, first, count).as<float>(), scale, bias, epsilon_,
                               out[0].reshaped(matrix).slice(0, first, count).as<float>(), some(mean), some(factor));
        };
        space.tiles.ranges(static_cast<std::size_t>(matrix[0]), 80 * std::uint64_t{x.volume()}, rows);
    }

    [[nodiscard]] std::int64_t axis() const noexcept { return axis_; }

private:
    [[nodiscard]] bool spreads(const symbolic_shape& parameter, const symbolic_shape& x) const {
        if (!parameter.ranked()) return true;
        const std::size_t inner = x.rank() - detail::expect_axis(axis_, x.rank());
        for (std::size_t back = 1; back <= parameter.rank(); ++back) {
            const extent& along = parameter[parameter.rank() - back];
            if (along == extent(1)) continue;
            if (back > inner || !may_equal(along, x[x.rank() - back])) return false;
        }
        return true;
    }
    static std::span<const float> spread(const tensor_view& parameter, const shape& inner, workspace& space) {
        const std::size_t n = inner.volume();
        if (parameter.size() == n) return detail::floats_in(parameter);
        const auto room = space.take<float>(n);
        const std::size_t kept = parameter.rank() < inner.rank() ? parameter.rank() : inner.rank();
        const tensor_view cut = parameter.reshaped(shape(std::span(parameter.shape().end() - kept, kept)));
        detail::copy_elements(
            {cut.data(), cut.type(), inner, kernel::detail::stretched(cut.shape(), cut.steps(), inner)},
            view<float>(room.data(), inner));
        return room;
    }

    std::int64_t axis_;
    float epsilon_;
};
static_assert(graph_operation<layer_normalization>);

/// Each group of neighbouring channels without its mean and spread, times a scale, plus a bias.
///
/// shapes   float32 [N, C, ...], scale and bias [C] or [groups] -> as the first
/// source   ONNX GroupNormalization-18, GroupNormalization-21
class group_normalization {
public:
    explicit group_normalization(std::int64_t groups, float epsilon = 1e-5F) : groups_(groups), epsilon_(epsilon) {
        if (groups < 1) detail::refuse("at least one group", std::to_string(groups));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "GroupNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        detail::expect_floats(in[0], 3);
        const extent channels = detail::channels_in(in[0].shape);
        if (channels.constant() && channels.fixed % groups_ != 0)
            detail::refuse(std::to_string(groups_) + " groups of channels alike", in[0].text());
        for (std::size_t i = 1; i < 3; ++i) {
            const bool by_group = in[i].shape.ranked() && in[i].shape.rank() == 1 && in[i].shape[0] == extent(groups_);
            detail::expect_list(in[i], by_group ? extent(groups_) : channels);
        }
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::group_norm(in[0].as<float>(), groups_, detail::floats_in(in[1]), detail::floats_in(in[2]), epsilon_,
                           out[0].as<float>());
    }

private:
    std::int64_t groups_;
    float epsilon_;
};
static_assert(graph_operation<group_normalization>);

/// The same for every channel by itself.
///
/// source   ONNX InstanceNormalization-6
class instance_normalization {
public:
    explicit instance_normalization(float epsilon = 1e-5F) : epsilon_(epsilon) {}

    [[nodiscard]] std::string_view name() const noexcept { return "InstanceNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 3);
        detail::expect_floats(in[0], 2);
        for (std::size_t i = 1; i < 3; ++i) detail::expect_list(in[i], detail::channels_in(in[0].shape));
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::instance_norm(in[0].as<float>(), detail::floats_in(in[1]), detail::floats_in(in[2]), epsilon_,
                              out[0].as<float>());
    }

private:
    float epsilon_;
};
static_assert(graph_operation<instance_normalization>);

/// What shares a mean in batch normalization: a channel, or (before opset 9) each place of an image.
enum class batch_statistics { channel, place };

/// (x - mean) / sqrt(variance + epsilon) * scale + bias with a channel's numbers: inputs x, scale,
/// bias, mean, variance.
///
/// source   ONNX BatchNormalization-15, training_mode 0
class batch_normalization {
public:
    explicit batch_normalization(float epsilon = 1e-5F, batch_statistics of = batch_statistics::channel)
        : epsilon_(epsilon), of_(of) {}

    [[nodiscard]] std::string_view name() const noexcept { return "BatchNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 5);
        detail::expect_floats(in[0], 1);
        for (std::size_t i = 1; i < 5; ++i) {
            if (of_ == batch_statistics::channel)
                detail::expect_list(in[i], detail::channels_in(in[0].shape));
            else
                detail::expect_floats(in[i], 0);
        }
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        shape x = in[0].shape();
        if (of_ == batch_statistics::place) x = {x[0], static_cast<std::int64_t>(x.volume()) / x[0]};
        kernel::batch_norm(in[0].reshaped(x).as<float>(), detail::floats_in(in[1]), detail::floats_in(in[2]),
                           detail::floats_in(in[3]), detail::floats_in(in[4]), epsilon_,
                           out[0].reshaped(x).as<float>());
    }

    [[nodiscard]] float epsilon() const noexcept { return epsilon_; }
    [[nodiscard]] batch_statistics of() const noexcept { return of_; }

private:
    float epsilon_;
    batch_statistics of_;
};
static_assert(graph_operation<batch_normalization>);

/// The same with mean and variance of the batch. Answers that, the running mean and variance
/// (running * momentum + batch * (1 - momentum)), and those of the batch.
///
/// source   ONNX BatchNormalization-15, training_mode 1
class batch_normalization_training {
public:
    batch_normalization_training(float epsilon, float momentum) : epsilon_(epsilon), momentum_(momentum) {}

    [[nodiscard]] std::string_view name() const noexcept { return "BatchNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        std::vector<value_type> out = batch_normalization(epsilon_).answers(in);
        for (int i = 0; i < 4; ++i) out.push_back({element::float32, {detail::channels_in(in[0].shape)}});
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const shape& x = in[0].shape();
        const std::size_t channels = out[3].size(), plane = kernel::detail::volume_from(x, 2);
        const auto from = detail::floats_in(in[0]);
        const auto mean = out[3].as<float>().flat(), variance = out[4].as<float>().flat();
        for (std::size_t c = 0; c < channels; ++c) {
            const auto sum = [&](auto&& of) {
                double total = 0;
                for (std::size_t at = c * plane; at < from.size(); at += channels * plane)
                    for (std::size_t i = at; i < at + plane; ++i) total += of(static_cast<double>(from[i]));
                const std::size_t count = from.size() / channels;
                return total / static_cast<double>(count);
            };
            const double centre = sum([](double v) { return v; });
            mean[c] = static_cast<float>(centre);
            variance[c] = static_cast<float>(sum([&](double v) { return (v - centre) * (v - centre); }));
            const auto run = [&](std::size_t i, float now) {
                out[i - 2].as<float>().data()[c] = detail::floats_in(in[i])[c] * momentum_ + now * (1 - momentum_);
            };
            run(3, mean[c]);
            run(4, variance[c]);
        }
        kernel::batch_norm(in[0].as<float>(), detail::floats_in(in[1]), detail::floats_in(in[2]), mean, variance,
                           epsilon_, out[0].as<float>());
    }

private:
    float epsilon_;
    float momentum_;
};
static_assert(graph_operation<batch_normalization_training>);

/// (x - mean) / (standard deviation + 1e-9) over axes.
///
/// source   ONNX MeanVarianceNormalization-13
class mean_variance_normalization {
public:
    explicit mean_variance_normalization(std::vector<std::int64_t> axes) : axes_(std::move(axes)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "MeanVarianceNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_floats(in[0], 0);
        if (in[0].shape.ranked()) (void)detail::expect_axes(axes_, in[0].shape.rank());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        for (const std::size_t axis : detail::expect_axes(axes_, in[0].shape.rank()))
            if (in[0].shape[axis].depends_on_rows()) return true;
        return false;
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        std::vector<std::int64_t> axes;
        for (const std::size_t axis : detail::expect_axes(axes_, in[0].rank()))
            axes.push_back(static_cast<std::int64_t>(axis));
        kernel::mean_variance_normalization(in[0].as<float>(), axes, out[0].as<float>(), space);
    }

private:
    std::vector<std::int64_t> axes_;
};
static_assert(graph_operation<mean_variance_normalization>);

/// x divided by its p-norm along an axis.
///
/// source   ONNX LpNormalization-1
class lp_normalization {
public:
    explicit lp_normalization(std::int64_t axis = -1, std::int64_t p = 2) : axis_(axis), p_(p) {
        if (p != 1 && p != 2) detail::refuse("a norm with p 1 or 2", std::to_string(p));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "LpNormalization"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_floats(in[0], 1);
        if (in[0].shape.ranked()) (void)detail::expect_axis(axis_, in[0].shape.rank());
        return {in[0]};
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape[detail::expect_axis(axis_, in[0].shape.rank())].depends_on_rows();
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        kernel::lp_normalization(in[0].as<float>(), detail::expect_axis(axis_, in[0].rank()), static_cast<int>(p_),
                                 out[0].as<float>());
    }

private:
    std::int64_t axis_;
    std::int64_t p_;
};
static_assert(graph_operation<lp_normalization>);

/// x / (bias + alpha / size * sum of squares over `size` neighbouring channels)^beta.
///
/// source   ONNX LRN-13
class local_response_normalization {
public:
    local_response_normalization(std::int64_t size, float alpha, float beta, float bias)
        : size_(size), alpha_(alpha), beta_(beta), bias_(bias) {
        if (size < 1) detail::refuse("a size of 1 or more", std::to_string(size));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "LRN"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_floats(in[0], 2);
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        const double images = static_cast<double>(std::max<std::int64_t>(in[0].extent(0), 1));
        const double squares =
            static_cast<double>(in[0].size()) / images * static_cast<double>(std::min(size_ / 2, in[0].extent(1)));
        if (squares > 0x1p28)  // nothing interrupts an image
            detail::refuse("at most 2^28 elements of windows in an image",
                           "a size of " + std::to_string(size_) + " for " + describe(in[0]));
        space.stop.check();
        kernel::lrn(in[0].as<float>(), size_, alpha_, beta_, bias_, out[0].as<float>());
    }

private:
    std::int64_t size_;
    float alpha_;
    float beta_;
    float bias_;
};
static_assert(graph_operation<local_response_normalization>);

}  // namespace fanfold::inline FANFOLD_ABI
