// fanfold/onnx/operators/recurrent.hpp - LSTM, GRU, RNN: weights known at load are packed there.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../model/operators/recurrent.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

/// How many of alpha and beta an activation takes.
[[nodiscard]] inline std::size_t gate_parameters(const kernel::gate_activation& gate) {
    using kind = kernel::gate_activation::kind;
    switch (gate.function) {
        case kind::scaled_tanh:
        case kind::hard_sigmoid:
        case kind::affine: return 2;
        case kind::leaky_relu:
        case kind::thresholded_relu:
        case kind::elu: return 1;
        default: return 0;
    }
}

/// Activations of all directions, `each` for one. Parameters stand for those that take some, in order; or for all.
[[nodiscard]] inline std::vector<kernel::gate_activation> read_gates(node_import& node, std::size_t count,
                                                                     std::size_t each,
                                                                     std::vector<std::string_view> names) {
    if (const std::vector<std::string_view>* given = node.texts("activations")) names = *given;
    if (names.size() == each)
        for (std::size_t i = each; i < count; ++i) names.push_back(names[i - each]);
    if (names.size() != count)
        throw std::invalid_argument("attribute 'activations': expected " + std::to_string(count) + " names, got " +
                                    std::to_string(names.size()));
    const std::vector<float>* alphas = node.reals("activation_alpha");
    const std::vector<float>* betas = node.reals("activation_beta");
    std::size_t alpha = 0, beta = 0;
    std::vector<kernel::gate_activation> gates;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t takes = gate_parameters(kernel::gate_activation_named(names[i]));
        const auto next = [&](const std::vector<float>* values, bool taken, std::size_t& at) -> std::optional<float> {
            if (values == nullptr || !taken) return std::nullopt;
            const std::size_t index = values->size() == count ? i : at++;
            return index < values->size() ? std::optional((*values)[index]) : std::nullopt;
        };
        const std::optional<float> a = next(alphas, takes >= 1, alpha), b = next(betas, takes == 2, beta);
        gates.push_back(kernel::gate_activation_named(names[i], a, b));
    }
    return gates;
}

[[nodiscard]] inline std::vector<recurrent_direction> read_directions(node_import& node,
                                                                      const kernel::recurrent_options& options,
                                                                      std::vector<std::string_view> names) {
    const std::string_view asked = node.text("direction", "forward");
    if (asked != "forward" && asked != "reverse" && asked != "bidirectional")
        throw std::invalid_argument("attribute 'direction': expected forward, reverse or bidirectional, got " +
                                    in_quotes(asked));
    const std::size_t count = asked == "bidirectional" ? 2 : 1, each = names.size();
    const auto gates = read_gates(node, count * each, each, std::move(names));
    std::vector<recurrent_direction> directions(count, recurrent_direction{options});
    for (std::size_t d = 0; d < count; ++d)
        for (std::size_t i = 0; i < each; ++i) directions[d].options.activations[i] = gates[d * each + i];
    if (asked != "forward") directions.back().way = kernel::direction::reverse;
    return directions;
}

inline void import_layer(node_import& node, kernel::recurrent_options options, std::vector<std::string_view> names) {
    node.expect_inputs(3, options.cell == kernel::recurrent_cell::lstm ? 8 : 6);
    options.clip = node.real("clip", options.clip);
    if (!(options.clip > 0))
        throw std::invalid_argument("attribute 'clip': expected a number above 0, got " + std::to_string(options.clip));
    node.ignore_attribute("output_sequence");  // of versions before 7; an output that nobody names is none
    const std::int64_t hidden = node.integer("hidden_size", 0);
    const std::int64_t layout = node.integer("layout", 0);
    if (layout != 0 && layout != 1)
        throw std::invalid_argument("attribute 'layout': expected 0 or 1, got " + std::to_string(layout));
    const std::vector<recurrent_direction> directions = read_directions(node, options, std::move(names));
    std::optional<recurrent_constants> known = recurrent_constants{};
    const auto read = [&](std::size_t index, tensor_view& to) {
        if (!known || !node.has_input(index)) return;
        if (const auto found = node.constant(index))
            to = *found;
        else
            known.reset();
    };
    const std::array<std::size_t, 4> weights{1, 2, 3, 7};
    for (const std::size_t index : weights) {
        if (!known) break;
        read(index, index == 1 ? known->w : index == 2 ? known->r : index == 3 ? known->b : known->p);
    }
    std::vector<value_id> inputs;
    const std::size_t nowhere = node.input_count();
    for (std::size_t i = 0; i < node.input_count(); ++i) {
        const bool packed = known && (i == 1 || i == 2 || i == 3 || i == 7);
        inputs.push_back(node.input_or_none(packed ? nowhere : i));
    }
    const auto order = layout == 0 ? recurrent_layout::time_first : recurrent_layout::row_first;
    node.answer(recurrent_layer(directions, order, hidden, known), inputs);
}

}  // namespace detail

/// source   ONNX LSTM-1 to LSTM-22
inline void import_lstm(node_import& node) {
    kernel::recurrent_options options;
    if (node.integer("input_forget", 0) != 0) options.forget = kernel::forget_gate::coupled;
    detail::import_layer(node, options, {"Sigmoid", "Tanh", "Tanh"});
}

/// source   ONNX GRU-1 to GRU-22
inline void import_gru(node_import& node) {
    kernel::recurrent_options options;
    options.cell = kernel::recurrent_cell::gru;
    if (node.integer("linear_before_reset", 0) != 0) options.reset = kernel::reset_order::after_product;
    detail::import_layer(node, options, {"Sigmoid", "Tanh"});
}

/// source   ONNX RNN-1 to RNN-22
inline void import_rnn(node_import& node) {
    kernel::recurrent_options options;
    options.cell = kernel::recurrent_cell::rnn;
    detail::import_layer(node, options, {"Tanh"});
}

inline constexpr std::array recurrent_operators{operator_entry{"LSTM", first_opset, last_opset, &import_lstm},
                                                operator_entry{"GRU", first_opset, last_opset, &import_gru},
                                                operator_entry{"RNN", first_opset, last_opset, &import_rnn}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
