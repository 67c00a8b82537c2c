// fanfold/model/operators/classical.hpp - trees, linear models and what prepares rows of features for them.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>        // std::exp, std::sqrt
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <memory>       // std::shared_ptr
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/tree_ensemble.hpp"
#include "../operation.hpp"
#include "expect.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What becomes of the scores of one row.
enum class score_transform { none, logistic, softmax, softmax_zero, probit };

namespace detail {

inline void expect_features(const argument& x) {
    const bool typed = x.type == element::float32 || x.type == element::float64 || x.type == element::int32 ||
                       x.type == element::int64;
    if (!typed || (x.shape.ranked() && (x.shape.rank() < 1 || x.shape.rank() > 2)))
        refuse("features [N, F] of float32, float64, int32 or int64", x.text());
}
/// N of features [N, F]; 1 of [F].
[[nodiscard]] inline extent rows_of(const symbolic_shape& x) {
    return !x.ranked() ? extent::unknown() : x.rank() == 2 ? x[0] : extent(1);
}
/// N, when the features are enough.
[[nodiscard]] inline extent rows_with(std::span<const argument> in, std::int64_t features) {
    expect_inputs(in, 1);
    expect_features(in[0]);
    const symbolic_shape& x = in[0].shape;
    if (x.ranked() && x[x.rank() - 1].constant() && x[x.rank() - 1].fixed < features)
        refuse("at least " + std::to_string(features) + " features", in[0].text());
    return rows_of(x);
}
inline void check_features(const tensor_view& x, std::int64_t features) {
    if (x.extent(x.rank() - 1) < features) refuse("at least " + std::to_string(features) + " features", describe(x));
}
/// Calls f with the type of the features' elements.
template <class F>
void with_features(element type, F&& f) {
    switch (type) {
        case element::float64: return f(double{});
        case element::int32: return f(std::int32_t{});
        case element::int64: return f(std::int64_t{});
        default: return f(float{});
    }
}
/// Calls f(row, features as doubles) for each row of [N, F] or [F]; polls before each.
template <class F>
void for_each_features(const tensor_view& x, const stop& stopping, F&& f) {
    const auto columns = static_cast<std::size_t>(x.extent(x.rank() - 1));
    std::vector<double> row(columns);
    with_features(x.type(), [&]<class T>(T) {
        const auto values = x.as<T>().flat();
        for (std::size_t at = 0, n = 0; at + columns <= values.size() && columns != 0; at += columns, ++n) {
            stopping.check();
            for (std::size_t i = 0; i < columns; ++i) row[i] = static_cast<double>(values[at + i]);
            f(n, std::span<const double>(row));
        }
    });
}

/// x with P(X <= x) = (1 + p) / 2 of a normal distribution with variance 1/2: the inverse of erf.
/// source   Winitzki 2008, as the standard's own runtime has it
[[nodiscard]] inline double inverse_erf(double p) {
    const double sign = p < 0 ? -1 : 1, log = std::log((1 - p) * (1 + p));
    const double v = 2 / (3.14159 * 0.147) + 0.5 * log;
    return sign * std::sqrt(-v + std::sqrt(v * v - log / 0.147));
}
[[nodiscard]] inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

inline void transform_scores(score_transform how, std::span<double> scores) {
    switch (how) {
        case score_transform::none: return;
        case score_transform::logistic:
            for (double& s : scores) s = logistic(s);
            return;
        case score_transform::probit:
            for (double& s : scores) s = std::sqrt(2.0) * inverse_erf(2 * s - 1);
            return;
        case score_transform::softmax:
        case score_transform::softmax_zero: break;
    }
    const bool keeps_zeros = how == score_transform::softmax_zero;
    const auto zero = [](double s) { return std::abs(s) <= 1e-7; };
    double most = scores.empty() ? 0 : scores[0], sum = 0;
    for (const double s : scores) most = s > most ? s : most;
    for (double& s : scores) {
        if (keeps_zeros && zero(s)) continue;
        s = std::exp(s - most);
        sum += s;
    }
    if (sum == 0) return;
    for (double& s : scores) s /= sum;
}

}  // namespace detail

/// Numbers from trees.
///
/// shapes   features [N, F] -> float32 [N, targets]
/// source   ONNX-ML TreeEnsembleRegressor-1, TreeEnsembleRegressor-3
class tree_regressor {
public:
    tree_regressor(kernel::tree_ensemble trees, std::vector<double> base, score_transform transform)
        : trees_(std::make_shared<const kernel::tree_ensemble>(std::move(trees))),
          base_(std::move(base)),
          transform_(transform) {
        if (!base_.empty() && base_.size() != static_cast<std::size_t>(trees_->scores()))
            detail::refuse("as many base values as targets, " + std::to_string(trees_->scores()),
                           std::to_string(base_.size()));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "TreeEnsembleRegressor"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return {{element::float32, {detail::rows_with(in, trees_->features()), trees_->scores()}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        detail::check_features(in[0], trees_->features());
        std::vector<double> scores(static_cast<std::size_t>(trees_->scores()));
        float* to = out[0].as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            (*trees_)(row.data(), scores);
            for (std::size_t i = 0; i < base_.size(); ++i) scores[i] += base_[i];
            detail::transform_scores(transform_, scores);
            for (const double score : scores) *to++ = static_cast<float>(score);
        });
    }
    [[nodiscard]] std::size_t weight_bytes() const { return trees_->bytes(); }

private:
    std::shared_ptr<const kernel::tree_ensemble> trees_;
    std::vector<double> base_;
    score_transform transform_;
};
static_assert(graph_operation<tree_regressor>);

/// The label with the greatest score, and the scores. With two labels and one score, the score is the second label's.
///
/// shapes   features [N, F] -> int64 [N], float32 [N, labels]
/// source   ONNX-ML TreeEnsembleClassifier-1, TreeEnsembleClassifier-3
class tree_classifier {
public:
    /// The ensemble has one score for each label, or one for the second of two.
    tree_classifier(kernel::tree_ensemble trees, std::vector<double> base, score_transform transform,
                    std::vector<std::int64_t> labels)
        : trees_(std::make_shared<const kernel::tree_ensemble>(std::move(trees))),
          base_(std::move(base)),
          transform_(transform),
          labels_(std::move(labels)),
          positive_(trees_->positive()) {
        const auto scores = static_cast<std::size_t>(trees_->scores());
        const bool binary = scores == 1 && labels_.size() == 2;
        if ((!binary && scores != labels_.size()) || (!base_.empty() && base_.size() != scores && !binary))
            detail::refuse("as many labels and base values as scores, " + std::to_string(scores),
                           std::to_string(labels_.size()) + " and " + std::to_string(base_.size()));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "TreeEnsembleClassifier"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const extent rows = detail::rows_with(in, trees_->features());
        return {{element::int64, {rows}}, {element::float32, {rows, static_cast<std::int64_t>(labels_.size())}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[1].size() == 0) return;
        detail::check_features(in[0], trees_->features());
        std::vector<double> scores(labels_.size());
        const bool binary = trees_->scores() == 1 && labels_.size() == 2;
        float* to = out[1].as<float>().data();
        std::int64_t* label = out[0].as<std::int64_t>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            if (binary) {
                (*trees_)(row.data(), std::span(scores).first(1));
                *label++ = two(scores);
            } else {
                (*trees_)(row.data(), scores);
                for (std::size_t i = 0; i < base_.size(); ++i) scores[i] += base_[i];
                std::size_t best = 0;
                for (std::size_t i = 1; i < scores.size(); ++i)
                    if (scores[i] > scores[best]) best = i;
                *label++ = labels_[best];
                detail::transform_scores(transform_, scores);
            }
            for (const double score : scores) *to++ = static_cast<float>(score);
        });
    }
    [[nodiscard]] std::size_t weight_bytes() const { return trees_->bytes(); }

private:
    /// Makes two scores of one: a probability where no weight is negative, else a margin.
    [[nodiscard]] std::int64_t two(std::vector<double>& scores) const {
        const double p = scores[0] + (base_.empty() ? 0 : base_.back());
        const std::int64_t label = labels_[p > (positive_ ? 0.5 : 0.0) ? 1 : 0];
        if (transform_ == score_transform::probit) {
            scores = {-p, p};
            detail::transform_scores(transform_, scores);
        } else if (positive_) {
            scores = {1 - p, p};
        } else if (transform_ == score_transform::logistic) {
            scores = {detail::logistic(-p), detail::logistic(p)};
        } else {
            scores = {-p, p};
        }
        return label;
    }

    std::shared_ptr<const kernel::tree_ensemble> trees_;
    std::vector<double> base_;
    score_transform transform_;
    std::vector<std::int64_t> labels_;
    bool positive_;
};
static_assert(graph_operation<tree_classifier>);

}  // namespace fanfold::inline FANFOLD_ABI
