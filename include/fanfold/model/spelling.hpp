// fanfold/model/spelling.hpp - what exporters spell out in arithmetic becomes the one step that it is: normalizations,
// gelu, squares, biases.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>     // std::abs
#include <cstddef>   // std::size_t
#include <cstdint>   // std::int64_t
#include <optional>  // std::optional
#include <span>      // std::span
#include <utility>   // std::move
#include <vector>    // std::vector

#include "fusion.hpp"
#include "operators/dense.hpp"
#include "operators/reduce.hpp"
#include "operators/rms_normalization.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Reads expressions backwards from the step that ends them.
class speller {
public:
    explicit speller(step_list& list) : list_(list) {}

    /// x Phi(x): x, 1 + erf(x / sqrt 2) and 1/2 multiplied in any order; or with tanh instead of erf.
    [[nodiscard]] std::optional<spelt_activation> gelu(const graph_step& step) {
        if (!is(step, kernel::binary::mul) && !is(step, kernel::binary::div)) return std::nullopt;
        const auto found = find_gate(step, 3);
        if (!found) return std::nullopt;
        product all{found->gate, found->x};
        if (!multiply(step, all, 3) || all.gates != 1 || all.power != 1 || !near(all.constant, 0.5))
            return std::nullopt;
        if (!list_.same_rank(found->x, step.outputs[0])) return std::nullopt;
        return spelt_activation{found->act, found->x};
    }

    /// LayerNormalization ends in an Add, RMSNormalization in a Mul, both along the last axis.
    [[nodiscard]] std::optional<graph_step> normalization(const graph_step& step) {
        if (step.outputs.size() != 1 || !floats(step.outputs[0])) return std::nullopt;
        if (is(step, kernel::binary::add))
            for (const std::size_t i : {0U, 1U})
                if (const graph_step* scaled = list_.of(step.inputs[i]))
                    if (auto made = layer(step, *scaled, step.inputs[1 - i])) return made;
        if (is(step, kernel::binary::mul)) return root_mean_square(step);
        return std::nullopt;
    }

    /// x^2, which the C library takes for a general power.
    [[nodiscard]] bool squares(const graph_step& step) const {
        return is(step, kernel::binary::pow) && list_.number(step.inputs[1]) == 2.0 && floats(step.inputs[0]) &&
               list_.draft.type(step.inputs[0]) == list_.draft.type(step.outputs[0]);
    }

    /// The bias that `step` adds to the answers of the dense step before it, which becomes that step with the bias.
    [[nodiscard]] graph_step* add_bias(const graph_step& step) {
        if (!is(step, kernel::binary::add)) return nullptr;
        for (const std::size_t i : {0U, 1U}) {
            graph_step* from = list_.of(step.inputs[i]);
            if (from == nullptr || from->op.as<fanfold::dense>() == nullptr || list_.used[step.inputs[i]] != 1)
                continue;
            const symbolic_shape& x = list_.draft.type(step.inputs[i]).shape;
            const auto bias = list_of(step.inputs[1 - i], x);
            if (!bias) continue;
            if (const auto fused =
                    from->op.as<fanfold::dense>()->with_bias(list_.draft.elements(*bias)->as<float>().flat())) {
                from->op = *fused;
                return from;
            }
        }
        return nullptr;
    }

private:
    struct product {
        std::size_t gate, x;
        double constant = 1;
        int gates = 0, power = 0;
    };
    struct gate_found {
        kernel::activation act;
        std::size_t gate, x;
    };
    struct quotient {
        std::size_t numerator, squared;
        double epsilon;
    };

    static bool near(double a, double b) { return std::abs(a - b) < 1e-5 * std::abs(b); }
    static bool is(const graph_step& step, kernel::binary kind) {
        const auto* op = step.op.as<arithmetic>();
        return op != nullptr && op->kind() == kind && step.inputs.size() == 2;
    }
    const graph_step* unary_of(std::size_t value, kernel::unary function) {
        const graph_step* step = list_.of(value);
        const auto* op = step == nullptr ? nullptr : step->op.as<unary_function>();
        return op != nullptr && op->function() == function ? step : nullptr;
    }
    [[nodiscard]] bool floats(std::size_t value) const {
        const value_type& type = list_.draft.type(value);
        return type.type == element::float32 && type.shape.ranked() && type.shape.rank() > 0;
    }
    /// Which of a sum's inputs is not this number.
    std::optional<std::size_t> plus(const graph_step& sum, double number) const {
        if (!is(sum, kernel::binary::add)) return std::nullopt;
        for (const std::size_t i : {0U, 1U})
            if (list_.number(sum.inputs[i]) == number) return sum.inputs[1 - i];
        return std::nullopt;
    }

    std::optional<gate_found> find_gate(const graph_step& step, int depth) {
        if (const auto inner = plus(step, 1)) {
            if (const graph_step* erf = unary_of(*inner, kernel::unary::erf))
                if (const auto x = scaled_by(erf->inputs[0], 0.70710678118))
                    return gate_found{kernel::activation::gelu, step.outputs[0], *x};
            if (const graph_step* tanh = unary_of(*inner, kernel::unary::tanh))
                if (const auto sum = scaled_by(tanh->inputs[0], 0.79788456080))
                    if (const auto x = cubic(*sum))
                        return gate_found{kernel::activation::gelu_tanh, step.outputs[0], *x};
        }
        if (depth == 0 || (!is(step, kernel::binary::mul) && !is(step, kernel::binary::div))) return std::nullopt;
        for (const std::size_t input : step.inputs)
            if (const graph_step* factor = list_.of(input))
                if (auto found = find_gate(*factor, depth - 1)) return found;
        return std::nullopt;
    }
    /// x where the value is `number` times x.
    std::optional<std::size_t> scaled_by(std::size_t value, double number) {
        const graph_step* step = list_.of(value);
        if (step == nullptr) return std::nullopt;
        for (const std::size_t i : {0U, 1U}) {
            if (is(*step, kernel::binary::mul))
                if (const auto by = list_.number(step->inputs[i]); by && near(*by, number)) return step->inputs[1 - i];
        }
        if (is(*step, kernel::binary::div))
            if (const auto by = list_.number(step->inputs[1]); by && near(1 / *by, number)) return step->inputs[0];
        return std::nullopt;
    }
    /// x where the value is x + 0.044715 x^3.
    std::optional<std::size_t> cubic(std::size_t value) {
        const graph_step* sum = list_.of(value);
        if (sum == nullptr || !is(*sum, kernel::binary::add)) return std::nullopt;
        for (const std::size_t i : {0U, 1U}) {
            const graph_step* cube = list_.of(sum->inputs[1 - i]);
            product all{no_step, sum->inputs[i]};
            if (cube != nullptr && multiply(*cube, all, 3) && all.power == 3 && near(all.constant, 0.044715))
                return sum->inputs[i];
        }
        return std::nullopt;
    }
    /// Collects what a step multiplies; false when there is anything but numbers, the gate and powers of x.
    bool multiply(const graph_step& step, product& all, int depth) {
        if (is(step, kernel::binary::pow)) {
            const auto power = list_.number(step.inputs[1]);
            if (step.inputs[0] != all.x || !power || (*power != 2.0 && *power != 3.0)) return false;
            all.power += static_cast<int>(*power);
            return true;
        }
        const bool divides = is(step, kernel::binary::div);
        if (!divides && !is(step, kernel::binary::mul)) return false;
        for (const std::size_t i : {0U, 1U}) {
            const std::size_t value = step.inputs[i];
            if (const auto number = list_.number(value)) {
                if (divides && i == 1 && *number == 0) return false;
                all.constant = divides && i == 1 ? all.constant / *number : all.constant * *number;
            } else if (divides && i == 1) {
                return false;
            } else if (value == all.x) {
                ++all.power;
            } else if (value == all.gate) {
                ++all.gates;
            } else {
                const graph_step* inner = list_.of(value);
                if (inner == nullptr || depth == 0 || !multiply(*inner, all, depth - 1)) return false;
            }
        }
        return true;
    }

    /// numerator / sqrt(mean of squared^2 along the last axis + epsilon)
    std::optional<quotient> normalized(std::size_t value) {
        const graph_step* step = list_.of(value);
        if (step == nullptr) return std::nullopt;
        if (is(*step, kernel::binary::div)) return root(step->inputs[0], step->inputs[1]);
        if (!is(*step, kernel::binary::mul)) return std::nullopt;
        for (const std::size_t i : {0U, 1U}) {
            const graph_step* inverse = list_.of(step->inputs[i]);
            if (inverse == nullptr) continue;
            const bool one_over = is(*inverse, kernel::binary::div) && list_.number(inverse->inputs[0]) == 1.0;
            if (one_over || unary_of(step->inputs[i], kernel::unary::reciprocal) != nullptr)
                if (auto found = root(step->inputs[1 - i], inverse->inputs[one_over ? 1 : 0])) return found;
        }
        return std::nullopt;
    }
    std::optional<quotient> root(std::size_t numerator, std::size_t divisor) {
        const graph_step* sqrt = unary_of(divisor, kernel::unary::sqrt);
        if (sqrt == nullptr) {
            const graph_step* power = list_.of(divisor);
            if (power == nullptr || !is(*power, kernel::binary::pow) || list_.number(power->inputs[1]) != 0.5)
                return std::nullopt;
            sqrt = power;
        }
        const graph_step* sum = list_.of(sqrt->inputs[0]);
        if (sum == nullptr || !is(*sum, kernel::binary::add)) return std::nullopt;
        for (const std::size_t i : {0U, 1U}) {
            const auto epsilon = list_.number(sum->inputs[i]);
            const auto squares = mean_of(sum->inputs[1 - i]);
            if (!epsilon || !squares) continue;
            const graph_step* square = list_.of(*squares);
            if (square == nullptr) continue;
            const bool power = is(*square, kernel::binary::pow) && list_.number(square->inputs[1]) == 2.0;
            const bool times = is(*square, kernel::binary::mul) && square->inputs[0] == square->inputs[1];
            if (power || times) return quotient{numerator, square->inputs[0], *epsilon};
        }
        return std::nullopt;
    }
    /// What this is the mean of, along its last axis, which stays.
    std::optional<std::size_t> mean_of(std::size_t value) {
        const graph_step* step = list_.of(value);
        const auto* op = step == nullptr ? nullptr : step->op.as<reduce>();
        if (op == nullptr || op->kind() != kernel::reduction::mean || !floats(step->inputs[0])) return std::nullopt;
        const auto rank = list_.draft.type(step->inputs[0]).shape.rank();
        std::optional<std::vector<std::int64_t>> axes = op->axes();
        if (!axes && step->inputs.size() > 1 && list_.draft.elements(step->inputs[1]))
            axes = integers_in(*list_.draft.elements(step->inputs[1]));
        const symbolic_shape& out = list_.draft.type(value).shape;
        if (!axes || axes->size() != 1 || !out.ranked() || out.rank() != rank) return std::nullopt;
        return expect_axis(axes->front(), rank) + 1 == rank ? std::optional(step->inputs[0]) : std::nullopt;
    }
    /// The constant as a list of as many floats as x has along its last axis.
    std::optional<std::size_t> list_of(std::size_t value, const symbolic_shape& x) {
        const auto& elements = list_.draft.elements(value);
        if (!elements || elements->type() != element::float32 || !elements->dense() || !x.ranked() || x.rank() == 0 ||
            elements->rank() == 0 || elements->rank() > x.rank() || !x[x.rank() - 1].constant())
            return std::nullopt;
        const std::int64_t length = x[x.rank() - 1].fixed;
        if (length != elements->extent(elements->rank() - 1) || elements->size() != static_cast<std::size_t>(length))
            return std::nullopt;
        if (elements->rank() == 1) return value;
        tensor flat(element::float32, shape{length});
        copy_elements(elements->reshaped({length}), flat);
        return list_.draft.add_constant(std::move(flat));
    }

    /// The scaled quotient before it has been found to be an RMSNormalization already, of what has lost its mean.
    std::optional<graph_step> layer(const graph_step& step, const graph_step& scaled, std::size_t bias) {
        const auto* root = scaled.op.as<rms_normalization>();
        if (root == nullptr || list_.used[scaled.outputs[0]] != 1) return std::nullopt;
        const auto x = centred(scaled.inputs[0]);
        const auto shift = x ? list_of(bias, list_.draft.type(*x).shape) : std::nullopt;
        if (!shift) return std::nullopt;
        symbolic_shape outer = list_.draft.type(*x).shape;
        outer[outer.rank() - 1] = 1;
        const std::size_t mean = list_.draft.add_value({element::float32, outer}, {});
        const std::size_t deviation = list_.draft.add_value({element::float32, outer}, {});
        list_.grow();
        return graph_step{layer_normalization(-1, root->epsilon()),
                          step.name,
                          {*x, scaled.inputs[1], *shift},
                          {step.outputs[0], mean, deviation}};
    }
    /// x where the value is x minus its mean along the last axis.
    std::optional<std::size_t> centred(std::size_t value) {
        const graph_step* step = list_.of(value);
        if (step == nullptr || !is(*step, kernel::binary::sub)) return std::nullopt;
        return mean_of(step->inputs[1]) == step->inputs[0] ? std::optional(step->inputs[0]) : std::nullopt;
    }
    std::optional<graph_step> root_mean_square(const graph_step& step) {
        for (const std::size_t i : {0U, 1U}) {
            const auto found = normalized(step.inputs[i]);
            if (!found || found->numerator != found->squared) continue;
            if (!list_.same_rank(found->numerator, step.outputs[0])) continue;
            const auto scale = list_of(step.inputs[1 - i], list_.draft.type(found->numerator).shape);
            if (!scale) continue;
            return graph_step{rms_normalization(static_cast<float>(found->epsilon)),
                              step.name,
                              {found->numerator, *scale},
                              step.outputs};
        }
        return std::nullopt;
    }

    step_list& list_;
};

}  // namespace detail

/// Normalizations along the last axis and gelu that are spelt out become one step each, biases go into the products
/// before them, squares are products.
inline void fuse_spellings(const graph_draft& draft) {
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        detail::speller speller(list);
        if (const auto act = speller.gelu(step)) {
            step = {unary_function(act->act), std::move(step.name), {act->x}, std::move(step.outputs)};
        } else if (auto norm = speller.normalization(step)) {
            step = *std::move(norm);
        } else if (speller.squares(step)) {
            step = {arithmetic(kernel::binary::mul),
                    std::move(step.name),
                    {step.inputs[0], step.inputs[0]},
                    std::move(step.outputs)};
        } else if (graph_step* const before = speller.add_bias(step)) {
            list.replace(*before, std::move(step));
            continue;
        }
        list.keep(std::move(step));
    }
    draft.steps() = std::move(list.kept);
}

}  // namespace fanfold::inline FANFOLD_ABI
