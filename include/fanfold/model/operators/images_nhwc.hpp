// fanfold/model/operators/images_nhwc.hpp - convolution and pooling of images whose channels lie side by side, as
// model/layout.hpp puts them into a graph.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/convolution_nhwc.hpp"
#include "../../kernel/depthwise_nhwc.hpp"
#include "../../kernel/pooling_nhwc.hpp"
#include "../../kernel/winograd.hpp"
#include "../operation.hpp"
#include "../weight_guard.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// [N, L, C] as images of one line.
[[nodiscard]] inline shape with_lines(const shape& x) { return x.rank() == 3 ? shape{x[0], 1, x[1], x[2]} : x; }
[[nodiscard]] inline view<const float> with_lines(const tensor_view& x) {
    return x.reshaped(with_lines(x.shape())).as<float>();
}

/// float32 [N, H, W, C]; an unknown C, or 0, fits any.
inline void expect_nhwc(const value_type& x, std::int64_t channels) {
    const bool fits = x.type == element::float32 && x.shape.ranked() && x.shape.rank() == 4 &&
                      (channels == 0 || may_equal(x.shape[3], channels));
    if (!fits) refuse("float32 [N, H, W, " + (channels == 0 ? "C" : std::to_string(channels)) + "]", x.text());
}

/// How many windows stand along an extent.
[[nodiscard]] inline extent windows_over(const kernel::conv2d_geometry& g, const std::array<std::int64_t, 2>& size,
                                         std::size_t axis, const extent& along) {
    if (!along.constant()) return extent::unknown();
    return kernel::detail::conv_positions(g, size, axis, along.fixed);
}

}  // namespace detail

/// A convolution of images [N, H, W, C] with constant weights; input 1, if there is one, is added before the
/// activation. Rows [N, L, C] are images of one line.
///
/// shapes   x float32 [N, H, W, C], weights [O, C / groups, kh, kw], bias [O] or empty, addend and answer float32
///          [N, oh, ow, O]
/// errors   throws std::invalid_argument when weights, bias and geometry do not fit each other, or no tiles fit them
/// threads  copies share the packed weights; const use from any thread
/// source   ONNX Conv-11
class convolution_nhwc {
public:
    /// `tiles`: by Winograd's tiles instead of the direct sum.
    convolution_nhwc(const view<const float>& weights, const view<const float>& bias,
                     const kernel::conv2d_geometry& geometry, std::optional<kernel::winograd_tile> tiles = {})
        : geometry_(geometry) {
        if (weights.rank() != 4) detail::refuse("weights [O, C / groups, kh, kw]", weights.shape().text());
        outputs_ = weights.extent(0);
        channels_ = weights.extent(1) * geometry.groups;
        size_ = {weights.extent(2), weights.extent(3)};
        if (tiles)
            tiled_ = std::make_shared<const kernel::packed_winograd>(weights, bias, geometry, *tiles);
        else if (weights.extent(1) == 1 && geometry.groups == outputs_ && outputs_ > 1)
            depthwise_ = std::make_shared<const kernel::packed_depthwise_nhwc>(weights, bias, geometry);
        else
            dense_ = std::make_shared<const kernel::packed_conv_nhwc>(weights, bias, geometry);
        guard_ = std::make_shared<const detail::weight_guard>(memory());
    }

    [[nodiscard]] std::string_view name() const noexcept { return adds_ ? "Conv + Add" : "Conv"; }

    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, adds_ ? 2 : 1);
        const bool line = in[0].shape.ranked() && in[0].shape.rank() == 3 && size_[0] == 1;
        value_type image = in[0];
        if (line) image.shape = {in[0].shape[0], 1, in[0].shape[1], in[0].shape[2]};
        detail::expect_nhwc(image, channels_);
        const symbolic_shape& x = image.shape;
        value_type out{element::float32,
                       {x[0], detail::windows_over(geometry_, size_, 0, x[1]),
                        detail::windows_over(geometry_, size_, 1, x[2]), outputs_}};
        if (line) out.shape = {out.shape[0], out.shape[2], out.shape[3]};
        if (adds_ && (in[1].type != out.type || !may_equal(in[1].shape, out.shape)))
            detail::refuse("an addend " + out.text(), in[1].text());
        return {std::move(out)};
    }

    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const view<const float> addend = adds_ ? detail::with_lines(in[1]) : view<const float>();
        const view<float> answer =
            out[0].rank() == 4 ? out[0].as<float>() : out[0].reshaped(detail::with_lines(out[0].shape())).as<float>();
        if (depthwise_ != nullptr)
            kernel::depthwise_nhwc(detail::with_lines(in[0]), *depthwise_, answer, space.stop, activation_, addend,
                                   space.tiles);
        else if (tiled_ != nullptr)
            kernel::conv_winograd(in[0].as<float>(), *tiled_, answer, space, activation_, addend);
        else if (space.sums == nullptr)
            kernel::conv_nhwc(detail::with_lines(in[0]), *dense_, answer, space, activation_, addend);
        else
            checked(detail::with_lines(in[0]), answer, space, addend);
    }

    void prepare_checksum() const {
        if (dense_ != nullptr) (void)sums();
    }
    [[nodiscard]] bool weights_intact() const { return guard_->intact(memory()); }
    [[nodiscard]] bool checks_sums() const noexcept { return dense_ != nullptr; }

    [[nodiscard]] std::size_t scratch_bytes(std::span<const shape> in) const {
        if (depthwise_ != nullptr || in[0].volume() == 0) return 0;
        const shape x = detail::with_lines(in[0]);
        return tiled_ != nullptr ? tiled_->scratch_bytes(x) : dense_->scratch_bytes(x);
    }
    [[nodiscard]] std::size_t weight_bytes() const {
        return depthwise_ != nullptr ? depthwise_->bytes() : tiled_ != nullptr ? tiled_->bytes() : dense_->bytes();
    }
    /// Of the direct sum, whatever the tiles save.
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        const shape x = detail::with_lines(in[0]);
        const shape out = depthwise_ != nullptr ? depthwise_->output(x)
                          : tiled_ != nullptr   ? tiled_->output(x)
                                                : dense_->output(x);
        return 2 * out.volume() * static_cast<std::uint64_t>(channels_ / geometry_.groups * size_[0] * size_[1]);
    }
    [[nodiscard]] std::int64_t outputs() const noexcept { return outputs_; }
    /// Its weights where it sums directly, and each window has many channels; else null.
    [[nodiscard]] const kernel::packed_conv_nhwc* direct() const noexcept { return dense_.get(); }
    /// Its answer may be some of the channels of images.
    [[nodiscard]] bool writes_among_channels() const noexcept { return depthwise_ == nullptr && !adds_; }
    /// The addend may be the answer.
    [[nodiscard]] std::optional<std::size_t> overwrites() const noexcept {
        const bool at_once = dense_ == nullptr || dense_->passes() == 1;
        return adds_ && at_once ? std::optional<std::size_t>(1) : std::nullopt;
    }
    [[nodiscard]] std::optional<kernel::winograd_tile> tiles() const {
        return tiled_ == nullptr ? std::nullopt : std::optional(tiled_->tile());
    }
    [[nodiscard]] std::optional<convolution_nhwc> with(kernel::activation act) const {
        if (activation_ != kernel::activation::none) return std::nullopt;
        convolution_nhwc fused = *this;
        fused.activation_ = act;
        return fused;
    }
    [[nodiscard]] std::optional<convolution_nhwc> with_addend() const {
        if (adds_ || activation_ != kernel::activation::none) return std::nullopt;
        convolution_nhwc fused = *this;
        fused.adds_ = true;
        return fused;
    }

private:
    void checked(const view<const float>& in, const view<float>& out, workspace& space,
                 const view<const float>& addend) const {
        const std::size_t suspicious = kernel::checked_conv_nhwc(in, *dense_, sums(), out, space, activation_, addend);
        guard_->tell(*space.sums, out.size() / static_cast<std::size_t>(dense_->outputs()), suspicious, "Conv",
                     memory());
    }
    [[nodiscard]] const std::vector<kernel::product_sums>& sums() const {
        return guard_->sums(memory(), {}, [this] { return dense_->sums(); });
    }
    [[nodiscard]] std::span<const std::byte> memory() const {
        return depthwise_ != nullptr ? depthwise_->memory() : tiled_ != nullptr ? tiled_->memory() : dense_->memory();
    }

    std::shared_ptr<const detail::weight_guard> guard_;
    std::shared_ptr<const kernel::packed_conv_nhwc> dense_;  ///< or else
    std::shared_ptr<const kernel::packed_depthwise_nhwc> depthwise_;
    std::shared_ptr<const kernel::packed_winograd> tiled_;
    kernel::conv2d_geometry geometry_;
    std::array<std::int64_t, 2> size_{};
    std::int64_t outputs_ = 0, channels_ = 0;
    kernel::activation activation_ = kernel::activation::none;
    bool adds_ = false;
};
static_assert(graph_operation<convolution_nhwc>);

/// The greatest element or the mean of each window of images [N, H, W, C].
///
/// source   ONNX MaxPool-12, AveragePool-19
class pooling_nhwc {
public:
    enum class kind : std::uint8_t { greatest, mean };

    pooling_nhwc(kind what, const kernel::window2d& window, kernel::padding_counts counts = kernel::padding_counts::no)
        : kind_(what), window_(window), counts_(counts) {}

    [[nodiscard]] std::string_view name() const noexcept { return kind_ == kind::greatest ? "MaxPool" : "AveragePool"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_nhwc(in[0], 0);
        symbolic_shape out = in[0].shape;
        for (std::size_t axis = 0; axis < 2; ++axis)
            out[axis + 1] = out[axis + 1].constant()
                                ? extent(kernel::detail::window_axis{"pooling", out[axis + 1].fixed, window_.size[axis],
                                                                     window_.stride[axis], window_.dilation[axis],
                                                                     window_.padding[axis], window_.padding[axis + 2]}
                                             .positions(window_.rounding))
                                : extent::unknown();
        return {{element::float32, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (kind_ == kind::greatest)
            kernel::max_pool_nhwc(in[0].as<float>(), window_, out[0].as<float>(), space.tiles);
        else
            kernel::average_pool_nhwc(in[0].as<float>(), window_, out[0].as<float>(), counts_, space.tiles);
    }

private:
    kind kind_;
    kernel::window2d window_;
    kernel::padding_counts counts_;
};
static_assert(graph_operation<pooling_nhwc>);

/// The greatest element or the mean of each channel of images [N, H, W, C].
///
/// shapes   float32 [N, H, W, C] -> [N, 1, 1, C]
/// source   ONNX GlobalAveragePool-1, GlobalMaxPool-1
class global_pooling_nhwc {
public:
    explicit global_pooling_nhwc(pooling_nhwc::kind what) : kind_(what) {}

    [[nodiscard]] std::string_view name() const noexcept {
        return kind_ == pooling_nhwc::kind::greatest ? "GlobalMaxPool" : "GlobalAveragePool";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_nhwc(in[0], 0);
        return {{element::float32, {in[0].shape[0], 1, 1, in[0].shape[3]}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        if (in[0].size() == 0) detail::refuse("images with pixels", describe(in[0]));
        kernel::window2d whole;
        whole.size = {in[0].extent(1), in[0].extent(2)};
        pooling_nhwc(kind_, whole)(in, out, space);
    }

private:
    pooling_nhwc::kind kind_;
};
static_assert(graph_operation<global_pooling_nhwc>);

}  // namespace fanfold::inline FANFOLD_ABI
