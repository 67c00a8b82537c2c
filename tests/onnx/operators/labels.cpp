// tests/onnx/operators/labels.cpp - what classes are called, through the operators that classifiers end with.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/labels.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const texts pets{"cat", "dog", "eel"};

/// Scores x, 2 - x, 1.
std::string linear(const attribute& labels, const std::string& label = "label", const std::string& scores = "scores") {
    return node("LinearClassifier", {"x"}, {label, scores},
                {{"coefficients", floats{1, -1, 0}}, {"intercepts", floats{0, 2, 1}}, labels}, "linear", "ai.onnx.ml");
}
std::string zip(const attribute& labels) { return node("ZipMap", {"scores"}, {"maps"}, {labels}, "zip", "ai.onnx.ml"); }

model_file with(std::vector<std::string> nodes, std::vector<std::string> outputs,
                std::vector<std::string> initializers = {}) {
    return {13, std::move(nodes), {value("x", {N, d(1)})}, std::move(outputs), std::move(initializers), 3};
}
std::vector<std::string> list_of(std::span<const std::string> names) { return {names.begin(), names.end()}; }
std::vector<std::int64_t> integers(const fanfold::tensor& t) {
    const auto values = t.as<std::int64_t>().flat();
    return {values.begin(), values.end()};
}
const fanfold::tensor three = fanfold::tensor::of<float>({3, 1}, {0, 5, 1});

}  // namespace

TEST_CASE("labels that are strings are answered as positions in a list that the graph tells") {
    const auto g = load(with({linear({"classlabels_strings", pets}), zip({"classlabels_strings", pets})},
                             {value("label", {N}, 8), maps("maps")}));
    CHECK(list_of(g.categories(0)) == pets);
    CHECK(g.columns(0).empty());
    CHECK(g.categories(1).empty());
    CHECK(list_of(g.columns(1)) == pets);
    CHECK(output_type(g, 0) == "int64 [N]");
    CHECK(output_type(g, 1) == "float32 [N, 3]");
    CHECK_THAT(g.summary(), Contains("output 'label': categories 'cat', 'dog', 'eel'\n"
                                     "output 'maps': columns 'cat', 'dog', 'eel'\n"));
    const auto y = run(g, {three}, 3);
    CHECK(integers(y[0]) == ints{1, 0, 0});
    CHECK(difference(y[1], {0, 2, 1, 5, -3, 1, 1, 1, 1}) == 0);
}

TEST_CASE("integers that are labels stay what they are, and name columns in decimal") {
    const auto g = load(with(
        {linear({"classlabels_ints", ints{-1, 7, 20}}), node("Cast", {"label"}, {"sure"}, {{"to", std::int64_t{7}}}),
         zip({"classlabels_int64s", ints{-1, 7, 20}})},
        {value("sure", {N}, 7), maps("maps", 7)}));
    CHECK(g.categories(0).empty());
    CHECK(list_of(g.columns(1)) == texts{"-1", "7", "20"});
    CHECK(integers(run(g, {three}, 3)[0]) == ints{7, -1, -1});
}

TEST_CASE("classes in an initializer, found by the place of the greatest score, as exporters of many models write it") {
    const auto end = [](const char* at, const char* op, std::vector<attribute> more, const char* domain) {
        return load(
            with({linear({"classlabels_ints", ints{0, 1, 2}}, "first"),
                  node("ArgMax", {"scores"}, {at}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}}),
                  node(op, {"classes", at}, {"found"}, more, "of", domain), node("Reshape", {"found", "all"}, {"flat"}),
                  node("Cast", {"flat"}, {"text"}, {{"to", std::int64_t{8}}}), node("Identity", {"text"}, {"label"})},
                 {value("label", {N}, 8)}, {strings("classes", pets), tensor("all", ints{-1})}));
    };
    for (const auto& g : {end("place", "ArrayFeatureExtractor", {}, "ai.onnx.ml"), end("place", "Gather", {}, "")}) {
        CHECK(list_of(g.categories(0)) == pets);
        CHECK(g.row_mixer().empty());
        CHECK(integers(run(g, {three}, 3)[0]) == ints{1, 0, 0});
    }
}

TEST_CASE("a map, and strings, are no numbers to other operators") {
    const attribute names{"classlabels_strings", pets};
    CHECK_THAT(complaint(with({linear(names), node("Neg", {"label"}, {"y"})}, {undeclared("y")})),
               Contains("node 'it' (Neg, opset 13): expected input 0 to hold numbers, got strings"));
    CHECK_THAT(complaint(with({linear(names), zip(names), node("Neg", {"maps"}, {"y"})}, {undeclared("y")})),
               Contains("expected input 0 to hold numbers, got maps"));
    CHECK_THAT(
        complaint(with({node("Gather", {"x", "classes"}, {"y"})}, {undeclared("y")}, {strings("classes", pets)})),
        Contains("expected input 1 to hold numbers, got strings"));
    CHECK_THAT(complaint(with({node("Cast", {"x"}, {"y"}, {{"to", std::int64_t{8}}})}, {undeclared("y")})),
               Contains("texts of numbers are not known at load"));
    CHECK_THAT(complaint(with({linear(names)}, {value("label", {N}, 7)})),
               Contains("output 'label': expected int64 (7) ['N'] as declared, got strings"));
    CHECK_THAT(complaint(with({linear(names)}, {value("scores", {N, d(3)}, 8)})),
               Contains("output 'scores': expected string (8) ['N', 3] as declared, got float32 [N, 3]"));
    CHECK_THAT(complaint(with({linear(names), zip(names)}, {value("maps", {N, d(3)})})),
               Contains("output 'maps': expected float32 (1) ['N', 3] as declared, got maps"));
}

TEST_CASE("labels that do not fit are refused") {
    const attribute names{"classlabels_strings", pets};
    CHECK_THAT(complaint(with({linear(names), zip({"classlabels_strings", texts{"a", "b"}})}, {maps("maps")})),
               Contains("expected scores float32 [N, 2] for 2 labels, got float32 [N, 3]"));
    CHECK_THAT(complaint(with({linear({"classlabels_strings", texts{}})}, {undeclared("label")})),
               Contains("expected labels in attribute 'classlabels_ints' or 'classlabels_strings', got none"));
    CHECK_THAT(
        complaint(with(
            {node(
                "LinearClassifier", {"x"}, {"label", "scores"},
                {{"coefficients", floats{1, 2, 3}}, {"classlabels_ints", ints{1, 2, 3}}, {"classlabels_strings", pets}},
                "linear", "ai.onnx.ml")},
            {undeclared("label")})),
        Contains("got both"));
    CHECK_THAT(complaint(with({linear({"classlabels_strings", texts{"a", "b"}})}, {undeclared("label")})),
               Contains("coefficients, intercepts and labels for 2 scores"));
    model_file text = with({node("Identity", {"x"}, {"y"})}, {undeclared("y")});
    text.inputs = {value("x", {N, d(1)}, 8)};
    CHECK_THAT(complaint(text), Contains("input 'x': expected an element type of"));
}

TEST_CASE("trees with labels that are strings") {
    const auto g = load(with({node("TreeEnsembleClassifier", {"x"}, {"label", "scores"},
                                   {{"nodes_treeids", ints{0, 0, 0}},
                                    {"nodes_nodeids", ints{0, 1, 2}},
                                    {"nodes_featureids", ints{0, 0, 0}},
                                    {"nodes_modes", texts{"BRANCH_LEQ", "LEAF", "LEAF"}},
                                    {"nodes_values", floats{1, 0, 0}},
                                    {"nodes_truenodeids", ints{1, 0, 0}},
                                    {"nodes_falsenodeids", ints{2, 0, 0}},
                                    {"class_treeids", ints{0, 0}},
                                    {"class_nodeids", ints{1, 2}},
                                    {"class_ids", ints{0, 2}},
                                    {"class_weights", floats{1, 1}},
                                    {"classlabels_strings", pets}},
                                   "trees", "ai.onnx.ml")},
                             {value("label", {N}, 8)}));
    CHECK(list_of(g.categories(0)) == pets);
    CHECK(integers(run(g, {three}, 3)[0]) == ints{0, 2, 0});
}

TEST_CASE("strings do not leave a graph in a node") {
    model_file m = with({node("If", {"yes"}, {"y"},
                              {inner("then_branch", {node("Identity", {"classes"}, {"a"})}, {}, {undeclared("a")}),
                               inner("else_branch", {node("Identity", {"classes"}, {"b"})}, {}, {undeclared("b")})})},
                        {undeclared("y")}, {strings("classes", pets)});
    m.inputs.push_back(value("yes", {}, 9));
    CHECK_THAT(complaint(m), Contains("expected numbers from a graph in a node, got strings"));
}
