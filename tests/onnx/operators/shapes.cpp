// tests/onnx/operators/shapes.cpp - Shape, Size, ConstantOfShape, Squeeze, Unsqueeze, Transpose, in their versions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/shapes.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const std::vector<dim> from{N, d(1), d(3)};

fanfold::graph one(std::int64_t opset, std::string n, std::vector<std::string> initializers = {}) {
    return load(model_file{opset, {std::move(n)}, {value("x", from)}, {undeclared("y")}, std::move(initializers)});
}

}  // namespace

TEST_CASE("axes of Squeeze and Unsqueeze are an attribute, since opset 13 an input") {
    const attribute axes{"axes", ints{1}};
    CHECK(output_type(one(11, node("Squeeze", {"x"}, {"y"}, {axes}))) == "float32 [N, 3]");
    CHECK(output_type(one(13, node("Squeeze", {"x", "a"}, {"y"}), {tensor("a", {-2})})) == "float32 [N, 3]");
    CHECK(output_type(one(13, node("Squeeze", {"x"}, {"y"}))) == "float32 [N, 3]");
    CHECK(output_type(one(11, node("Unsqueeze", {"x"}, {"y"}, {axes}))) == "float32 [N, 1, 1, 3]");
    CHECK(output_type(one(13, node("Unsqueeze", {"x", "a"}, {"y"}), {tensor("a", {0, 4})})) ==
          "float32 [1, N, 1, 3, 1]");
}

TEST_CASE("Transpose reverses axes unless told") {
    CHECK(output_type(one(13, node("Transpose", {"x"}, {"y"}))) == "float32 [3, 1, N]");
    CHECK(output_type(one(1, node("Transpose", {"x"}, {"y"}, {{"perm", ints{1, 0, 2}}}))) == "float32 [1, N, 3]");
    CHECK_THAT(text_of([] {
                   (void)one(13, node("Transpose", {"x"}, {"y"}, {{"perm", ints{1, 0}}}));
               }),
               Contains("expected an order of 3 axes, got 2"));
}

TEST_CASE("Shape from start to end, Size, and a constant of that shape") {
    const auto shape = [](std::vector<attribute> attributes) {
        const auto g = one(15, node("Shape", {"x"}, {"y"}, std::move(attributes)));
        return fanfold::integers_in(fanfold::tensor_view(run(g, {noise_tensor({4, 1, 3}, 1)}, 4).front()));
    };
    CHECK(shape({}) == ints{4, 1, 3});
    CHECK(shape({{"start", std::int64_t{-2}}}) == ints{1, 3});
    CHECK(shape({{"end", std::int64_t{1}}}) == ints{4});
    const auto size = run(one(13, node("Size", {"x"}, {"y"})), {noise_tensor({4, 1, 3}, 1)}, 4);
    CHECK(size[0].as<std::int64_t>().data()[0] == 12);

    const auto filled = [](std::vector<attribute> attributes) {
        return load(
            model_file{13,
                       {node("Shape", {"x"}, {"s"}), node("ConstantOfShape", {"s"}, {"y"}, std::move(attributes))},
                       {value("x", from)},
                       {undeclared("y")}});
    };
    CHECK(output_type(filled({})) == "float32 [N, 1, 3]");
    const auto g = filled({{"value", tensor("", {1}, std::vector<std::int64_t>{7}, 7), true}});
    CHECK(g.state().planned);
    CHECK(output_type(g) == "int64 [N, 1, 3]");
    CHECK(run(g, {noise_tensor({2, 1, 3}, 1)}, 2)[0].as<std::int64_t>()(1, 0, 2) == 7);
}

TEST_CASE("a reshape by computed sizes stays planned with N rows") {
    const auto g = load(model_file{
        13,
        {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}), node("Unsqueeze", {"n", "zeros"}, {"n1"}),
         node("Concat", {"n1", "rest"}, {"to"}, {{"axis", std::int64_t{0}}}), node("Reshape", {"x", "to"}, {"y"})},
        {value("x", {N, d(2), d(6)})},
        {undeclared("y")},
        {tensor("zero", ints{}, ints{0}, 7), tensor("zeros", {0}), tensor("rest", {3, -1})}});
    CHECK(g.state().planned);
    CHECK(g.state().steps.empty());
    CHECK(output_type(g) == "float32 [N, 3, 4]");
    CHECK(g.row_mixer().empty());
}
