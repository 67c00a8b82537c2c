// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/batched_matmul.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/recurrent.hpp>
#include <fanfold/model/summary.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

TEST_CASE("a summary tells shapes, operations and bytes of one row, and the sums") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 2, 3}});
    const auto y = g.add(batched_matmul(transposed::no, transposed::yes), {x, x}, "gram").front();
    const graph model = std::move(g).finish({{"y", g.add(unary_function(kernel::unary::exp), {y}, "e").front()}});
    const std::string text = model.summary();
    CHECK_THAT(
        text, Contains("MatMul 'gram' float32 [N, 2, 3] float32 [N, 2, 3] -> float32 [N, 2, 2], 24 flops, 64 bytes\n"));
    CHECK_THAT(text, Contains("Exp 'e' float32 [N, 2, 2] -> float32 [N, 2, 2], 32 bytes\n"));
    CHECK_THAT(text, Contains("2 steps, 0 bytes of weights, 24 flops and 64 bytes of intermediate values a row\n"));
}

TEST_CASE("a summary tells which steps checksums see, and how much of the work that is") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 3}});
    const tensor w = images::some({3, 2}, 1);
    const auto y = g.add(dense(w.as<float>()), {x}, "layer").front();
    const auto z = g.add(batched_matmul(transposed::no, transposed::yes), {y, y}, "gram").front();
    const std::string text = std::move(g).finish({{"z", z}}).summary();
    CHECK_THAT(text, Contains("Dense 'layer' float32 [N, 3] -> float32 [N, 2], 12 flops, 20 bytes, "));
    CHECK_THAT(text, Contains(" bytes of weights, seen by checksum\nMatMul 'gram'"));
    CHECK_THAT(text, Contains("12 seen by checksum"));
}

TEST_CASE("what only a run tells is left out; a recurrent layer counts its products") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {5, rows_extent, 3}});
    const tensor w = images::some({1, 16, 3}, 1), r = images::some({1, 16, 4}, 2), none(element::float32, {0});
    const recurrent_layer lstm({recurrent_direction{}}, recurrent_layout::time_first, 4,
                               recurrent_constants{w, r, none, none});
    const graph model = std::move(g).finish({{"y", g.add(lstm, {x}, "l").front()}});
    CHECK_THAT(model.summary(), Contains(", " + std::to_string(2 * 4 * 5 * 4 * (3 + 4)) + " flops, "));
    CHECK(model.state().rereads_weights);
    graph_builder open;
    const auto z = open.input("z", {element::float32, {rows_extent, extent::unknown()}});
    const graph later = std::move(open).finish({{"y", open.add(unary_function(kernel::unary::exp), {z}, "e").front()}});
    CHECK_THAT(
        later.summary(),
        Contains("Exp 'e' float32 [N, ?] -> float32 [N, ?]\n1 steps, 0 bytes of weights, shapes known at run time\n"));
}

TEST_CASE("a summary tells what outputs' numbers stand for, and so does the graph") {
    graph_builder g;
    const auto x = g.input("x", {element::int64, {rows_extent, 2}});
    auto names = std::make_shared<value_names>();
    names->categories = {"cat", "dog"};
    for (char c = 'a'; c < 'k'; ++c) names->columns.emplace_back(1, c);
    g.name(x, names);
    const auto y = g.add(unary_function(kernel::unary::abs), {x}).front();
    const graph model = std::move(g).finish({{"x", x}, {"y", y}});
    CHECK_THAT(model.summary(), Contains("\noutput 'x': categories 'cat', 'dog'; columns 'a', 'b', 'c', 'd', 'e', 'f', "
                                         "'g', 'h' and 2 more\n1 steps"));
    CHECK(model.categories(0).size() == 2);

    graph_builder file;
    const auto label = file.input("x", {element::int64, {rows_extent, 2}});
    auto forged = std::make_shared<value_names>();
    forged->categories = {"cat\n5 steps", std::string(1000, 'd')};
    file.name(label, forged);
    const auto z = file.add(unary_function(kernel::unary::abs), {label}, "a\nb").front();
    const std::string lines = std::move(file).finish({{"x\ny", label}, {"z", z}}).summary();
    CHECK_THAT(lines, Contains("\noutput 'x?y': categories 'cat?5 steps', '" + std::string(80, 'd') + "..'\n1 steps"));
    CHECK_THAT(lines, Contains("Abs 'a?b' int64"));
    CHECK(model.columns(0)[9] == "j");
    CHECK(model.categories(1).empty());
    CHECK(model.columns(1).empty());
}
