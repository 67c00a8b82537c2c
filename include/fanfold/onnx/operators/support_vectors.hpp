// fanfold/onnx/operators/support_vectors.hpp - SVMRegressor and SVMClassifier of the domain ai.onnx.ml.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move, std::pair
#include <vector>       // std::vector

#include "../../model/operators/features.hpp"
#include "../../model/operators/support_vectors.hpp"
#include "../node.hpp"
#include "choice.hpp"
#include "classical.hpp"
#include "labels.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

/// `count` vectors, with the kernel that the node names.
[[nodiscard]] inline kernel::support_vectors read_vectors(node_import& node, std::size_t count) {
    using enum kernel::vector_kernel;
    static constexpr std::array<std::pair<std::string_view, kernel::vector_kernel>, 4> all{
        {{"LINEAR", linear}, {"POLY", polynomial}, {"RBF", radial}, {"SIGMOID", sigmoid}}};
    const kernel::vector_kernel kind = choice(node, "kernel_type", "LINEAR", all);
    const std::vector<double> given = list_of_reals(node, "kernel_params");
    if (given.size() != 3 && !(kind == linear && given.empty()))
        throw std::invalid_argument("expected attribute 'kernel_params' of gamma, coef0 and degree, got " +
                                    std::to_string(given.size()) + " numbers");
    const auto parameters = given.empty() ? kernel::vector_kernel_parameters{}
                                          : kernel::vector_kernel_parameters{given[0], given[1], given[2]};
    return {list_of_reals(node, "support_vectors"), count, kind, parameters};
}
[[nodiscard]] inline double first_rho(const std::vector<double>& rho) {
    if (rho.empty()) throw std::invalid_argument("expected attribute 'rho', got none");
    return rho.front();
}
/// Without support vectors the model is linear, whatever kernel it names.
inline void ignore_kernel(node_import& node) {
    for (const char* name : {"kernel_type", "kernel_params", "support_vectors", "prob_a", "prob_b"})
        node.ignore_attribute(name);
}

}  // namespace detail

/// source   ONNX-ML SVMRegressor-1
inline void import_svm_regressor(node_import& node) {
    node.expect_inputs(1, 1);
    if (detail::read_transform(node) != score_transform::none)
        throw std::invalid_argument("attribute 'post_transform': expected NONE, got another one");
    const std::int64_t count = node.integer("n_supports", 0);
    std::vector<double> coefficients = detail::list_of_reals(node, "coefficients");
    const double rho = detail::first_rho(detail::list_of_reals(node, "rho"));
    const auto answer = node.integer("one_class", 0) != 0 ? svm_answer::side : svm_answer::number;
    if (count < 0 || count > (std::int64_t{1} << 30))
        throw std::invalid_argument("attribute 'n_supports': expected 0 to 2^30, got " + std::to_string(count));
    if (count > 0)
        return node.answer(svm_regressor(detail::read_vectors(node, static_cast<std::size_t>(count)),
                                         std::move(coefficients), rho, answer),
                           {node.input(0)});
    detail::ignore_kernel(node);
    node.answer(svm_regressor({coefficients, 1, kernel::vector_kernel::linear, {}}, {1}, rho, answer), {node.input(0)});
}

/// Without support vectors the first rho belongs to all classes, as ONNX Runtime has it.
///
/// source   ONNX-ML SVMClassifier-1
inline void import_svm_classifier(node_import& node) {
    node.expect_inputs(1, 1);
    detail::class_labels labels = detail::read_labels(node, "classlabels_ints", "classlabels_strings");
    const score_transform transform = detail::read_transform(node);
    svm_pairs pairs{{}, detail::list_of_reals(node, "coefficients"), detail::list_of_reals(node, "rho")};
    if (const auto* counts = node.integers("vectors_per_class")) pairs.vectors_per_class = *counts;
    std::int64_t count = 0;
    for (const std::int64_t each : pairs.vectors_per_class) {
        if (each < 0 || each > (std::int64_t{1} << 30) - count)
            throw std::invalid_argument("attribute 'vectors_per_class': expected 0 to 2^30 vectors in all, got " +
                                        std::to_string(each) + " of one class");
        count += each;
    }
    if (count == 0) {
        detail::ignore_kernel(node);
        const std::vector<double> rho(labels.numbers.size(), detail::first_rho(pairs.rho));
        const linear_model op(std::move(pairs.coefficients), rho, static_cast<std::int64_t>(labels.numbers.size()),
                              transform, labels.numbers);
        return detail::answer_labels(node, op, std::move(labels));
    }
    pairs.a = detail::list_of_reals(node, "prob_a");
    pairs.b = detail::list_of_reals(node, "prob_b");
    const svm_classifier op(detail::read_vectors(node, static_cast<std::size_t>(count)), std::move(pairs), transform,
                            labels.numbers);
    detail::answer_labels(node, op, std::move(labels));
}

inline constexpr std::array support_vector_operators{
    operator_entry{"SVMRegressor", 1, 5, &import_svm_regressor, "ai.onnx.ml"},
    operator_entry{"SVMClassifier", 1, 5, &import_svm_classifier, "ai.onnx.ml"}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
