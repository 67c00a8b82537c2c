// fanfold/model/operators/pooling.hpp - the largest, the mean or a norm of each window, or of a whole image.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <array>        // std::array
#include <concepts>     // std::same_as
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/pooling_nd.hpp"
#include "../operation.hpp"
#include "sliding.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::array pooled_elements{element::float32, element::float64};
inline constexpr std::array max_pooled_elements{element::float32, element::float64, element::int8, element::uint8};

/// [N, C, ...] -> [N, C, ...]
[[nodiscard]] inline value_type pooled(std::span<const argument> in, const sliding_rule& rule,
                                       std::span<const element> types) {
    expect_inputs(in, 1);
    expect_spatial(in[0], rule, types);
    const symbolic_shape& x = in[0].shape;
    if (!x.ranked()) return {in[0].type, rule.axes == 0 ? x : symbolic_shape::of_rank(rule.axes + 2)};
    symbolic_shape out = x;
    for (std::size_t axis = 2; axis < x.rank(); ++axis) {
        out[axis] = windows_along("pooling", rule, axis - 2, x[axis], rule.window);
        const std::int64_t reach = (rule.window.size[axis - 2] - 1) * rule.window.dilation[axis - 2] + 1;
        const std::int64_t most = std::max(rule.window.before[axis - 2], rule.window.after[axis - 2]);
        if (rule.padding == window_padding::stated && most >= reach)
            refuse("paddings smaller than the window's reach of " + std::to_string(reach),
                   "a padding of " + std::to_string(most));
    }
    return {in[0].type, out};
}

/// Calls f with the element type that max_pooled_elements or pooled_elements allow.
template <class F>
void visit_real(element type, F&& f) {
    if (type == element::float64)
        f(double{});
    else
        f(float{});
}

}  // namespace detail

/// Whether the places of the maxima are an answer, too.
enum class max_places { dropped, kept };

/// The largest element of each window; padding never counts. With its place in the whole tensor where that is kept.
///
/// shapes   float32, float64, int8 or uint8 [N, C, ...] with one to three spatial axes -> the same type, and int64
/// source   ONNX MaxPool-12
class max_pooling {
public:
    explicit max_pooling(const sliding_rule& rule, max_places places = max_places::dropped,
                         kernel::storage_order order = kernel::storage_order::row_major)
        : rule_(rule), places_(places), order_(order) {}

    [[nodiscard]] std::string_view name() const noexcept { return "MaxPool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        std::vector<value_type> out{detail::pooled(in, rule_, detail::max_pooled_elements)};
        if (places_ == max_places::kept) out.push_back({element::int64, out.front().shape});
        return out;
    }
    /// A place in the whole tensor tells where the row stands.
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return places_ == max_places::kept || detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const kernel::window_nd w = rule_.over(in[0].shape());
        const auto pool = [&]<class T>(T) {
            kernel::max_pool(in[0].as<T>(), w, out[0].as<T>(),
                             places_ == max_places::kept ? out[1].as<std::int64_t>() : view<std::int64_t>(), order_,
                             space.stop);
        };
        switch (in[0].type()) {
            case element::int8: return pool(std::int8_t{});
            case element::uint8: return pool(std::uint8_t{});
            default: return detail::visit_real(in[0].type(), pool);
        }
    }

    [[nodiscard]] const sliding_rule& rule() const noexcept { return rule_; }
    [[nodiscard]] max_places places() const noexcept { return places_; }

private:
    sliding_rule rule_;
    max_places places_;
    kernel::storage_order order_;
};
static_assert(graph_operation<max_pooling>);

/// The mean of each window; padding is left out, or counts as zeros.
///
/// shapes   float32 or float64 [N, C, ...] with one to three spatial axes -> the same type
/// source   ONNX AveragePool-19
class average_pooling {
public:
    explicit average_pooling(const sliding_rule& rule, kernel::padding_counts padding = kernel::padding_counts::no)
        : rule_(rule), padding_(padding) {}

    [[nodiscard]] std::string_view name() const noexcept { return "AveragePool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return {detail::pooled(in, rule_, detail::pooled_elements)};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        detail::visit_real(in[0].type(), [&]<class T>(T) {
            kernel::average_pool(in[0].as<T>(), rule_.over(in[0].shape()), out[0].as<T>(), padding_, space.stop);
        });
    }

    [[nodiscard]] const sliding_rule& rule() const noexcept { return rule_; }
    [[nodiscard]] kernel::padding_counts padding() const noexcept { return padding_; }

private:
    sliding_rule rule_;
    kernel::padding_counts padding_;
};
static_assert(graph_operation<average_pooling>);

/// The p-norm of each window; types as average_pooling.
///
/// source   ONNX LpPool-18
class lp_pooling {
public:
    lp_pooling(const sliding_rule& rule, std::int64_t p) : rule_(rule), p_(p) {
        if (p < 1) detail::refuse("p of 1 or more", std::to_string(p));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "LpPool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return {detail::pooled(in, rule_, detail::pooled_elements)};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        detail::visit_real(in[0].type(), [&]<class T>(T) {
            kernel::lp_pool(in[0].as<T>(), rule_.over(in[0].shape()), p_, out[0].as<T>(), space.stop);
        });
    }

private:
    sliding_rule rule_;
    std::int64_t p_;
};
static_assert(graph_operation<lp_pooling>);

/// What a channel is reduced to.
enum class global_pool { average, maximum, norm };

/// One number for each channel.
///
/// shapes   float32 or float64 [N, C, ...] -> [N, C, 1, ...]
/// source   ONNX GlobalAveragePool-1, GlobalMaxPool-1, GlobalLpPool-2
class global_pooling {
public:
    explicit global_pooling(global_pool kind, std::int64_t p = 2) : kind_(kind), p_(p) {
        if (p < 1) detail::refuse("p of 1 or more", std::to_string(p));
    }

    [[nodiscard]] std::string_view name() const noexcept {
        switch (kind_) {
            case global_pool::average: return "GlobalAveragePool";
            case global_pool::maximum: return "GlobalMaxPool";
            case global_pool::norm: break;
        }
        return "GlobalLpPool";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        bool fits = in[0].type == element::float32 || in[0].type == element::float64;
        fits = fits && (!x.ranked() || x.rank() >= 2);
        symbolic_shape out = x;
        for (std::size_t axis = 2; fits && x.ranked() && axis < x.rank(); ++axis) {
            fits = !(x[axis] == extent(0));
            out[axis] = 1;
        }
        if (!fits) detail::refuse("float32 or float64 images [N, C, ...] with pixels", in[0].text());
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const std::int64_t rows = in[0].extent(0), channels = in[0].extent(1);
        const std::int64_t plane = static_cast<std::int64_t>(in[0].size()) / (rows * channels);
        if (plane == 0) detail::refuse("images with pixels", describe(in[0]));
        const tensor_view x = in[0].reshaped({rows, channels, 1, plane});
        const mutable_tensor_view y = out[0].reshaped({rows, channels, 1, 1});
        detail::visit_real(in[0].type(), [&]<class T>(T) {
            switch (kind_) {
                case global_pool::maximum: return kernel::global_max_pool(x.as<T>(), y.as<T>());
                case global_pool::norm: return kernel::global_lp_pool(x.as<T>(), p_, y.as<T>());
                case global_pool::average: break;
            }
            if constexpr (std::same_as<T, float>) {
                kernel::global_average_pool2d(x.as<T>(), y.as<T>());
            } else {
                kernel::window_nd whole;
                whole.size = {1, plane, 1};
                kernel::average_pool(x.as<T>(), whole, y.as<T>(), kernel::padding_counts::no, space.stop);
            }
        });
    }

    [[nodiscard]] global_pool kind() const noexcept { return kind_; }

private:
    global_pool kind_;
    std::int64_t p_;
};
static_assert(graph_operation<global_pooling>);

/// Zeros, but where input 1 says that a maximum stood. Input 2, if given, lists the answer's shape; without it the
/// window implies it.
///
/// shapes   float32 or float64 [N, C, ...] and int64 alike, and int64 [rank] -> the same type
/// source   ONNX MaxUnpool-11
class max_unpooling {
public:
    static constexpr std::uint32_t shape_inputs = 0b100;

    explicit max_unpooling(const sliding_rule& rule) : rule_(rule) {}

    [[nodiscard]] std::string_view name() const noexcept { return "MaxUnpool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 3);
        detail::expect_spatial(in[0], rule_, detail::pooled_elements);
        if (in[1].type != element::int64 || !may_equal(in[0].shape, in[1].shape))
            detail::refuse("places int64 " + in[0].shape.text(), in[1].text());
        symbolic_shape out = in[0].shape;
        if (given(in, 2)) out = detail::listed_shape(in[2]);
        if (given(in, 2) || !out.ranked()) return {{in[0].type, out}};
        return {{in[0].type, implied(out)}};
    }
    /// Places count through the whole tensor.
    [[nodiscard]] bool mixes_rows(std::span<const argument>) const { return true; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::visit_real(in[0].type(), [&]<class T>(T) {
            kernel::max_unpool(in[0].as<T>(), in[1].as<std::int64_t>(), implied(in[0].shape()).at(0), out[0].as<T>());
        });
    }

private:
    [[nodiscard]] symbolic_shape implied(symbolic_shape x) const {
        const kernel::window_nd& w = rule_.window;
        for (std::size_t a = 0; a + 2 < x.rank(); ++a)
            x[a + 2] = (x[a + 2] - extent(1)) * extent(w.stride[a]) + extent(w.size[a] - w.before[a] - w.after[a]);
        return x;
    }

    sliding_rule rule_;
};
static_assert(graph_operation<max_unpooling>);

}  // namespace fanfold::inline FANFOLD_ABI
