// fanfold/model/joining.hpp - convolutions write into the images that their answers are put together to.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

#include "fusion.hpp"
#include "operators/joined_nhwc.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What computes `value` for one reader alone, with the activation behind it; `from` becomes its input.
[[nodiscard]] inline std::optional<convolution_nhwc> joinable(step_list& list, std::size_t value, std::size_t& from) {
    const graph_step* step = list.used[value] == 1 ? list.of(value) : nullptr;
    if (step == nullptr) return std::nullopt;
    const kernel::activation act = step->op.as_activation();
    if (act != kernel::activation::none) {
        if (list.used[step->inputs[0]] != 1) return std::nullopt;
        step = list.of(step->inputs[0]);
        if (step == nullptr) return std::nullopt;
    }
    const auto* op = step->op.as<convolution_nhwc>();
    if (op == nullptr || !op->writes_among_channels() || list.draft.type(step->outputs[0]).shape.rank() != 4)
        return std::nullopt;
    std::optional<convolution_nhwc> whole = act == kernel::activation::none ? std::optional(*op) : op->with(act);
    if (whole) from = step->inputs[0];
    return whole;
}

}  // namespace detail

/// Where images are put together along their channels, convolutions that nobody else reads write there at once.
inline void join_channels(const graph_draft& draft) {
    detail::step_list list(draft);
    for (graph_step& step : draft.steps()) {
        const auto* op = step.op.as<concat>();
        const value_type& type = draft.type(step.outputs[0]);
        const bool fits = op != nullptr && type.type == element::float32 && type.shape.ranked() &&
                          type.shape.rank() == 4 && (op->axis() == 3 || op->axis() == -1);
        if (fits) {
            std::vector<std::optional<convolution_nhwc>> pieces;
            std::vector<std::size_t> inputs = step.inputs;
            bool some = false;
            for (std::size_t& input : inputs) {
                pieces.push_back(detail::joinable(list, input, input));
                some = some || pieces.back().has_value();
            }
            // The steps that computed them have no reader any more: the builder leaves them out.
            if (some)
                step = {joined_nhwc(std::move(pieces)), std::move(step.name), std::move(inputs),
                        std::move(step.outputs)};
        }
        list.keep(std::move(step));
    }
    draft.steps() = std::move(list.kept);
}

}  // namespace fanfold::inline FANFOLD_ABI
