// fanfold/model/operators/convolution.hpp - a convolution with constant weights, bias and fused activation.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/convolution.hpp"
#include "../operation.hpp"
#include "../weight_guard.hpp"
#include "window.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Slides weights over images of the size that `input` has; they are packed here, once.
///
/// shapes   input float32 [N, C, H, W], weights [O, C / groups, kh, kw], bias [O] or empty -> float32 [N, O, oh, ow];
///          signals [N, C, L] with weights [O, C / groups, k] are images of height 1
/// errors   throws std::invalid_argument naming both when weights, bias or geometry do not fit the images
/// threads  copies share the packed weights; const use from any thread
/// source   ONNX Conv-11
class convolution {
public:
    convolution(const value_type& input, const view<const float>& weights, const view<const float>& bias = {},
                const kernel::conv2d_geometry& geometry = {})
        : rank_(input.shape.rank()) {
        detail::expect_images(input);
        channels_ = detail::channels_of(input.shape);
        height_ = detail::height_of(input.shape);
        width_ = detail::width_of(input.shape);
        const std::int64_t groups = geometry.groups;
        groups_ = static_cast<std::size_t>(groups);
        const bool divides = groups >= 1 && weights.rank() == rank_ && channels_ % groups == 0 &&
                             weights.extent(0) % groups == 0 && weights.extent(1) == channels_ / groups;
        if (!divides || weights.size() == 0)
            detail::refuse("weights for " + input.text() + " in " + std::to_string(groups) + " groups",
                           weights.shape().text());
        if (bias.size() != 0 && !(bias.shape() == shape{weights.extent(0)}))
            detail::refuse("a bias " + shape{weights.extent(0)}.text(), bias.shape().text());
        view<const float> images = weights;
        if (rank_ == 3) {
            const strides& s = weights.steps();
            images = {weights.data(), shape{weights.extent(0), weights.extent(1), 1, weights.extent(2)},
                      strides{s[0], s[1], 0, s[2]}};
        }
        weights_ = std::make_shared<const kernel::packed_conv2d>(images, bias, geometry, height_, width_);
        guard_ = std::make_shared<const detail::weight_guard>(weights_->memory());
        products_ = weights.size() / static_cast<std::size_t>(weights.extent(0));
        const shape one = weights_->output(1);
        answer_ = {one[1], one[2], one[3]};
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Conv"; }

    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        const bool same = in[0].type == element::float32 && x.rank() == rank_ &&
                          static_cast<const value_type&>(in[0]) == detail::images_like(x, channels_, height_, width_);
        if (!same)
            detail::refuse("float32 [N, " + std::to_string(channels_) + ", " + std::to_string(height_) + ", " +
                               std::to_string(width_) + "]",
                           in[0].text());
        return {detail::images_like(x, answer_[0], answer_[1], answer_[2])};
    }

    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const view<const float> x = detail::as_images(in[0]).as<float>();
        const view<float> y = detail::as_images(out[0]).as<float>();
        if (space.sums == nullptr) return kernel::conv2d(x, *weights_, y, space, activation_);
        const std::size_t suspicious = kernel::checked_conv2d(x, *weights_, sums(), y, space, activation_);
        guard_->tell(*space.sums, y.size() / static_cast<std::size_t>(answer_[0]) * groups_, suspicious, "Conv",
                     weights_->memory());
    }

    void prepare_checksum() const { (void)sums(); }
    [[nodiscard]] bool weights_intact() const { return guard_->intact(weights_->memory()); }
    [[nodiscard]] static bool checks_sums() noexcept { return true; }

    [[nodiscard]] const kernel::packed_conv2d& weights() const noexcept { return *weights_; }
    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape>) const { return weights_->scratch_bytes(); }
    [[nodiscard]] std::size_t weight_bytes() const { return weights_->bytes(); }
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        return 2 * weights_->output(in[0][0]).volume() * products_;
    }
    [[nodiscard]] std::optional<convolution> with(kernel::activation act) const {
        if (activation_ != kernel::activation::none) return std::nullopt;
        convolution fused = *this;
        fused.activation_ = act;
        return fused;
    }

private:
    [[nodiscard]] const std::vector<kernel::product_sums>& sums() const {
        return guard_->sums(weights_->memory(), {}, [this] { return weights_->sums(); });
    }

    std::shared_ptr<const kernel::packed_conv2d> weights_;
    std::shared_ptr<const detail::weight_guard> guard_;
    std::size_t rank_;
    std::int64_t channels_ = 0;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::array<std::int64_t, 3> answer_{};  // channels, height, width
    std::size_t products_ = 0;              // of one element of the answer
    std::size_t groups_ = 1;
    kernel::activation activation_ = kernel::activation::none;
};
static_assert(graph_operation<convolution>);

}  // namespace fanfold::inline FANFOLD_ABI
