// tests/model/operators/sizes.cpp - shapes as values, in N: what is computed from them is gone before the run.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/axes.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/gather.hpp>
#include <fanfold/model/operators/pieces.hpp>
#include <fanfold/model/operators/sizes.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const extent N = rows_extent, unknown = extent::unknown();

/// x reshaped as exporters write it: to [Shape(x)[0] * 2, Shape(x)[1] / 2, -1].
graph reshaped_by_computed_sizes(symbolic_shape of) {
    graph_builder g;
    const auto x = g.input("x", floats(of));
    const auto all = g.add(shape_of(), {x}).front();
    const auto pick = [&](std::int64_t index) {
        const auto one = g.add(gather(), {all, g.constant(tensor::of<std::int64_t>({}, {index}))}).front();
        return g.add(unsqueeze({{0}}), {one}).front();
    };
    const auto two = g.constant(list({2})), rest = g.constant(list({-1}));
    const auto rows = g.add(arithmetic(kernel::binary::mul), {pick(0), two}).front();
    const auto half = g.add(arithmetic(kernel::binary::div), {pick(1), two}).front();
    const auto same = g.add(cast(element::int64), {half}).front();
    const auto to = g.add(concat(0), {rows, same, rest}).front();
    return std::move(g).finish({{"y", g.add(reshape(), {x, to}).front()}});
}

}  // namespace

TEST_CASE("sizes computed on the way to a reshape are worked out in N, and no step remains") {
    const graph g = reshaped_by_computed_sizes({N, 4, 3});
    CHECK(g.state().planned);
    CHECK(g.state().steps.empty());
    CHECK(g.state().values[g.state().outputs[0]].type.text() == "float32 [2N, 2, 3]");
    CHECK(g.row_mixer().empty());
    CHECK(rows_are_independent(g, pattern({5, 4, 3}), 0));
}

TEST_CASE("the same with an unknown extent runs free, and gives the same") {
    const graph g = reshaped_by_computed_sizes({N, unknown, 3});
    CHECK_FALSE(g.state().planned);
    const tensor x = pattern({5, 4, 3});
    CHECK(g.answers(batch(x))[0].shape == shape{10, 2, 3});
    CHECK(g.row_mixer(batch(x)).empty());
    CHECK(rows_are_independent(g, x, 0));
    CHECK_THAT(text_of([&] {
                   (void)run(g, {pattern({0, 4, 3})}, 0);
               }),
               Contains("reshaped to [0, 2, -1]"));  // how many?
}

TEST_CASE("Shape lists extents between two bounds") {
    const value_type x = floats({N, 4, unknown});
    CHECK(rule(shape_of(), {x}) == "int64 [3]");
    CHECK(shape_of().sizes(std::vector<argument>{x})->front() == N);
    CHECK(rule(shape_of(1), {x}) == "int64 [2]");
    CHECK(rule(shape_of(-1), {x}) == "int64 [1]");
    CHECK(rule(shape_of(0, -1), {x}) == "int64 [2]");
    CHECK(rule(shape_of(2, 1), {x}) == "int64 [0]");
    CHECK(rule(shape_of(-9, 9), {x}) == "int64 [3]");
    CHECK(shape_of(1, 2).sizes(std::vector<argument>{x}) == symbolic_values{4});
    CHECK(rule(shape_of(), {floats(symbolic_shape::unknown())}) == "int64 [?]");
    CHECK_FALSE(shape_of().sizes(std::vector<argument>{floats(symbolic_shape::unknown())}).has_value());
    const auto y = run(graph_of(shape_of(1), {floats({unknown, unknown, unknown})}), {pattern({2, 0, 5})}, 1);
    CHECK(integers_in(tensor_view(y[0])) == std::vector<std::int64_t>{0, 5});
}

TEST_CASE("Size is the number of elements") {
    CHECK(rule(element_count(), {floats({N, 4})}) == "int64 []");
    CHECK(element_count().sizes(std::vector<argument>{floats({N, 4})}) == symbolic_values{extent(0, 4)});
    const auto y = run(graph_of(element_count(), {floats({unknown, unknown})}), {pattern({3, 5})}, 1);
    CHECK(y[0].as<std::int64_t>().data()[0] == 15);
}

TEST_CASE("ConstantOfShape takes sizes in N, refuses what is no shape") {
    const constant_of_shape sevens(tensor::of<std::int16_t>({1}, {7}));
    argument to = int64s({2});
    const symbolic_values sizes{N, 3};
    to.sizes = &sizes;
    CHECK(rule(sevens, {to}) == "int16 [N, 3]");
    CHECK(rule(sevens, {int64s({2})}) == "int16 [?, ?]");
    CHECK(rule(sevens, {int64s({unknown})}) == "int16 [..]");
    const tensor negative = list({2, -1});
    CHECK_FALSE(refusal(sevens, {argument(negative)}).empty());
    CHECK_THROWS_WITH(constant_of_shape(tensor(element::float32, {2})), "expected one element, got [2]");
    const graph g = graph_of(sevens, {int64s({2})});
    const auto y = run(g, {list({2, 3})}, 1);
    CHECK(y[0].shape() == shape{2, 3});
    const auto many = run(g, {list({7, 11})}, 1)[0];
    for (const std::int16_t x : many.as<std::int16_t>().flat()) CHECK(x == 7);
    CHECK(y[0].as<std::int16_t>()(1, 2) == 7);
    CHECK(run(g, {list({2, 0})}, 1)[0].size() == 0);
    tensor nothing(element::int16, {2, 0});  // without room
    const tensor extents = list({2, 0});
    workspace space;
    sevens(std::vector<tensor_view>{extents}, std::vector<mutable_tensor_view>{nothing}, space);
    CHECK_THAT(text_of([&] { (void)run(g, {list({2, -3})}, 1); }), Contains("node 'it' (ConstantOfShape)"));
}
