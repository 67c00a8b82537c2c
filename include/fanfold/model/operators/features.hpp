// fanfold/model/operators/features.hpp - linear models, and what prepares rows of features.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>        // std::abs, std::sqrt
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../operation.hpp"
#include "classical.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// One number for all features, or one for each.
[[nodiscard]] inline double of_feature(const std::vector<double>& values, std::size_t feature, double otherwise) {
    return values.empty() ? otherwise : values[values.size() == 1 ? 0 : feature];
}
inline void expect_each(const std::vector<double>& values, const argument& x) {
    const symbolic_shape& s = x.shape;
    if (values.size() > 1 && s.ranked() && !may_equal(s[s.rank() - 1], static_cast<std::int64_t>(values.size())))
        refuse(std::to_string(values.size()) + " features", x.text());
}
inline void check_each(const std::vector<double>& values, const tensor_view& x) {
    if (values.size() > 1 && x.extent(x.rank() - 1) != static_cast<std::int64_t>(values.size()))
        refuse(std::to_string(values.size()) + " features", describe(x));
}

}  // namespace detail

/// (x - offset) * scale, with one number for all features or one for each.
///
/// shapes   features [N, F] -> float32 [N, F]
/// source   ONNX-ML Scaler-1
class feature_scaler {
public:
    feature_scaler(std::vector<double> offset, std::vector<double> scale)
        : offset_(std::move(offset)), scale_(std::move(scale)) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Scaler"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_features(in[0]);
        detail::expect_each(offset_, in[0]);
        detail::expect_each(scale_, in[0]);
        return {{element::float32, in[0].shape}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        detail::check_each(offset_, in[0]);
        detail::check_each(scale_, in[0]);
        float* to = out[0].as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            for (std::size_t i = 0; i < row.size(); ++i)
                *to++ =
                    static_cast<float>((row[i] - detail::of_feature(offset_, i, 0)) * detail::of_feature(scale_, i, 1));
        });
    }

private:
    std::vector<double> offset_;
    std::vector<double> scale_;
};
static_assert(graph_operation<feature_scaler>);

/// What a row is divided by.
enum class row_norm { maximum, absolute_sum, length };

/// Each row divided by its norm; as it is where that is 0.
///
/// shapes   features [N, F] -> float32 [N, F]
/// source   ONNX-ML Normalizer-1
class feature_normalizer {
public:
    explicit feature_normalizer(row_norm norm) : norm_(norm) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Normalizer"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_features(in[0]);
        return {{element::float32, in[0].shape}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        float* to = out[0].as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            double norm = norm_ == row_norm::maximum ? row[0] : 0;
            for (const double x : row) {
                if (norm_ == row_norm::maximum)
                    norm = x > norm ? x : norm;
                else
                    norm += norm_ == row_norm::length ? x * x : std::abs(x);
            }
            if (norm_ == row_norm::length) norm = std::sqrt(norm);
            for (const double x : row) *to++ = static_cast<float>(norm == 0 ? x : x / norm);
        });
    }

private:
    row_norm norm_;
};
static_assert(graph_operation<feature_normalizer>);

/// 1 where x exceeds the threshold, else 0, in the type of x.
///
/// source   ONNX-ML Binarizer-1
class binarizer {
public:
    static constexpr bool elementwise = true;

    explicit binarizer(double threshold) : threshold_(threshold) {}

    [[nodiscard]] std::string_view name() const noexcept { return "Binarizer"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        argument flat = in[0];
        flat.shape = symbolic_shape::unknown();
        detail::expect_features(flat);
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::with_features(in[0].type(), [&]<class T>(T) {
            const auto from = in[0].as<T>().flat();
            const auto to = out[0].as<T>().flat();
            for (std::size_t i = 0; i < to.size(); ++i)
                to[i] = static_cast<T>(static_cast<double>(from[i]) > threshold_ ? 1 : 0);
        });
    }

private:
    double threshold_;
};
static_assert(graph_operation<binarizer>);

/// x, but where it is the value that stands for a missing one: there what is imputed, for all features or each.
///
/// shapes   features [N, F] -> the same
/// source   ONNX-ML Imputer-1
class imputer {
public:
    imputer(std::vector<double> imputed, double replaced) : imputed_(std::move(imputed)), replaced_(replaced) {
        if (imputed_.empty()) detail::refuse("values to impute", "none");
    }

    [[nodiscard]] std::string_view name() const noexcept { return "Imputer"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 1);
        detail::expect_features(in[0]);
        detail::expect_each(imputed_, in[0]);
        return {in[0]};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        detail::check_each(imputed_, in[0]);
        const auto columns = static_cast<std::size_t>(in[0].extent(in[0].rank() - 1));
        detail::with_features(in[0].type(), [&]<class T>(T) {
            const auto from = in[0].as<T>().flat();
            const auto to = out[0].as<T>().flat();
            for (std::size_t i = 0; i < to.size(); ++i) {
                const auto x = static_cast<double>(from[i]);
                const bool gone = replaced_ != replaced_ ? x != x : x == replaced_;
                to[i] = gone ? static_cast<T>(detail::of_feature(imputed_, i % columns, 0)) : from[i];
            }
        });
    }

private:
    std::vector<double> imputed_;
    double replaced_;
};
static_assert(graph_operation<imputer>);

/// The features that input 1 lists.
///
/// shapes   any type [.., F], int64 [K] or [1, K] -> [.., K]; [F] as [1, F]
/// source   ONNX-ML ArrayFeatureExtractor-1
class feature_extractor {
public:
    [[nodiscard]] std::string_view name() const noexcept { return "ArrayFeatureExtractor"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        detail::expect_inputs(in, 2);
        if (in[1].type != element::int64) detail::refuse("places in int64", in[1].text());
        symbolic_shape out = in[0].shape;
        if (!out.ranked()) return {{in[0].type, out}};
        if (out.rank() == 0) detail::refuse("features [.., F]", in[0].text());
        if (out.rank() == 1) out = {1, out[0]};
        out[out.rank() - 1] = in[1].shape.ranked() ? in[1].shape.volume() : extent::unknown();
        return {{in[0].type, out}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto places = in[1].as<std::int64_t>().flat();
        const std::int64_t columns = in[0].extent(in[0].rank() - 1);
        for (const std::int64_t place : places)
            if (place < 0 || place >= columns)
                detail::refuse("features below " + std::to_string(columns), std::to_string(place));
        visit_width(in[0].type(), [&]<class Word>(Word) {
            const auto* from = reinterpret_cast<const Word*>(in[0].data());
            auto* to = reinterpret_cast<Word*>(out[0].data());
            for (std::size_t left = out[0].size(); left != 0; left -= places.size(), from += columns)
                for (const std::int64_t place : places) *to++ = from[place];
        });
    }
};
static_assert(graph_operation<feature_extractor>);

/// Scores of rows of features: x times coefficients, plus intercepts; with labels, the label of the greatest in front.
///
/// shapes   features [N, F], coefficients [scores, F] -> float32 [N, scores]; with labels int64 [N] before it
/// source   ONNX-ML LinearRegressor-1, LinearClassifier-1
class linear_model {
public:
    linear_model(std::vector<double> coefficients, std::vector<double> intercepts, std::int64_t scores,
                 score_transform transform, std::vector<std::int64_t> labels = {})
        : coefficients_(std::move(coefficients)),
          intercepts_(std::move(intercepts)),
          labels_(std::move(labels)),
          scores_(scores),
          transform_(transform) {
        const auto count = static_cast<std::size_t>(scores < 1 ? 1 : scores);
        if (scores < 1 || coefficients_.empty() || coefficients_.size() % count != 0 ||
            (!intercepts_.empty() && intercepts_.size() != count) || (!labels_.empty() && labels_.size() != count))
            detail::refuse("coefficients, intercepts and labels for " + std::to_string(scores) + " scores",
                           std::to_string(coefficients_.size()) + ", " + std::to_string(intercepts_.size()) + " and " +
                               std::to_string(labels_.size()));
        features_ = static_cast<std::int64_t>(coefficients_.size() / count);
    }

    [[nodiscard]] std::string_view name() const noexcept {
        return labels_.empty() ? "LinearRegressor" : "LinearClassifier";
    }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const extent rows = detail::rows_with(in, features_);
        const value_type scores{element::float32, {rows, scores_}};
        if (labels_.empty()) return {scores};
        return {{element::int64, {rows}}, scores};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out.back().size() == 0) return;
        detail::check_features(in[0], features_);
        std::vector<double> scores(static_cast<std::size_t>(scores_));
        float* to = out.back().as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t n, std::span<const double> row) {
            const double* weight = coefficients_.data();
            std::size_t best = 0;
            for (std::size_t s = 0; s < scores.size(); ++s) {
                double sum = intercepts_.empty() ? 0 : intercepts_[s];
                for (std::int64_t i = 0; i < features_; ++i) sum += *weight++ * row[static_cast<std::size_t>(i)];
                scores[s] = sum;
                if (sum > scores[best]) best = s;
            }
            if (!labels_.empty()) out[0].as<std::int64_t>().data()[n] = labels_[best];
            detail::transform_scores(transform_, scores);
            for (const double score : scores) *to++ = static_cast<float>(score);
        });
    }

private:
    std::vector<double> coefficients_;
    std::vector<double> intercepts_;
    std::vector<std::int64_t> labels_;
    std::int64_t scores_;
    std::int64_t features_ = 0;
    score_transform transform_;
};
static_assert(graph_operation<linear_model>);

}  // namespace fanfold::inline FANFOLD_ABI
