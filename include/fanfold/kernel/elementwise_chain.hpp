// fanfold/kernel/elementwise_chain.hpp - several operations element by element in one pass over memory.
//   in    up to 8 tensors that broadcast, the operations in order      out   what the last one makes
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::fill_n
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string

#include "elementwise.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// One operation of a chain. Operands below chain_inputs are inputs, those from there on earlier answers of the chain.
struct chain_step {
    std::optional<binary> pair{};  ///< else `single`
    unary single = unary::abs;
    double alpha = 0, beta = 0;
    std::size_t a = 0, b = 0;
};
inline constexpr std::size_t chain_inputs = 8, chain_steps = 16;

/// A chain may hold this operation.
[[nodiscard]] constexpr bool in_chains(binary op) noexcept { return detail::has_row(op); }
[[nodiscard]] constexpr bool in_chains(unary op) noexcept { return detail::has_row(op); }

namespace detail {

inline void check_chain(std::span<const chain_step> steps, std::span<const view<const float>> in) {
    bool fits = in.size() <= chain_inputs && !in.empty() && !steps.empty() && steps.size() <= chain_steps;
    for (std::size_t s = 0; fits && s < steps.size(); ++s) {
        const auto known = [&](std::size_t operand) {
            return operand < chain_inputs ? operand < in.size() : operand - chain_inputs < s;
        };
        fits = known(steps[s].a) && (!steps[s].pair || known(steps[s].b)) &&
               (steps[s].pair ? in_chains(*steps[s].pair) : in_chains(steps[s].single));
    }
    if (!fits)
        throw std::invalid_argument("elementwise_chain: " + std::to_string(steps.size()) + " operations on " +
                                    std::to_string(in.size()) + " inputs do not fit together");
}

inline void elementwise_chain(isa set, std::span<const chain_step> steps, std::span<const view<const float>> in,
                              const view<float>& out) {
    check_chain(steps, in);
    const auto pair_row = pick(set, &baseline::binary_row, &avx2::binary_row, &avx512::binary_row);
    const auto single_row = pick(set, &baseline::unary_row, &avx2::unary_row, &avx512::unary_row);
    std::array<strides, chain_inputs + 1> walked{};
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (!(broadcast_shape(in[i].shape(), out.shape()) == out.shape()))
            throw std::invalid_argument("elementwise_chain: " + in[i].shape().text() + " into " + out.shape().text());
        walked[i] = stretched(in[i].shape(), in[i].steps(), out.shape());
    }
    walked[chain_inputs] = out.steps();
    constexpr std::size_t block = 256;
    alignas(64) float inputs[chain_inputs][block];
    alignas(64) float made[chain_steps][block];
    struct operand {
        const float* at;
        bool repeats;
    };
    const auto run = [&](const offsets<chain_inputs + 1>& at, std::size_t count,
                         const offsets<chain_inputs + 1>& step) {
        for (std::size_t first = 0; first < count; first += block) {
            const std::size_t n = std::min(block, count - first);
            const auto offset = [&](std::size_t t) { return at[t] + static_cast<std::int64_t>(first) * step[t]; };
            std::array<operand, chain_inputs + chain_steps> known;
            for (std::size_t i = 0; i < in.size(); ++i) {
                const float* from = in[i].data() + offset(i);
                known[i] = {from, step[i] == 0};
                if (step[i] == 0 || step[i] == 1) continue;
                for (std::size_t k = 0; k < n; ++k) inputs[i][k] = from[static_cast<std::int64_t>(k) * step[i]];
                known[i].at = inputs[i];
            }
            float* const to = out.data() + offset(chain_inputs);
            const bool direct = step[chain_inputs] == 1;
            for (std::size_t s = 0; s < steps.size(); ++s) {
                const chain_step& one = steps[s];
                float* const result = direct && s + 1 == steps.size() ? to : made[s];
                operand a = known[one.a];
                if (one.pair) {
                    const operand b = known[one.b];
                    pair_row(*one.pair, a.at, a.repeats, b.at, b.repeats, result, n);
                } else {
                    if (a.repeats) {
                        std::fill_n(made[s], n, *a.at);
                        a.at = made[s];
                    }
                    single_row({one.single, one.alpha, one.beta}, a.at, result, n);
                }
                known[chain_inputs + s] = {result, false};
            }
            if (!direct)
                for (std::size_t k = 0; k < n; ++k)
                    to[static_cast<std::int64_t>(k) * step[chain_inputs]] = made[steps.size() - 1][k];
        }
    };
    for_each_run<chain_inputs + 1>(out.shape(), walked, run);
}

}  // namespace detail

/// out = the last operation's answer, each computed element by element from inputs and earlier answers.
///
/// shapes   each input broadcasts to out; any strides, fastest where runs are dense or one value repeats; out overlaps
///          none of them
/// cost     each input is read and out written once; what stands in between stays in 16 KiB
/// errors   throws std::invalid_argument when shapes do not fit or an operand is not there
/// threads  re-entrant; an element has the bits that kernel::elementwise and kernel::apply give it, one after the other
inline void elementwise_chain(std::span<const chain_step> steps, std::span<const view<const float>> in,
                              const view<float>& out) {
    detail::elementwise_chain(active_isa(), steps, in, out);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
