// fanfold/onnx/operators/losses.hpp - NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <string_view>  // std::string_view
#include <utility>      // std::pair

#include "../../model/operators/losses.hpp"
#include "../node.hpp"
#include "choice.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX NegativeLogLikelihoodLoss-12 to NegativeLogLikelihoodLoss-22, SoftmaxCrossEntropyLoss-12, -13
template <loss_input From>
void import_loss(node_import& node) {
    node.expect_inputs(2, 3);
    using enum loss_reduction;
    static constexpr std::array<std::pair<std::string_view, loss_reduction>, 3> all{
        {{"none", none}, {"sum", sum}, {"mean", mean}}};
    const loss_reduction how = detail::choice(node, "reduction", "mean", all);
    std::optional<std::int64_t> ignored;
    if (node.has_attribute("ignore_index")) ignored = node.integer("ignore_index", 0);
    node.answer(classification_loss(From, how, ignored), node.inputs());
}

inline constexpr std::array loss_operators{
    operator_entry{"NegativeLogLikelihoodLoss", 12, last_opset, &import_loss<loss_input::log_probabilities>},
    operator_entry{"SoftmaxCrossEntropyLoss", 12, last_opset, &import_loss<loss_input::scores>}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
