// tests/model/graphviz.cpp - every step and every value between steps is in the picture, whatever its name.
// SPDX-License-Identifier: MIT
#include <fanfold/model/graphviz.hpp>

#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/reshape.hpp>
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

TEST_CASE("a graph as Graphviz text: steps, values with types, names in quotes") {
    graph_builder g;
    const auto x = g.input("the \"x\"\\", {element::float32, {rows_extent, 4}});
    const auto r = g.add(unary_function(kernel::unary::exp), {x}, "grow\n").front();
    const auto flat = g.add(reshape({-1, 2, 2}), {r}).front();
    const auto s = g.add(arithmetic(kernel::binary::add), {flat, flat}, "double").front();
    const std::string text = graphviz(std::move(g).finish({{"y", s}}));
    CHECK_THAT(text, Contains("digraph"));
    CHECK_THAT(text, Contains(R"(input0 [label="the \"x\"\\", shape=oval])"));
    CHECK_THAT(text, Contains("step0 [label=\"Exp grow \"]"));
    CHECK_THAT(text, Contains("input0 -> step0 [label=\"float32 [N, 4]\"]"));
    CHECK_THAT(text, Contains("step0 -> step1 [label=\"float32 [N, 2, 2]\"]"));
    CHECK_THAT(text, Contains("step1 -> output0"));
}
