// tests/onnx/operators/reduce.cpp - reductions and places of extremes in their versions, and when they mix rows.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/reduce.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

fanfold::graph one(std::int64_t opset, std::string n, std::vector<std::string> initializers = {}) {
    return load(
        model_file{opset, {std::move(n)}, {value("x", {N, d(2), d(3)})}, {undeclared("y")}, std::move(initializers)});
}
const auto x = fanfold::tensor::of<float>({1, 2, 3}, {1, 5, 3, 4, 5, 6});
const attribute dropped{"keepdims", std::int64_t{0}};

}  // namespace

TEST_CASE("axes are an attribute, then an input: since 13 of ReduceSum, since 18 of the others") {
    const attribute axes{"axes", ints{-1}};
    const std::vector<std::string> input{tensor("a", {2})};
    CHECK(difference(run(one(11, node("ReduceSum", {"x"}, {"y"}, {axes})), {x}, 1)[0], {9, 15}) == 0);
    CHECK(difference(run(one(13, node("ReduceSum", {"x", "a"}, {"y"}), input), {x}, 1)[0], {9, 15}) == 0);
    CHECK(difference(run(one(13, node("ReduceMax", {"x"}, {"y"}, {axes, dropped})), {x}, 1)[0], {5, 6}) == 0);
    CHECK(output_type(one(18, node("ReduceMax", {"x", "a"}, {"y"}, {dropped}), input)) == "float32 [N, 2]");
    CHECK(difference(run(one(13, node("ReduceMean", {"x"}, {"y"}, {{"axes", ints{1, 2}}})), {x}, 1)[0], {4}) == 0);
}

TEST_CASE("without axes everything is reduced, or nothing where asked") {
    const auto all = one(18, node("ReduceSum", {"x"}, {"y"}, {}, "sum"));
    CHECK(output_type(all) == "float32 [1, 1, 1]");
    CHECK(all.row_mixer() == "sum");
    const auto none = one(18, node("ReduceSum", {"x"}, {"y"}, {{"noop_with_empty_axes", std::int64_t{1}}}));
    CHECK(output_type(none) == "float32 [N, 2, 3]");
    CHECK(none.row_mixer().empty());
}

TEST_CASE("ArgMax and ArgMin take the first of equals, or the last") {
    const attribute axis{"axis", std::int64_t{1}}, last{"select_last_index", std::int64_t{1}};
    const auto places = [](const fanfold::graph& g) {
        return fanfold::integers_in(fanfold::tensor_view(run(g, {x}, 1).front()));
    };
    CHECK(places(one(12, node("ArgMax", {"x"}, {"y"}, {axis}))) == ints{1, 0, 1});
    CHECK(places(one(12, node("ArgMax", {"x"}, {"y"}, {axis, last}))) == ints{1, 1, 1});
    CHECK(places(one(12, node("ArgMin", {"x"}, {"y"}, {axis, dropped}))) == ints{0, 0, 0});
    CHECK(one(12, node("ArgMax", {"x"}, {"y"}, {}, "best")).row_mixer() == "best");
    CHECK_THAT(text_of([] {
                   (void)one(12, node("ArgMax", {"x"}, {"y"}, {{"axis", std::int64_t{3}}}));
               }),
               Contains("an axis in [-3, 3), got 3"));
}
