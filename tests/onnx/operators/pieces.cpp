// tests/onnx/operators/pieces.cpp - Concat, Split, Slice, Expand, Tile in their versions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/pieces.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const auto x = fanfold::tensor::of<float>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});

std::vector<fanfold::tensor> one(std::int64_t opset, const std::string& n, std::vector<std::string> initializers = {},
                                 std::vector<std::string> outputs = {undeclared("y")}) {
    return run(load(model_file{opset, {n}, {value("x", {N, d(4)})}, std::move(outputs), std::move(initializers)}), {x},
               2);
}

}  // namespace

TEST_CASE("Concat needs an axis") {
    const auto y = one(13, node("Concat", {"x", "x"}, {"y"}, {{"axis", std::int64_t{-1}}}));
    CHECK(difference(y[0], {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8}) == 0);
    CHECK_THAT(text_of([] { (void)one(13, node("Concat", {"x", "x"}, {"y"})); }), Contains("attribute 'axis'"));
}

TEST_CASE("Split takes lengths from an attribute, an input, or makes pieces") {
    const std::vector<std::string> two{undeclared("a"), undeclared("b")};
    const attribute axis{"axis", std::int64_t{1}};
    const std::vector<double> first{1, 5};
    CHECK(difference(one(11, node("Split", {"x"}, {"a", "b"}, {axis, {"split", ints{1, 3}}}), {}, two)[0], first) == 0);
    CHECK(difference(one(13, node("Split", {"x", "l"}, {"a", "b"}, {axis}), {tensor("l", {1, 3})}, two)[0], first) ==
          0);
    const auto three = one(18, node("Split", {"x"}, {"a", "b"}, {axis, {"num_outputs", std::int64_t{2}}}), {}, two);
    CHECK(difference(three[1], {3, 4, 7, 8}) == 0);
    CHECK_THAT(text_of([&] {
                   (void)one(18, node("Split", {"x"}, {"a", "b"}, {axis, {"num_outputs", std::int64_t{1}}}), {}, two);
               }),
               Contains("expected 2 to 1024 pieces, got 1"));
}

TEST_CASE("Slice by attributes before opset 10, by inputs since") {
    const std::vector<double> middle{2, 3, 6, 7}, back{4, 3, 8, 7};
    CHECK(
        difference(one(9, node("Slice", {"x"}, {"y"}, {{"starts", ints{1}}, {"ends", ints{-1}}, {"axes", ints{1}}}))[0],
                   middle) == 0);
    const std::vector<std::string> bounds{tensor("s", {-1}), tensor("e", {1}), tensor("a", {1}), tensor("k", {-1})};
    CHECK(difference(one(13, node("Slice", {"x", "s", "e", "a", "k"}, {"y"}), bounds)[0], back) == 0);
    CHECK_THAT(text_of([&] { (void)one(13, node("Slice", {"x", "s"}, {"y"}), bounds); }), Contains("3 to 5 inputs"));
}

TEST_CASE("Expand and Tile") {
    CHECK(one(13, node("Expand", {"x", "to"}, {"y"}), {tensor("to", {3, 1, 1})})[0].shape() == fanfold::shape{3, 2, 4});
    const auto y = one(13, node("Tile", {"x", "r"}, {"y"}), {tensor("r", {1, 2})});
    CHECK(difference(y[0], {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8}) == 0);
}
