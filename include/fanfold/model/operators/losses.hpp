// fanfold/model/operators/losses.hpp - how far log-probabilities, or scores, are from the classes that are right.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <cmath>        // std::exp, std::log
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What becomes of the losses of all elements.
enum class loss_reduction { none, sum, mean };
/// What input 0 holds: logarithms of probabilities, or scores of which they are made first.
enum class loss_input { log_probabilities, scores };

/// -weight[class] * log-probability of the class that is right; the mean is over the weights. Inputs: x, classes,
/// weights (may be left out). Of scores, the log-probabilities are the second answer.
///
/// shapes   float32 or float64 x [N, C, ...], int32 or int64 [N, ...], weights [C] -> [N, ...] or []; and [N, C, ...]
/// errors   a run throws std::invalid_argument for a class beyond C that is not the one to ignore
/// source   ONNX NegativeLogLikelihoodLoss-13, SoftmaxCrossEntropyLoss-13
class classification_loss {
public:
    classification_loss(loss_input from, loss_reduction how, std::optional<std::int64_t> ignored)
        : from_(from), how_(how), ignored_(ignored) {}

    [[nodiscard]] std::string_view name() const noexcept {
        return from_ == loss_input::scores ? "SoftmaxCrossEntropyLoss" : "NegativeLogLikelihoodLoss";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2, 3);
        const symbolic_shape &x = in[0].shape, &classes = in[1].shape;
        const element type = in[0].type;
        if ((type != element::float32 && type != element::float64) || (x.ranked() && x.rank() < 2))
            detail::refuse("float32 or float64 [N, C, ...]", in[0].text());
        if (in[1].type != element::int32 && in[1].type != element::int64)
            detail::refuse("classes of int32 or int64", in[1].text());
        symbolic_shape each = classes;
        if (x.ranked()) {
            each = {x[0]};
            for (std::size_t axis = 2; axis < x.rank(); ++axis) each.push_back(x[axis]);
            if (!may_equal(each, classes)) detail::refuse("classes " + each.text(), in[1].text());
        }
        const extent count = x.ranked() ? x[1] : extent::unknown();
        if (given(in, 2) && (in[2].type != type || !may_equal(in[2].shape, symbolic_shape{count})))
            detail::refuse("weights [" + count.text() + "] of the same type", in[2].text());
        if (how_ != loss_reduction::none) each = symbolic_shape();
        std::vector<value_type> out{{type, each}};
        if (from_ == loss_input::scores) out.push_back({type, x});
        return out;
    }
    [[nodiscard]] bool mixes_rows(std::span<const argument> in) const {
        return how_ != loss_reduction::none || detail::rows_elsewhere(in);
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        if (in[0].type() == element::float32)
            measure<float>(in, out);
        else
            measure<double>(in, out);
    }

private:
    template <class T>
    void measure(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out) const {
        const shape& x = in[0].shape();
        const auto classes = static_cast<std::size_t>(x[1]);
        const std::size_t plane =
            x[0] == 0 || classes == 0 ? 0 : x.volume() / (static_cast<std::size_t>(x[0]) * classes);
        const std::vector<std::int64_t> right = integers_in(in[1]);
        const auto scores = in[0].as<T>().flat();
        const auto weights = given(in, 2) ? in[2].as<T>().flat() : std::span<const T>();
        const std::span<T> kept = from_ == loss_input::scores ? out[1].as<T>().flat() : std::span<T>();
        const std::span<T> to = out[0].as<T>().flat();
        double sum = 0, weight_sum = 0;
        for (std::size_t i = 0; i < right.size() && plane != 0; ++i) {
            const std::size_t first = i / plane * classes * plane + i % plane;
            const auto score = [&](std::size_t c) { return static_cast<double>(scores[first + c * plane]); };
            double shift = 0;
            if (from_ == loss_input::scores) {
                double most = score(0), total = 0;
                for (std::size_t c = 1; c < classes; ++c) most = std::max(most, score(c));
                for (std::size_t c = 0; c < classes; ++c) total += std::exp(score(c) - most);
                shift = most + std::log(total);
                for (std::size_t c = 0; c < classes; ++c) kept[first + c * plane] = static_cast<T>(score(c) - shift);
            }
            double weight = 0, loss = 0;
            if (right[i] != ignored_) {
                if (right[i] < 0 || right[i] >= x[1])
                    detail::refuse("classes in [0, " + std::to_string(classes) + ")", std::to_string(right[i]));
                const auto c = static_cast<std::size_t>(right[i]);
                weight = weights.empty() ? 1 : static_cast<double>(weights[c]);
                loss = -(score(c) - shift) * weight;
            }
            sum += loss;
            weight_sum += weight;
            if (how_ == loss_reduction::none) to[i] = static_cast<T>(loss);
        }
        if (how_ != loss_reduction::none) to[0] = static_cast<T>(how_ == loss_reduction::sum ? sum : sum / weight_sum);
    }

    loss_input from_;
    loss_reduction how_;
    std::optional<std::int64_t> ignored_;
};
static_assert(graph_operation<classification_loss>);

}  // namespace fanfold::inline FANFOLD_ABI
