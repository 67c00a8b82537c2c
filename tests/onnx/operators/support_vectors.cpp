// tests/onnx/operators/support_vectors.cpp - attributes of support vector machines.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/onnx/operators/support_vectors.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file with(const char* op, std::vector<attribute> attributes, std::vector<std::string> outputs) {
    std::vector<std::string> declared;
    for (const std::string& output : outputs) declared.push_back(undeclared(output));
    return {13, {node(op, {"x"}, outputs, attributes, "svm", "ai.onnx.ml")}, {value("x", {N, d(2)})}, declared, {}, 1};
}
const attribute kernel{"kernel_type", std::string("RBF")}, parameters{"kernel_params", floats{0.5F, 0, 3}};

std::vector<attribute> machine(const attribute& labels) {
    return {kernel,
            parameters,
            labels,
            {"support_vectors", floats{0, 0, 1, 0}},
            {"vectors_per_class", ints{1, 1}},
            {"coefficients", floats{2, -2}},
            {"rho", floats{0.25F}}};
}
const fanfold::tensor x = fanfold::tensor::of<float>({2, 2}, {0, 0, 1, 1});
const double half = std::exp(-0.5), one = std::exp(-1.0);

}  // namespace

TEST_CASE("a regression by each kernel that ONNX-ML names") {
    const auto answers = [](const char* name) {
        return run(load(with("SVMRegressor",
                             {{"kernel_type", std::string(name)},
                              parameters,
                              {"support_vectors", floats{0, 0, 1, 0}},
                              {"n_supports", std::int64_t{2}},
                              {"coefficients", floats{2, -2}},
                              {"rho", floats{0.25F}}},
                             {"y"})),
                   {x}, 2)[0];
    };
    CHECK(difference(answers("LINEAR"), {0.25, -1.75}) < 1e-6);
    CHECK(difference(answers("POLY"), {0.25, 0.25 - 2 * 0.125}) < 1e-6);
    CHECK(difference(answers("RBF"), {2.25 - 2 * half, 0.25 + 2 * one - 2 * half}) < 1e-6);
    CHECK(difference(answers("SIGMOID"), {0.25, 0.25 - 2 * std::tanh(0.5)}) < 1e-6);
}

TEST_CASE("without support vectors a machine is linear; one class is told from all others by its sign") {
    const auto answers = [](std::int64_t one_class) {
        return run(
            load(with(
                "SVMRegressor",
                {kernel, parameters, {"coefficients", floats{1, -3}}, {"rho", floats{0.25F}}, {"one_class", one_class}},
                {"y"})),
            {x}, 2)[0];
    };
    CHECK(difference(answers(0), {0.25, -1.75}) == 0);
    CHECK(difference(answers(1), {1, -1}) == 0);
    const auto y = run(
        load(with(
            "SVMClassifier",
            {{"classlabels_ints", ints{5, 6, 7}}, {"coefficients", floats{1, 0, 0, 2, -1, -1}}, {"rho", floats{0.5F}}},
            {"label", "scores"})),
        {x}, 2);
    CHECK(y[0].as<std::int64_t>().flat()[0] == 5);
    CHECK(y[0].as<std::int64_t>().flat()[1] == 6);
    CHECK(difference(y[1], {0.5, 0.5, 0.5, 1.5, 2.5, -1.5}) == 0);
}

TEST_CASE("a classifier with labels that are numbers or strings, with and without probabilities") {
    const double first = 2 - 2 * half + 0.25, second = 2 * one - 2 * half + 0.25;
    const auto g =
        load(with("SVMClassifier", machine({"classlabels_strings", texts{"in", "out"}}), {"label", "scores"}));
    CHECK(g.categories(0)[1] == "out");
    const auto y = run(g, {x}, 2);
    CHECK(y[0].as<std::int64_t>().flat()[0] == 0);
    CHECK(y[0].as<std::int64_t>().flat()[1] == 1);
    CHECK(difference(y[1], {-first, first, -second, second}) < 1e-6);

    std::vector<attribute> sure = machine({"classlabels_ints", ints{3, 4}});
    sure.push_back({"prob_a", floats{-2}});
    sure.push_back({"prob_b", floats{0}});
    const auto p = run(load(with("SVMClassifier", sure, {"label", "scores"})), {x}, 2);
    CHECK(p[0].as<std::int64_t>().flat()[0] == 3);
    const double a = 1 / (1 + std::exp(-2 * first)), b = 1 / (1 + std::exp(-2 * second));
    CHECK(difference(p[1], {a, 1 - a, b, 1 - b}) < 0.003);
}

TEST_CASE("machines whose attributes do not fit are refused by name") {
    const auto complain = [](std::size_t changed, attribute by) {
        std::vector<attribute> attributes = machine({"classlabels_ints", ints{3, 4}});
        attributes[changed] = std::move(by);
        return complaint(with("SVMClassifier", attributes, {"label", "scores"}));
    };
    CHECK_THAT(complain(0, {"kernel_type", std::string("COSINE")}), Contains("'COSINE'"));
    CHECK_THAT(complain(1, {"kernel_params", floats{1}}),
               Contains("node 'svm' (SVMClassifier, opset 1): expected attribute 'kernel_params' of gamma, coef0 and "
                        "degree, got 1 numbers"));
    CHECK_THAT(complain(2, {"classlabels_ints", ints{}}), Contains("'classlabels_strings', got none"));
    CHECK_THAT(complain(2, {"classlabels_ints", ints{1, 2, 3}}), Contains("expected vectors of 3 classes, got 2"));
    CHECK_THAT(complain(3, {"support_vectors", floats{1, 2, 3}}), Contains("expected values for 2 vectors, got 3"));
    CHECK_THAT(complain(3, {"support_vectors", floats{1, 2, 3, 4, 5, 6}}),
               Contains("expected at least 3 features, got float32 [N, 2]"));
    CHECK_THAT(complain(4, {"vectors_per_class", ints{3, -1}}), Contains("got -1 of one class"));
    CHECK_THAT(complain(5, {"coefficients", floats{1}}), Contains("expected 2 coefficients, 1 a vector, got 1"));
    CHECK_THAT(complain(6, {"rho", floats{}}), Contains("expected 1 numbers of rho"));
    CHECK_THAT(complaint(with("SVMRegressor", {{"coefficients", floats{1, 2}}}, {"y"})),
               Contains("expected attribute 'rho', got none"));
    CHECK_THAT(complaint(with("SVMRegressor",
                              {kernel, parameters, {"n_supports", std::int64_t{-1}}, {"rho", floats{1}}}, {"y"})),
               Contains("attribute 'n_supports': expected 0 to 2^30, got -1"));
    CHECK_THAT(complaint(with("SVMRegressor", {{"post_transform", std::string("SOFTMAX")}}, {"y"})),
               Contains("attribute 'post_transform': expected NONE"));
}
