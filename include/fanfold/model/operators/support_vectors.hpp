// fanfold/model/operators/support_vectors.hpp - support vector machines: numbers, and labels by the votes of pairs.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::clamp, std::fill, std::max
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <memory>       // std::shared_ptr
#include <span>         // std::span
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../../kernel/support_vectors.hpp"
#include "../operation.hpp"
#include "classical.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What becomes of the number of one row: as it is, or 1 where it is positive, else -1.
enum class svm_answer { number, side };

/// The kernel with each support vector, times its coefficient, summed up, plus rho.
///
/// shapes   features [N, F] -> float32 [N, 1]
/// source   ONNX-ML SVMRegressor-1
class svm_regressor {
public:
    svm_regressor(kernel::support_vectors vectors, std::vector<double> coefficients, double rho, svm_answer answer)
        : vectors_(std::make_shared<const kernel::support_vectors>(std::move(vectors))),
          coefficients_(std::move(coefficients)),
          rho_(rho),
          answer_(answer) {
        if (coefficients_.size() != vectors_->size())
            detail::refuse("as many coefficients as support vectors, " + std::to_string(vectors_->size()),
                           std::to_string(coefficients_.size()));
    }

    [[nodiscard]] std::string_view name() const noexcept { return "SVMRegressor"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        return {{element::float32, {detail::rows_with(in, static_cast<std::int64_t>(vectors_->features())), 1}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[0].size() == 0) return;
        detail::check_features(in[0], static_cast<std::int64_t>(vectors_->features()));
        std::vector<double> alike(vectors_->size());
        float* to = out[0].as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            (*vectors_)(row.data(), alike);
            double sum = rho_;
            for (std::size_t v = 0; v < alike.size(); ++v) sum += coefficients_[v] * alike[v];
            *to++ = answer_ == svm_answer::number ? static_cast<float>(sum) : sum > 0 ? 1.0F : -1.0F;
        });
    }
    [[nodiscard]] std::size_t weight_bytes() const { return vectors_->bytes(); }

private:
    std::shared_ptr<const kernel::support_vectors> vectors_;
    std::vector<double> coefficients_;
    double rho_;
    svm_answer answer_;
};
static_assert(graph_operation<svm_regressor>);

/// How pairs of k classes are told apart; pairs in the order (0, 1), (0, 2) .. (1, 2) ..
struct svm_pairs {
    std::vector<std::int64_t> vectors_per_class;  ///< support vectors stand class by class
    std::vector<double> coefficients;             ///< [k - 1, vectors]: of a vector, against each other class
    std::vector<double> rho;                      ///< of each pair
    std::vector<double> a{};                      ///< of each pair, for probabilities; empty: none are asked for
    std::vector<double> b{};
};

/// The label that wins most pairs, the first of equal ones, and scores: with `a` and `b` the probability of each label;
/// without, the number of each pair, positive for its first label, or of one pair alone that number negative and as is.
///
/// shapes   features [N, F] -> int64 [N], float32 [N, k or pairs, at least 2]
/// source   ONNX-ML SVMClassifier-1; Chang & Lin 2011, LIBSVM, 4.1.2 and 8
class svm_classifier {
public:
    svm_classifier(kernel::support_vectors vectors, svm_pairs pairs, score_transform transform,
                   std::vector<std::int64_t> labels)
        : vectors_(std::make_shared<const kernel::support_vectors>(std::move(vectors))),
          of_(std::move(pairs)),
          labels_(std::move(labels)),
          transform_(transform) {
        const std::size_t k = labels_.size(), count = vectors_->size(), between = k * (k - (k == 0 ? 0 : 1)) / 2;
        if (k < 2) detail::refuse("2 labels or more", std::to_string(k));
        if (of_.vectors_per_class.size() != k)
            detail::refuse("vectors of " + std::to_string(k) + " classes",
                           std::to_string(of_.vectors_per_class.size()));
        starts_.push_back(0);
        for (const std::int64_t each : of_.vectors_per_class) {
            if (each < 0 || static_cast<std::size_t>(each) > count - starts_.back())
                detail::refuse("classes with " + std::to_string(count) + " support vectors in all",
                               "one with " + std::to_string(each));
            starts_.push_back(starts_.back() + static_cast<std::size_t>(each));
        }
        if (starts_.back() != count)
            detail::refuse("classes with " + std::to_string(count) + " support vectors in all",
                           std::to_string(starts_.back()));
        if (of_.coefficients.size() != (k - 1) * count)
            detail::refuse(std::to_string((k - 1) * count) + " coefficients, " + std::to_string(k - 1) + " a vector",
                           std::to_string(of_.coefficients.size()));
        expect_pairs("rho", of_.rho, between);
        if (of_.a.empty() && of_.b.empty()) {
            if (k == 2 && transform_ != score_transform::none && transform_ != score_transform::logistic)
                detail::refuse("no transform but LOGISTIC for two labels without probabilities", "another one");
            return;
        }
        expect_pairs("prob_a", of_.a, between);
        expect_pairs("prob_b", of_.b, between);
    }

    [[nodiscard]] std::string_view name() const noexcept { return "SVMClassifier"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const {
        const extent rows = detail::rows_with(in, static_cast<std::int64_t>(vectors_->features()));
        const std::size_t scores = !of_.a.empty() ? labels_.size() : std::max<std::size_t>(of_.rho.size(), 2);
        return {{element::int64, {rows}}, {element::float32, {rows, static_cast<std::int64_t>(scores)}}};
    }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace& space) const {
        if (out[1].size() == 0) return;
        detail::check_features(in[0], static_cast<std::int64_t>(vectors_->features()));
        const std::size_t k = labels_.size();
        std::vector<double> alike(vectors_->size()), decisions(std::max<std::size_t>(of_.rho.size(), 2)),
            against(k * k), scores(k), scratch(k * k + k);
        std::vector<std::int64_t> votes(k);
        std::int64_t* label = out[0].as<std::int64_t>().data();
        float* to = out[1].as<float>().data();
        detail::for_each_features(in[0], space.stop, [&](std::size_t, std::span<const double> row) {
            (*vectors_)(row.data(), alike);
            decide(alike, decisions, votes);
            std::size_t best = 0;
            for (std::size_t i = 1; i < k; ++i)
                if (votes[i] > votes[best]) best = i;
            *label++ = labels_[best];
            if (of_.a.empty()) {
                if (k == 2) decisions[1] = decisions[0], decisions[0] = -decisions[0];
                detail::transform_scores(transform_, decisions);
                for (const double score : decisions) *to++ = static_cast<float>(score);
                return;
            }
            for (std::size_t i = 0, pair = 0; i < k; ++i)
                for (std::size_t j = i + 1; j < k; ++j, ++pair) {
                    const double p = 1 - detail::logistic(decisions[pair] * of_.a[pair] + of_.b[pair]);
                    against[i * k + j] = std::clamp(p, 1e-7, 1 - 1e-7);
                    against[j * k + i] = 1 - against[i * k + j];
                }
            kernel::couple_pairs(against, scores, scratch);
            detail::transform_scores(transform_, scores);
            for (const double score : scores) *to++ = static_cast<float>(score);
        });
    }
    [[nodiscard]] std::size_t weight_bytes() const { return vectors_->bytes(); }

private:
    static void expect_pairs(const char* what, const std::vector<double>& values, std::size_t between) {
        if (values.size() != between)
            detail::refuse(std::to_string(between) + " numbers of " + what + ", one a pair of labels",
                           std::to_string(values.size()));
    }

    /// The number of each pair, and how many pairs each class wins.
    void decide(std::span<const double> alike, std::span<double> decisions, std::span<std::int64_t> votes) const {
        std::fill(votes.begin(), votes.end(), 0);
        const std::size_t k = labels_.size(), count = vectors_->size();
        for (std::size_t i = 0, pair = 0; i < k; ++i)
            for (std::size_t j = i + 1; j < k; ++j, ++pair) {
                double sum = 0;
                const double* against_j = of_.coefficients.data() + (j - 1) * count;
                const double* against_i = of_.coefficients.data() + i * count;
                for (std::size_t v = starts_[i]; v < starts_[i + 1]; ++v) sum += against_j[v] * alike[v];
                for (std::size_t v = starts_[j]; v < starts_[j + 1]; ++v) sum += against_i[v] * alike[v];
                decisions[pair] = sum + of_.rho[pair];
                ++votes[decisions[pair] > 0 ? i : j];
            }
    }

    std::shared_ptr<const kernel::support_vectors> vectors_;
    svm_pairs of_;
    std::vector<std::size_t> starts_{};  ///< of each class's vectors, and where the last one ends
    std::vector<std::int64_t> labels_;
    score_transform transform_;
};
static_assert(graph_operation<svm_classifier>);

}  // namespace fanfold::inline FANFOLD_ABI
