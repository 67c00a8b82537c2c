// fanfold/model/operators/elementwise_chain.hpp - arithmetic and functions of elements, several at once, as
// model/chain_fusion.hpp puts them together.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/elementwise_chain.hpp"
#include "elementwise.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The operations of a chain on float32 values that broadcast, in one pass over memory.
///
/// example  "Mul + Add" of x, y, z: x y + z
/// errors   answers throws std::invalid_argument naming what does not broadcast
class elementwise_chain {
public:
    static constexpr bool elementwise = true;

    explicit elementwise_chain(std::vector<kernel::chain_step> steps) : steps_(std::move(steps)) {
        for (const kernel::chain_step& step : steps_)
            name_ += (name_.empty() ? "" : " + ") +
                     std::string(step.pair ? kernel::name_of(*step.pair) : kernel::name_of(step.single));
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1, kernel::chain_inputs);
        symbolic_shape out = in[0].shape;
        for (const argument& one : in) {
            if (one.type != element::float32) detail::refuse("float32", one.text());
            out = broadcast(out, one.shape);
        }
        return {{element::float32, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (out[0].size() == 0) return;
        std::array<view<const float>, kernel::chain_inputs> from;
        for (std::size_t i = 0; i < in.size(); ++i) from[i] = in[i].as<float>();
        kernel::elementwise_chain(steps_, std::span(from).first(in.size()), out[0].as<float>());
    }
    /// One an operation and element, whatever it is.
    [[nodiscard]] std::uint64_t flops(std::span<const shape> in) const {
        std::size_t most = 0;
        for (const shape& one : in) most = std::max(most, one.volume());
        return most * steps_.size();
    }
    [[nodiscard]] const std::vector<kernel::chain_step>& steps() const noexcept { return steps_; }

    /// A step as a chain of one; empty when chains do not hold such.
    [[nodiscard]] static std::optional<elementwise_chain> of(const operation& op) {
        if (const auto* chain = op.as<elementwise_chain>()) return *chain;
        kernel::chain_step step;
        if (const auto* pair = op.as<arithmetic>()) {
            if (!kernel::in_chains(pair->kind())) return std::nullopt;
            step.pair = pair->kind();
            step.b = 1;
        } else if (const auto* single = op.as<unary_function>()) {
            if (!kernel::in_chains(single->function())) return std::nullopt;
            step.single = single->function();
            step.alpha = single->alpha();
            step.beta = single->beta();
        } else {
            return std::nullopt;
        }
        return elementwise_chain({step});
    }

private:
    std::vector<kernel::chain_step> steps_;
    std::string name_{};
};
static_assert(graph_operation<elementwise_chain>);

}  // namespace fanfold::inline FANFOLD_ABI
