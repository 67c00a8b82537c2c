// fanfold/model/fusion.hpp - steps that become part of the step before them: scales into weights, sums, activations
// spelt out.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>     // std::sqrt
#include <cstddef>   // std::size_t
#include <cstdint>   // SIZE_MAX
#include <optional>  // std::optional
#include <span>      // std::span
#include <utility>   // std::move
#include <vector>    // std::vector

#include "graph_draft.hpp"
#include "operators/convolution_nd.hpp"
#include "operators/elementwise.hpp"
#include "operators/normalization.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::size_t no_step = SIZE_MAX;

/// The steps of a draft while a pass goes through them in order.
struct step_list {
    explicit step_list(const graph_draft& of) : draft(of), used(of.uses()), producer(of.values(), no_step) {}

    /// After values were added to the draft.
    void grow() {
        used.resize(draft.values(), 0);
        producer.resize(draft.values(), no_step);
    }
    void keep(graph_step&& step) {
        for (const std::size_t output : step.outputs) producer[output] = kept.size();
        kept.push_back(std::move(step));
    }
    /// The step that computes a value; null for inputs and constants.
    [[nodiscard]] graph_step* of(std::size_t value) {
        return value >= producer.size() || producer[value] == no_step ? nullptr : &kept[producer[value]];
    }
    /// `by` computes what `step` was for, which goes.
    void replace(graph_step& by, graph_step&& step) {
        const std::size_t at = static_cast<std::size_t>(&by - kept.data());
        by.outputs = std::move(step.outputs);
        producer[by.outputs.front()] = at;
    }
    /// Two values have one shape, where one is made of the other and of constants with one element: those may have more
    /// axes, and give them to the answer.
    [[nodiscard]] bool same_rank(std::size_t a, std::size_t b) const {
        const symbolic_shape &one = draft.type(a).shape, &other = draft.type(b).shape;
        return one.ranked() && other.ranked() && one.rank() == other.rank();
    }
    /// The only element of a float32 constant.
    [[nodiscard]] std::optional<double> number(std::size_t value) const {
        const auto& elements = draft.elements(value);
        if (!elements || elements->type() != element::float32 || elements->size() != 1) return std::nullopt;
        return *reinterpret_cast<const float*>(elements->data());
    }

    const graph_draft& draft;
    std::vector<std::size_t> used, producer;
    std::vector<graph_step> kept{};
};

/// y[c] = scale[c] x[c] + shift[c]
struct channel_affine {
    std::vector<double> scale, shift;
};

/// The elements of a float32 constant that has one for each of `channels` of [N, C, ...] of rank `rank`,
/// or one for all.
[[nodiscard]] inline std::optional<std::vector<double>> channel_numbers(const graph_draft& draft, std::size_t value,
                                                                        std::size_t channels, std::size_t rank) {
    const auto& elements = draft.elements(value);
    if (!elements || elements->type() != element::float32 || !elements->dense() || elements->rank() > rank)
        return std::nullopt;
    const bool one = elements->size() == 1;
    if (!one) {
        const std::size_t before = rank - elements->rank();  // axes that are left out
        if (before > 1 || elements->size() != channels || elements->extent(1 - before) != std::int64_t(channels))
            return std::nullopt;
    }
    const std::span<const float> all = elements->as<float>().flat();
    std::vector<double> out(channels);
    for (std::size_t c = 0; c < channels; ++c) out[c] = static_cast<double>(all[one ? 0 : c]);
    return out;
}

/// What a step does to its input `x` as a scale and a shift of each channel.
[[nodiscard]] inline std::optional<channel_affine> affine_of(const graph_draft& draft, const graph_step& step,
                                                             std::size_t x, std::size_t channels) {
    channel_affine out{std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
    const std::size_t rank = draft.type(x).shape.rank();
    if (const auto* norm = step.op.as<batch_normalization>()) {
        if (norm->of() != batch_statistics::channel || step.inputs.front() != x) return std::nullopt;
        std::vector<std::vector<double>> numbers;
        for (std::size_t i = 1; i < 5; ++i) {
            const auto& elements = draft.elements(step.inputs[i]);
            if (!elements || elements->type() != element::float32 || elements->size() != channels) return std::nullopt;
            const std::span<const float> all = elements->as<float>().flat();
            numbers.emplace_back(all.begin(), all.end());
        }
        for (std::size_t c = 0; c < channels; ++c) {
            out.scale[c] = numbers[0][c] / std::sqrt(numbers[3][c] + static_cast<double>(norm->epsilon()));
            out.shift[c] = numbers[1][c] - numbers[2][c] * out.scale[c];
        }
        return out;
    }
    const auto* op = step.op.as<arithmetic>();
    if (op == nullptr || step.inputs.size() != 2) return std::nullopt;
    const bool first = step.inputs[0] == x;
    const auto other = channel_numbers(draft, step.inputs[first ? 1 : 0], channels, rank);
    if (!other) return std::nullopt;
    for (std::size_t c = 0; c < channels; ++c) {
        const double number = (*other)[c];
        switch (op->kind()) {
            case kernel::binary::add: out.shift[c] = number; break;
            case kernel::binary::mul: out.scale[c] = number; break;
            case kernel::binary::sub:
                out.shift[c] = first ? -number : number;
                out.scale[c] = first ? 1 : -1;
                break;
            case kernel::binary::div:
                if (!first || number == 0) return std::nullopt;
                out.scale[c] = 1 / number;
                break;
            default: return std::nullopt;
        }
    }
    return out;
}

/// Weights and bias of a convolution, changed so that its answer is scaled and shifted.
inline void scale_weights(const graph_draft& draft, graph_step& conv, const channel_affine& by) {
    const tensor_view& from = *draft.elements(conv.inputs[1]);
    const std::span<const float> w = from.as<float>().flat();
    const std::size_t outputs = by.scale.size(), each = w.size() / outputs;
    const bool has_bias = conv.inputs.size() > 2 && !draft.absent(conv.inputs[2]);
    const std::span<const float> b =
        has_bias ? draft.elements(conv.inputs[2])->as<float>().flat() : std::span<const float>();
    tensor weights(element::float32, from.shape()), bias(element::float32, shape{static_cast<std::int64_t>(outputs)});
    const std::span<float> to = weights.as<float>().flat(), shift = bias.as<float>().flat();
    for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t k = o * each; k < (o + 1) * each; ++k)
            to[k] = static_cast<float>(static_cast<double>(w[k]) * by.scale[o]);
        shift[o] = static_cast<float>((has_bias ? static_cast<double>(b[o]) : 0.0) * by.scale[o] + by.shift[o]);
    }
    conv.inputs.resize(3);
    conv.inputs[1] = draft.add_constant(std::move(weights));
    conv.inputs[2] = draft.add_constant(std::move(bias));
}

/// A float32 convolution whose weights and bias are constants, for windows that are no larger than others.
[[nodiscard]] inline bool constant_convolution(const graph_draft& draft, const graph_step& step) {
    if (step.op.as<convolution_nd>() == nullptr) return false;
    for (std::size_t i = 1; i < step.inputs.size(); ++i) {
        const std::size_t value = step.inputs[i];
        const auto& elements = draft.elements(value);
        if (draft.absent(value) && i == 2) continue;
        if (!elements || elements->type() != element::float32 || !elements->dense() || elements->size() == 0)
            return false;
    }
    constexpr std::size_t most_taps = std::size_t{1} << 16;  // nothing interrupts a sum of more for long
    const tensor_view& weights = *draft.elements(step.inputs[1]);
    return weights.size() / static_cast<std::size_t>(weights.extent(0)) <= most_taps;
}

/// x * sigmoid(x), x * clip(x + 3, 0, 6) / 6 and x * hard_sigmoid(x): the activation that `step` ends, and its x.
struct spelt_activation {
    kernel::activation act;
    std::size_t x;
};

class activation_speller {
public:
    explicit activation_speller(step_list& list) : list_(list) {}

    [[nodiscard]] std::optional<spelt_activation> read(const graph_step& step) {
        if (step.op.as<arithmetic>() == nullptr || step.inputs.size() != 2) return std::nullopt;
        const kernel::binary kind = step.op.as<arithmetic>()->kind();
        const auto scaled = [&](std::size_t by, double wanted) {
            const auto number = list_.number(step.inputs[by]);
            return number && std::abs(*number - wanted) < 1e-6;
        };
        if (kind == kernel::binary::div && scaled(1, 6)) return gated(list_.of(step.inputs[0]), gate::times_six);
        if (kind != kernel::binary::mul) return std::nullopt;
        for (const std::size_t by : {0U, 1U})
            if (scaled(by, 1.0 / 6)) return gated(list_.of(step.inputs[1 - by]), gate::times_six);
        return gated(&step, gate::plain);
    }

private:
    enum class gate { plain, times_six };

    /// x * g(x)
    std::optional<spelt_activation> gated(const graph_step* product, gate what) {
        if (product == nullptr || product->op.as<arithmetic>() == nullptr || product->inputs.size() != 2 ||
            product->op.as<arithmetic>()->kind() != kernel::binary::mul)
            return std::nullopt;
        for (const std::size_t i : {0U, 1U}) {
            const std::size_t x = product->inputs[i];
            graph_step* g = list_.of(product->inputs[1 - i]);
            if (g == nullptr) continue;
            if (what == gate::plain && is_sixth(g)) {  // x * (clip(x + 3, 0, 6) / 6)
                g = list_.of(g->inputs[0]);
                if (g != nullptr && clipped(*g, x)) return spelt_activation{kernel::activation::hard_swish, x};
                continue;
            }
            if (what == gate::times_six) {
                if (clipped(*g, x)) return spelt_activation{kernel::activation::hard_swish, x};
                continue;
            }
            const auto* f = g->op.as<unary_function>();
            if (f == nullptr || g->inputs[0] != x) continue;
            if (f->function() == kernel::unary::sigmoid) return spelt_activation{kernel::activation::silu, x};
            if (f->function() == kernel::unary::hard_sigmoid && std::abs(f->alpha() - 1.0 / 6) < 1e-6 &&
                f->beta() == 0.5)
                return spelt_activation{kernel::activation::hard_swish, x};
        }
        return std::nullopt;
    }
    bool is_sixth(const graph_step* step) const {
        const auto* op = step->op.as<arithmetic>();
        if (op == nullptr || op->kind() != kernel::binary::div) return false;
        return list_.number(step->inputs[1]) == 6.0;
    }
    /// clip(x + 3, 0, 6)
    bool clipped(const graph_step& step, std::size_t x) {
        const auto* f = step.op.as<unary_function>();
        if (f == nullptr || f->function() != kernel::unary::clip || f->alpha() != 0 || f->beta() != 6) return false;
        const graph_step* sum = list_.of(step.inputs[0]);
        if (sum == nullptr || sum->op.as<arithmetic>() == nullptr || sum->inputs.size() != 2 ||
            sum->op.as<arithmetic>()->kind() != kernel::binary::add)
            return false;
        return (sum->inputs[0] == x && list_.number(sum->inputs[1]) == 3.0) ||
               (sum->inputs[1] == x && list_.number(sum->inputs[0]) == 3.0);
    }

    step_list& list_;
};

/// Readers of an identity read what it reads.
inline void drop_identities(const graph_draft& draft) {
    std::vector<std::size_t> same(draft.values());
    for (std::size_t v = 0; v < same.size(); ++v) same[v] = v;
    std::vector<bool> asked(draft.values(), false);
    for (const std::size_t output : draft.outputs()) asked[output] = true;
    std::erase_if(draft.steps(), [&](graph_step& step) {
        for (std::size_t& input : step.inputs) input = same[input];
        if (!step.op.aliases() || !step.op.elementwise()) return false;
        same[step.outputs[0]] = step.inputs[0];
        return !asked[step.outputs[0]];
    });
}

}  // namespace detail

/// Identities go; activations that are spelt out in arithmetic become one step; scales and shifts of channels go into
/// the weights of the convolution before them.
///
/// source   batch normalization folded: Jacob et al. 2018, "Quantization and Training of Neural Networks", section 3.2
inline void fuse_arithmetic(const graph_draft& draft) {
    detail::drop_identities(draft);
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        if (const auto spelt = detail::activation_speller(list).read(step)) {
            if (draft.type(step.outputs[0]).type == element::float32 && list.same_rank(spelt->x, step.outputs[0]))
                step = {unary_function(spelt->act), std::move(step.name), {spelt->x}, std::move(step.outputs)};
        }
        graph_step* conv = nullptr;
        std::size_t x = 0;
        for (const std::size_t input : step.inputs) {
            graph_step* from = list.of(input);
            if (conv != nullptr || from == nullptr || list.used[input] != 1) continue;
            if (detail::constant_convolution(draft, *from) && draft.type(input).shape.ranked()) {
                conv = from;
                x = input;
            }
        }
        if (conv != nullptr) {
            const auto channels = static_cast<std::size_t>(draft.elements(conv->inputs[1])->extent(0));
            if (const auto by = detail::affine_of(draft, step, x, channels)) {
                const std::size_t before = conv->inputs[1];
                detail::scale_weights(draft, *conv, *by);
                if (before >= list.used.size() || list.used[before] == 1) draft.release(before);
                list.replace(*conv, std::move(step));
                continue;
            }
        }
        list.keep(std::move(step));
    }
    draft.steps() = std::move(list.kept);
}

/// A sum of two values of one shape becomes part of the later of the steps that compute them.
inline void fuse_sums(const graph_draft& draft) {
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        const auto* op = step.op.as<arithmetic>();
        bool fits = op != nullptr && op->kind() == kernel::binary::add && step.inputs.size() == 2;
        for (std::size_t i = 0; fits && i < 2; ++i)
            fits = draft.type(step.inputs[i]).type == element::float32 && draft.type(step.inputs[i]).shape.ranked() &&
                   draft.type(step.inputs[i]) == draft.type(step.outputs[0]);
        if (fits) {
            const auto at = [&](std::size_t i) {
                const std::size_t p = list.producer[step.inputs[i]];
                return p == detail::no_step ? 0 : p + 1;
            };
            const std::size_t later = at(0) > at(1) ? 0 : 1;
            const std::size_t value = step.inputs[later], other = step.inputs[1 - later];
            graph_step* by = list.of(value);
            if (by != nullptr && list.used[value] == 1 && value != other && by->outputs.size() == 1)
                if (auto fused = by->op.with_addend()) {
                    by->op = *std::move(fused);
                    by->inputs.push_back(other);
                    list.replace(*by, std::move(step));
                    continue;
                }
        }
        list.keep(std::move(step));
    }
    draft.steps() = std::move(list.kept);
}

}  // namespace fanfold::inline FANFOLD_ABI
