// fanfold/model/operators/dense.hpp - a matrix product with constant weights, bias and fused activation.
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

#include "../../kernel/checked_matmul.hpp"
#include "../operation.hpp"
#include "../weight_guard.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// y = activation(x W + b); W and b are packed here, once.
///
/// shapes   x float32 [.., K], W [K, M] any strides, b [M] or empty -> float32 [.., M]
/// errors   throws std::invalid_argument when W is no matrix or b does not fit it
/// threads  copies share the packed weights; const use from any thread
/// source   ONNX Gemm-13, MatMul-13 with a constant second operand
class dense {
public:
    explicit dense(const view<const float>& weights, const view<const float>& bias = {}, std::string name = "Dense")
        : name_(std::move(name)) {
        if (weights.rank() != 2) detail::refuse("a weight matrix", weights.shape().text());
        if (bias.size() != 0 && !(bias.shape() == shape{weights.extent(1)}))
            detail::refuse("a bias " + shape{weights.extent(1)}.text(), bias.shape().text());
        weights_ = std::make_shared<const kernel::packed_matrix>(weights, bias);
        guard_ = std::make_shared<const detail::weight_guard>(weights_->memory());
        inner_ = weights.extent(0);
        columns_ = weights.extent(1);
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        const symbolic_shape& x = in[0].shape;
        const bool any = in[0].type == element::float32 && !x.ranked();
        if (any) return {in[0]};
        if (in[0].type != element::float32 || x.rank() == 0 || !may_equal(x[x.rank() - 1], inner_))
            detail::refuse("float32 [.., " + std::to_string(inner_) + "]", in[0].text());
        symbolic_shape y = x;
        y[y.rank() - 1] = columns_;
        return {{element::float32, y}};
    }

    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        const std::int64_t rows = static_cast<std::int64_t>(out[0].size()) / columns_;
        const view<const float> x = in[0].reshaped({rows, inner_}).as<float>();
        const view<float> y = out[0].reshaped({rows, columns_}).as<float>();
        if (space.sums == nullptr) return kernel::matmul(x, seen(), y, activation_, space.tiles);
        const std::size_t suspicious = kernel::checked_matmul(x, seen(), sums(), y, activation_, space.tiles);
        guard_->tell(*space.sums, static_cast<std::size_t>(rows), suspicious, name_, weights_->memory(), added_bias());
    }

    void prepare_checksum() const { (void)sums(); }
    [[nodiscard]] bool weights_intact() const { return guard_->intact(weights_->memory(), added_bias()); }
    [[nodiscard]] static bool checks_sums() noexcept { return true; }

    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return in[0].shape[in[0].shape.rank() - 1].depends_on_rows();
    }
    [[nodiscard]] std::size_t weight_bytes() const { return weights_->bytes(); }
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        return 2 * in[0].volume() * static_cast<std::uint64_t>(columns_);
    }
    /// The same with a bias [M] where there was none.
    [[nodiscard]] std::optional<dense> with_bias(std::span<const float> bias) const {
        if (activation_ != kernel::activation::none || bias_ != nullptr || weights_->has_bias() ||
            bias.size() != static_cast<std::size_t>(columns_))
            return std::nullopt;
        std::vector<float> padded(bias.begin(), bias.end());
        padded.resize((padded.size() + 15) / 16 * 16, 0.0F);
        dense fused = *this;
        fused.bias_ = std::make_shared<const std::vector<float>>(std::move(padded));
        fused.guard_ = std::make_shared<const detail::weight_guard>(*guard_, *fused.bias_);
        return fused;
    }
    [[nodiscard]] std::optional<dense> with(kernel::activation act) const {
        if (activation_ != kernel::activation::none) return std::nullopt;
        dense fused = *this;
        fused.activation_ = act;
        return fused;
    }

    /// Its packed weights and bias.
    [[nodiscard]] kernel::packed_view seen() const& {
        kernel::packed_view weights = weights_->seen();
        if (bias_ != nullptr) weights.bias = bias_->data();
        return weights;
    }
    kernel::packed_view seen() const&& = delete;  // may dangle

private:
    [[nodiscard]] std::span<const float> added_bias() const {
        return bias_ == nullptr ? std::span<const float>() : std::span<const float>(*bias_);
    }
    [[nodiscard]] const kernel::product_sums& sums() const {
        const auto make = [&] { return std::vector{kernel::sums_of(seen())}; };
        return guard_->sums(weights_->memory(), added_bias(), make).front();
    }

    std::string name_;
    std::shared_ptr<const kernel::packed_matrix> weights_;
    std::shared_ptr<const std::vector<float>> bias_;  ///< added later: whole panels
    std::shared_ptr<const detail::weight_guard> guard_;
    std::int64_t inner_ = 0;
    std::int64_t columns_ = 0;
    kernel::activation activation_ = kernel::activation::none;
};
static_assert(graph_operation<dense>);

}  // namespace fanfold::inline FANFOLD_ABI
