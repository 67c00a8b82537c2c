// fanfold/kernel/gate_activation.hpp - the activations that recurrent cells may name, with their parameters.
//   in    "HardSigmoid", alpha, beta      out   a value that the cells of recurrent.hpp apply to a gate
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cmath>        // std::log1p, std::exp
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"
#include "../core/in_quotes.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

struct gate_activation {
    enum class kind : std::uint8_t {
        sigmoid,
        tanh,
        relu,
        leaky_relu,
        thresholded_relu,
        scaled_tanh,
        hard_sigmoid,
        elu,
        softsign,
        softplus,
        affine
    };
    kind function = kind::sigmoid;
    float alpha = 0;
    float beta = 0;
};

/// The activation called `name`, in any case of letters; alpha and beta as given, or ONNX's defaults.
///
/// errors   throws std::invalid_argument when the name is unknown
/// source   ONNX LSTM-14, GRU-14, RNN-14
[[nodiscard]] inline gate_activation gate_activation_named(std::string_view name, std::optional<float> alpha = {},
                                                           std::optional<float> beta = {}) {
    struct known {
        std::string_view name;
        gate_activation made;
    };
    using kind = gate_activation::kind;
    static constexpr std::array<known, 11> all{{{"sigmoid", {kind::sigmoid, 0, 0}},
                                                {"tanh", {kind::tanh, 0, 0}},
                                                {"relu", {kind::relu, 0, 0}},
                                                {"leakyrelu", {kind::leaky_relu, 0.01F, 0}},
                                                {"thresholdedrelu", {kind::thresholded_relu, 1, 0}},
                                                {"scaledtanh", {kind::scaled_tanh, 1, 1}},
                                                {"hardsigmoid", {kind::hard_sigmoid, 0.2F, 0.5F}},
                                                {"elu", {kind::elu, 1, 0}},
                                                {"softsign", {kind::softsign, 0, 0}},
                                                {"softplus", {kind::softplus, 0, 0}},
                                                {"affine", {kind::affine, 1, 0}}}};
    std::string lower;
    for (const char c : name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const known& one : all)
        if (one.name == lower) return {one.made.function, alpha.value_or(one.made.alpha), beta.value_or(one.made.beta)};
    throw std::invalid_argument("no recurrent activation is called " + fanfold::detail::in_quotes(name));
}

namespace detail {

inline float softplus(float x) { return (x > 0 ? x : 0.0F) + std::log1p(std::exp(x > 0 ? -x : x)); }

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
