// tests/onnx/operators/features.cpp - attributes of prepared features and linear models.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/features.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

TEST_CASE("features step by step") {
    const auto step = [](const char* op, std::vector<attribute> attributes, std::vector<std::string> inputs = {"x"}) {
        const auto g = load(model_file{1,
                                       {node(op, inputs, {"y"}, attributes, "step", "ai.onnx.ml")},
                                       {value("x", {N, d(2)})},
                                       {undeclared("y")},
                                       {tensor("i", ints{1})}});
        return run(g, {fanfold::tensor::of<float>({1, 2}, {3, 4})}, 1)[0];
    };
    CHECK(difference(step("Scaler", {{"offset", floats{1, 2}}, {"scale", floats{2}}}), {4, 4}) == 0);
    CHECK(difference(step("Normalizer", {{"norm", std::string("L2")}}), {0.6, 0.8}) < 1e-6);
    CHECK(difference(step("Binarizer", {{"threshold", 3.0F}}), {0, 1}) == 0);
    CHECK(difference(step("Imputer", {{"imputed_value_floats", floats{9}}, {"replaced_value_float", 3.0F}}), {9, 4}) ==
          0);
    CHECK(difference(step("ArrayFeatureExtractor", {}, {"x", "i"}), {4}) == 0);
    CHECK(difference(step("LinearRegressor", {{"coefficients", floats{1, 2}}, {"intercepts", floats{5}}}), {16}) == 0);
}
