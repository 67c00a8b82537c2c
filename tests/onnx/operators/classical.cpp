// tests/onnx/operators/classical.cpp - tree ensembles from files.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/onnx/operators/classical.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

/// Tree 0: x0 <= 1 ? 10 : (x1 < 2 ? 20 : 30).
std::vector<attribute> tree(const std::string& leaves, const ints& ids) {
    return {{"nodes_treeids", ints{0, 0, 0, 0, 0}},
            {"nodes_nodeids", ints{0, 1, 2, 3, 4}},
            {"nodes_featureids", ints{0, 0, 1, 0, 0}},
            {"nodes_modes", texts{"BRANCH_LEQ", "LEAF", "BRANCH_LT", "LEAF", "LEAF"}},
            {"nodes_values", floats{1, 0, 2, 0, 0}},
            {"nodes_truenodeids", ints{1, 0, 3, 0, 0}},
            {"nodes_falsenodeids", ints{2, 0, 4, 0, 0}},
            {leaves + "_treeids", ints{0, 0, 0}},
            {leaves + "_nodeids", ints{1, 3, 4}},
            {leaves + "_ids", ids},
            {leaves + "_weights", floats{10, 20, 30}}};
}
model_file with(const char* op, std::vector<attribute> attributes, std::vector<std::string> outputs) {
    std::vector<std::string> declared;
    for (const std::string& output : outputs) declared.push_back(undeclared(output));
    return {3, {node(op, {"x"}, outputs, attributes, "trees", "ai.onnx.ml")}, {value("x", {N, d(2)})}, declared};
}

}  // namespace

TEST_CASE("a tree that says numbers, and one that says labels") {
    const auto x = fanfold::tensor::of<float>({3, 2}, {1, 0, 2, 1, 2, 2});
    std::vector<attribute> numbers = tree("target", {0, 0, 0});
    numbers.push_back({"base_values", floats{1}});
    CHECK(difference(run(load(with("TreeEnsembleRegressor", numbers, {"y"})), {x}, 3)[0], {11, 21, 31}) == 0);
    std::vector<attribute> labels = tree("class", {0, 1, 2});
    labels.push_back({"classlabels_int64s", ints{5, 6, 7}});
    const auto y = run(load(with("TreeEnsembleClassifier", labels, {"label", "scores"})), {x}, 3);
    CHECK(y[0].as<std::int64_t>().flat()[0] == 5);
    CHECK(y[0].as<std::int64_t>().flat()[2] == 7);
    CHECK(difference(y[1], {10, 0, 0, 0, 20, 0, 0, 0, 30}) == 0);
}

TEST_CASE("trees that are none are refused by name") {
    const auto complain = [](std::size_t changed, attribute by) {
        std::vector<attribute> attributes = tree("target", {0, 0, 0});
        attributes[changed] = std::move(by);
        return complaint(with("TreeEnsembleRegressor", attributes, {"y"}));
    };
    CHECK_THAT(complain(1, {"nodes_nodeids", ints{0, 1, 2, 3, 3}}), Contains("node 3 once in tree 0"));
    CHECK_THAT(complain(3, {"nodes_modes", texts{"LEAF", "LEAF", "LEAF", "LEAF", "TWIG"}}), Contains("'TWIG'"));
    CHECK_THAT(complain(4, {"nodes_values", floats{1}}), Contains("'nodes_values'"));
    CHECK_THAT(complain(5, {"nodes_truenodeids", ints{9, 0, 3, 0, 0}}), Contains("a node 9 in tree 0"));
    CHECK_THAT(complain(9, {"target_ids", ints{0, 0, 1}}), Contains("outside"));
    CHECK_THAT(complain(9, {"target_ids", ints{0}}), Contains("'target_ids' of 3 integers"));
}

TEST_CASE("trees with leaves in lists of their own, and tests for membership") {
    const auto doubles = [](const std::vector<double>& values) {
        return tensor("", {static_cast<std::int64_t>(values.size())}, values, 11);
    };
    const auto list = [](std::string name, std::string stored) {
        return attribute{std::move(name), std::move(stored), true};
    };
    const auto modes = [](const std::vector<std::uint8_t>& values) {
        return tensor("", {static_cast<std::int64_t>(values.size())}, values, 2);
    };
    model_file m = with("TreeEnsemble",
                        {{"n_targets", std::int64_t{2}},
                         {"tree_roots", ints{0}},
                         {"nodes_featureids", ints{0, 0, 0}},
                         {"nodes_truenodeids", ints{1, 0, 2}},
                         {"nodes_trueleafs", ints{0, 1, 1}},
                         {"nodes_falsenodeids", ints{2, 1, 3}},
                         {"nodes_falseleafs", ints{0, 1, 1}},
                         list("nodes_modes", modes({0, 0, 6})),
                         list("nodes_splits", doubles({3.14, 1.2, 0})),
                         list("membership_values", doubles({5, 7, 9, std::nan("")})),
                         {"leaf_targetids", ints{0, 1, 0, 1}},
                         list("leaf_weights", doubles({5.25, 12.125, -12.25, 7.5}))},
                        {"y"});
    m.opset = 5;
    const auto x = fanfold::tensor::of<float>({5, 2}, {1, 0, 1.66F, 0, 7, 0, 9, 0, 8, 0});
    CHECK(difference(run(load(m), {x}, 5)[0], {5.25, 0, 0, 12.125, -12.25, 0, -12.25, 0, 0, 7.5}) == 0);
}
