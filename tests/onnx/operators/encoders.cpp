// tests/onnx/operators/encoders.cpp - attributes of encoders, in the forms of all versions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/encoders.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

/// x into y by one node, y of whatever type.
model_file with(const char* op, std::vector<attribute> attributes, int type = 7) {
    return {
        13, {node(op, {"x"}, {"y"}, attributes, "step", "ai.onnx.ml")}, {value("x", {N}, type)}, {undeclared("y")}, {},
        4};
}
std::vector<std::int64_t> integers(const fanfold::tensor& t) {
    const auto values = t.as<std::int64_t>().flat();
    return {values.begin(), values.end()};
}
std::vector<std::string> categories(const fanfold::graph& g) {
    return {g.categories(0).begin(), g.categories(0).end()};
}
attribute stored(const char* name, std::string tensor) { return {name, std::move(tensor), true}; }
const fanfold::tensor x = list({1, 2, 9});

}  // namespace

TEST_CASE("numbers are encoded as numbers or as strings, in the attributes of any version") {
    const auto numbers = [](std::vector<attribute> attributes) {
        return run(load(with("LabelEncoder", std::move(attributes))), {x}, 3)[0];
    };
    const attribute keys{"keys_int64s", ints{2, 1}};
    CHECK(integers(numbers({keys, {"values_int64s", ints{20, 10}}})) == ints{10, 20, -1});
    CHECK(integers(numbers({keys, {"values_int64s", ints{20, 10}}, {"default_int64", std::int64_t{5}}})) ==
          ints{10, 20, 5});
    CHECK(floats_of(numbers({keys, {"values_floats", floats{0.5F, 1.5F}}, {"default_float", 3.5F}})) ==
          floats{1.5F, 0.5F, 3.5F});
    const std::vector<double> wide{0.25, 0.75}, other{8};
    const auto doubles = numbers({keys, stored("values_tensor", tensor("", {2}, wide, 11)),
                                  stored("default_tensor", tensor("", {1}, other, 11))});
    CHECK(doubles.as<double>().flat()[0] == 0.75);
    CHECK(doubles.as<double>().flat()[2] == 8);

    const auto named = load(with("LabelEncoder", {keys, {"values_strings", texts{"two", "one"}}}));
    CHECK(categories(named) == texts{"two", "one", "_Unused"});
    CHECK(integers(run(named, {x}, 3)[0]) == ints{1, 0, 2});
    const auto places =
        load(with("LabelEncoder", {{"classes_strings", texts{"a", "b"}}, {"default_string", std::string("-")}}));
    CHECK(categories(places) == texts{"a", "b", "-"});
    CHECK(integers(run(places, {x}, 3)[0]) == ints{1, 2, 2});

    const auto reals = load(with("LabelEncoder", {{"keys_floats", floats{9, 1}}, {"values_int64s", ints{90, 10}}}, 1));
    CHECK(integers(run(reals, {fanfold::tensor::of<float>({2}, {1, 2})}, 2)[0]) == ints{10, -1});
}

TEST_CASE("labels that are strings are encoded through their list") {
    const auto after = [](std::vector<attribute> attributes) {
        model_file m = with("LabelEncoder", {{"keys_int64s", ints{1, 2}}, {"values_strings", texts{"a", "b"}}});
        m.nodes.push_back(node("LabelEncoder", {"y"}, {"z"}, attributes, "back", "ai.onnx.ml"));
        m.outputs = {undeclared("z")};
        return m;
    };
    const auto back = load(after({{"keys_strings", texts{"b", "a", "a"}}, {"values_int64s", ints{7, 8, 9}}}));
    CHECK(back.categories(0).empty());
    CHECK(integers(run(back, {x}, 3)[0]) == ints{8, 7, -1});
    const auto places = load(after({{"classes_strings", texts{"b", "a"}}}));
    CHECK(integers(run(places, {x}, 3)[0]) == ints{1, 0, -1});
    const auto other =
        load(after({stored("keys_tensor", strings("", {"_Unused"})), stored("values_tensor", strings("", {"none"})),
                    stored("default_tensor", strings("", {"some"}))}));
    CHECK(categories(other) == texts{"none", "some"});
    CHECK(integers(run(other, {x}, 3)[0]) == ints{1, 1, 0});
    CHECK_THAT(complaint(after({{"keys_int64s", ints{1}}, {"values_int64s", ints{1}}})),
               Contains("node 'back' (LabelEncoder, opset 4): expected strings as keys, got numbers"));
}

TEST_CASE("categories as columns, and features beside each other") {
    const auto hot = load(with("OneHotEncoder", {{"cats_int64s", ints{9, 1}}}));
    CHECK(output_type(hot) == "float32 [N, 2]");
    CHECK(floats_of(run(hot, {x}, 3)[0]) == floats{0, 1, 0, 0, 1, 0});
    const auto strict = load(with("OneHotEncoder", {{"cats_int64s", ints{9, 1}}, {"zeros", std::int64_t{0}}}));
    CHECK(text_of([&] { (void)run(strict, {x}, 3); }) ==
          "node 'step' (OneHotEncoder): expected one of 2 categories, got 2");

    model_file m{13,
                 {node("FeatureVectorizer", {"a", "b"}, {"y"}, {{"inputdimensions", ints{2, 1}}}, "f", "ai.onnx.ml")},
                 {value("a", {N, d(2)}), value("b", {N, d(1)})},
                 {value("y", {N, d(3)})},
                 {},
                 1};
    const auto both =
        run(load(m), {fanfold::tensor::of<float>({1, 2}, {1, 2}), fanfold::tensor::of<float>({1, 1}, {3})}, 1);
    CHECK(floats_of(both[0]) == floats{1, 2, 3});
}

TEST_CASE("encoders whose lists do not fit are refused by name") {
    const auto complain = [](const char* op, std::vector<attribute> attributes) {
        return complaint(with(op, std::move(attributes)));
    };
    const attribute keys{"keys_int64s", ints{1, 2}};
    CHECK_THAT(complain("LabelEncoder", {keys, {"values_int64s", ints{1}}}),
               Contains("node 'step' (LabelEncoder, opset 4): expected as many values as keys, 2, got 1"));
    CHECK_THAT(complain("LabelEncoder", {keys}), Contains("'values_strings' or 'values_tensor', got 0 of them"));
    CHECK_THAT(complain("LabelEncoder", {keys, {"keys_floats", floats{1}}, {"values_int64s", ints{1}}}),
               Contains("'keys_strings' or 'keys_tensor', got 2 of them"));
    CHECK_THAT(complain("LabelEncoder", {{"keys_strings", texts{"a"}}, {"values_int64s", ints{1}}}),
               Contains("expected numbers as keys, got strings"));
    CHECK_THAT(complain("LabelEncoder", {{"keys_floats", floats{1}}, {"values_int64s", ints{1}}}),
               Contains("expected float32, got int64 [N]"));
    CHECK_THAT(
        complain("LabelEncoder", {keys, {"values_int64s", ints{1, 2}}, stored("default_tensor", tensor("", ints{}))}),
        Contains("attribute 'default_tensor': expected one element of the values' type"));
    CHECK_THAT(complain("LabelEncoder",
                        {keys, {"values_int64s", ints{1, 2}}, stored("default_tensor", tensor("", {1}, {2.75F}))}),
               Contains("attribute 'default_tensor': expected one element of the values' type, got float32 [1]"));
    CHECK_THAT(complain("LabelEncoder", {keys, stored("values_tensor", tensor("", {5}, ints{1, 2}, 7))}),
               Contains("attribute 'values_tensor': expected 40 bytes for int64 [5], got 16"));
    CHECK_THAT(complain("OneHotEncoder", {{"cats_strings", texts{"a"}}}), Contains("'cats_int64s', got strings"));
    CHECK_THAT(complain("OneHotEncoder", {}), Contains("expected attribute 'cats_int64s', got none"));
    CHECK_THAT(complain("FeatureVectorizer", {}), Contains("expected attribute 'inputdimensions', got none"));
    CHECK_THAT(complain("FeatureVectorizer", {{"inputdimensions", ints{1, 1}}}),
               Contains("columns for 1 inputs, got 2"));
}
