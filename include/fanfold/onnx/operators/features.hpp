// fanfold/onnx/operators/features.hpp - linear models and preparation of features, of the domain ai.onnx.ml.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <stdexcept>    // std::invalid_argument
#include <string_view>  // std::string_view
#include <utility>      // std::pair
#include <vector>       // std::vector

#include "../../model/operators/features.hpp"
#include "../node.hpp"
#include "classical.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX-ML Scaler-1
inline void import_scaler(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(feature_scaler(detail::list_of_reals(node, "offset"), detail::list_of_reals(node, "scale")),
                node.inputs());
}

/// source   ONNX-ML Normalizer-1
inline void import_normalizer(node_import& node) {
    node.expect_inputs(1, 1);
    using enum row_norm;
    static constexpr std::array<std::pair<std::string_view, row_norm>, 3> all{
        {{"MAX", maximum}, {"L1", absolute_sum}, {"L2", length}}};
    node.answer(feature_normalizer(detail::choice(node, "norm", "MAX", all)), node.inputs());
}

/// source   ONNX-ML Binarizer-1
inline void import_binarizer(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(binarizer(static_cast<double>(node.real("threshold", 0))), node.inputs());
}

/// source   ONNX-ML Imputer-1
inline void import_imputer(node_import& node) {
    node.expect_inputs(1, 1);
    std::vector<double> imputed = detail::list_of_reals(node, "imputed_value_floats");
    auto replaced = static_cast<double>(node.real("replaced_value_float", 0));
    const std::int64_t replaced_integer = node.integer("replaced_value_int64", 0);
    if (const std::vector<std::int64_t>* integers = node.integers("imputed_value_int64s")) {
        for (const std::int64_t one : *integers) imputed.push_back(static_cast<double>(one));
        replaced = static_cast<double>(replaced_integer);
    }
    node.answer(imputer(std::move(imputed), replaced), node.inputs());
}

/// source   ONNX-ML ArrayFeatureExtractor-1
inline void import_feature_extractor(node_import& node) {
    node.expect_inputs(2, 2);
    node.moves_strings();
    node.answer(feature_extractor(), node.inputs());
}

/// source   ONNX-ML LinearRegressor-1
inline void import_linear_regressor(node_import& node) {
    node.expect_inputs(1, 1);
    node.answer(linear_model(detail::list_of_reals(node, "coefficients"), detail::list_of_reals(node, "intercepts"),
                             node.integer("targets", 1), detail::read_transform(node)),
                node.inputs());
}

/// source   ONNX-ML LinearClassifier-1
inline void import_linear_classifier(node_import& node) {
    node.expect_inputs(1, 1);
    detail::class_labels labels = detail::read_labels(node, "classlabels_ints", "classlabels_strings");
    node.ignore_attribute("multi_class");
    const linear_model op(detail::list_of_reals(node, "coefficients"), detail::list_of_reals(node, "intercepts"),
                          static_cast<std::int64_t>(labels.numbers.size()), detail::read_transform(node),
                          labels.numbers);
    detail::answer_labels(node, op, std::move(labels));
}

inline constexpr std::array feature_operators{
    operator_entry{"Scaler", 1, 5, &import_scaler, "ai.onnx.ml"},
    operator_entry{"Normalizer", 1, 5, &import_normalizer, "ai.onnx.ml"},
    operator_entry{"Binarizer", 1, 5, &import_binarizer, "ai.onnx.ml"},
    operator_entry{"Imputer", 1, 5, &import_imputer, "ai.onnx.ml"},
    operator_entry{"ArrayFeatureExtractor", 1, 5, &import_feature_extractor, "ai.onnx.ml"},
    operator_entry{"LinearRegressor", 1, 5, &import_linear_regressor, "ai.onnx.ml"},
    operator_entry{"LinearClassifier", 1, 5, &import_linear_classifier, "ai.onnx.ml"}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
