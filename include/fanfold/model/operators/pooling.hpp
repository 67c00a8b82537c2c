// fanfold/model/operators/pooling.hpp - the largest or the mean of each window, or of a whole image.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../../kernel/pooling.hpp"
#include "../operation.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// shapes   float32 [N, C, H, W] -> [N, C, oh, ow]; [N, C, L] as images of height 1
[[nodiscard]] inline std::vector<value_type> pooled(std::span<const argument> in, const kernel::window2d& window) {
    expect_inputs(in, 1);
    expect_images(in[0]);
    const symbolic_shape& x = in[0].shape;
    const shape one{1, channels_of(x), height_of(x), width_of(x)};
    const shape answer = kernel::pooled_shape(one, window);  // refuses windows that make no sense
    if (x.rank() == 3 && answer[2] != 1) refuse("a window of height 1 over " + in[0].text(), answer.text());
    return {images_like(x, answer[1], answer[2], answer[3])};
}

}  // namespace detail

/// The largest element of each window; padding never counts.
/// source   ONNX MaxPool-12, one output
class max_pooling {
public:
    explicit max_pooling(const kernel::window2d& window) : window_(window) {}
    [[nodiscard]] std::string_view name() const noexcept { return "MaxPool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return detail::pooled(in, window_);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::max_pool2d(detail::as_images(in[0]).as<float>(), window_, detail::as_images(out[0]).as<float>());
    }

private:
    kernel::window2d window_;
};
static_assert(graph_operation<max_pooling>);

/// The mean of each window; padding is left out, or counts as zeros.
/// source   ONNX AveragePool-19
class average_pooling {
public:
    explicit average_pooling(const kernel::window2d& window,
                             kernel::padding_counts padding = kernel::padding_counts::no)
        : window_(window), padding_(padding) {}
    [[nodiscard]] std::string_view name() const noexcept { return "AveragePool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return detail::pooled(in, window_);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::average_pool2d(detail::as_images(in[0]).as<float>(), window_, detail::as_images(out[0]).as<float>(),
                               padding_);
    }

private:
    kernel::window2d window_;
    kernel::padding_counts padding_;
};
static_assert(graph_operation<average_pooling>);

/// The mean of each channel.
/// shapes   float32 [N, C, H, W] -> [N, C, 1, 1]; [N, C, L] -> [N, C, 1]
/// source   ONNX GlobalAveragePool-1
class global_average_pooling {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "GlobalAveragePool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_images(in[0]);
        const symbolic_shape& x = in[0].shape;
        if (detail::height_of(x) == 0 || detail::width_of(x) == 0) detail::refuse("images with pixels", in[0].text());
        return {detail::images_like(x, detail::channels_of(x), 1, 1)};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        kernel::global_average_pool2d(detail::as_images(in[0]).as<float>(), detail::as_images(out[0]).as<float>());
    }
};
static_assert(graph_operation<global_average_pooling>);

}  // namespace fanfold::inline FANFOLD_ABI
