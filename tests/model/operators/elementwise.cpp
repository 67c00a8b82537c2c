// tests/model/operators/elementwise.cpp - arithmetic and activations as operations: types, names, fusing.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/sizes.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("arithmetic names itself, checks its operands") {
    CHECK(arithmetic(kernel::binary::add).name() == "Add");
    CHECK(arithmetic(kernel::binary::sub).name() == "Sub");
    CHECK(arithmetic(kernel::binary::mul).name() == "Mul");
    CHECK(arithmetic(kernel::binary::div).name() == "Div");
    const value_type f{element::float32, {rows_extent, 2}}, i{element::int32, {2}}, b{element::boolean, {2}};
    CHECK(answers_of(arithmetic(kernel::binary::add), {f, {element::float32, {2}}})[0] == f);
    CHECK_THROWS(answers_of(arithmetic(kernel::binary::add), {f, i}));
    CHECK_THROWS(answers_of(arithmetic(kernel::binary::add), {b, b}));
    CHECK_THROWS(answers_of(arithmetic(kernel::binary::add), {f}));
}

TEST_CASE("arithmetic of every element type") {
    const auto sum = []<class T>(T) {
        graph_builder g;
        const auto x = g.input("x", {element_of<T>, {rows_extent, 2}});
        const auto c = g.constant(tensor::of<T>({2}, {T{10}, T{20}}));
        const graph model = std::move(g).finish({{"y", g.add(arithmetic(kernel::binary::add), {x, c}).front()}});
        const auto y = run(model, {tensor::of<T>({1, 2}, {T{1}, T{2}})}, 1);
        return y[0].template as<T>()(0, 0) == T{11} && y[0].template as<T>()(0, 1) == T{22};
    };
    CHECK(sum(float{}));
    CHECK(sum(double{}));
    CHECK(sum(std::int32_t{}));
    CHECK(sum(std::int64_t{}));
}

TEST_CASE("activation functions offer themselves for fusing") {
    using kernel::activation;
    for (const activation act : {activation::relu, activation::sigmoid, activation::tanh})
        CHECK(unary_function(act).as_activation() == act);
    CHECK_THROWS(unary_function(activation::none));
    CHECK_NOTHROW(answers_of(unary_function(activation::relu), {{element::int64, {2}}}));
    CHECK_THROWS(answers_of(unary_function(activation::sigmoid), {{element::int64, {2}}}));
    CHECK(unary_function(kernel::unary::exp).as_activation() == activation::none);
}

TEST_CASE("comparisons answer bool, logic takes it, pow takes two types") {
    const value_type x = floats({rows_extent, 2}), b{element::boolean, {2}}, i = int64s({1});
    CHECK(rule(arithmetic(kernel::binary::less), {x, floats({2})}) == "bool [N, 2]");
    CHECK(rule(arithmetic(kernel::binary::equal), {b, b}) == "bool [2]");
    CHECK(rule(arithmetic(kernel::binary::logical_and), {b, b}) == "bool [2]");
    CHECK(refusal(arithmetic(kernel::binary::logical_and), {x, x}) ==
          "expected two bools, got float32 [N, 2] and float32 [N, 2]");
    CHECK(rule(arithmetic(kernel::binary::pow), {x, i}) == "float32 [N, 2]");
    CHECK(rule(unary_function(kernel::unary::is_nan), {x}) == "bool [N, 2]");
    CHECK(rule(cast(element::bfloat16), {x}) == "bfloat16 [N, 2]");
    CHECK(rule(where(), {b, x, floats({})}) == "float32 [N, 2]");
    CHECK_FALSE(refusal(where(), {x, x, x}).empty());
    CHECK_FALSE(refusal(where(), {b, x, i}).empty());
}

TEST_CASE("shapes broadcast as far as they are known") {
    const extent unknown = extent::unknown();
    const arithmetic add(kernel::binary::add);
    CHECK(rule(add, {floats({rows_extent, unknown}), floats({5})}) == "float32 [N, 5]");
    CHECK(rule(add, {floats({rows_extent, unknown}), floats({1})}) == "float32 [N, ?]");
    CHECK(rule(add, {floats({rows_extent, 1}), floats({unknown})}) == "float32 [N, ?]");
    CHECK(rule(add, {floats(symbolic_shape::unknown()), floats({2})}) == "float32 [..]");
    CHECK_FALSE(mixes(add, {floats({2, rows_extent}), floats({rows_extent})}));
    const graph late = graph_of(add, {floats({unknown}), floats({unknown})});
    CHECK(run(late, {pattern({3}), pattern({1})}, 1)[0].shape() == shape{3});
    CHECK(run(late, {pattern({1}), pattern({0})}, 1)[0].shape() == shape{0});
    CHECK_FALSE(text_of([&] { (void)run(late, {pattern({3}), pattern({2})}, 1); }).empty());
}

TEST_CASE("arithmetic on sizes stays in N where it is exact") {
    const symbolic_values two_n{extent(0, 2), 6}, by{2};
    argument sizes = int64s({2}), divisor = int64s({1});
    sizes.sizes = &two_n;
    divisor.sizes = &by;
    const auto of = [&](kernel::binary kind, const argument& a, const argument& b) {
        return arithmetic(kind).sizes(std::vector<argument>{a, b});
    };
    CHECK(of(kernel::binary::div, sizes, divisor) == symbolic_values{rows_extent, 3});
    CHECK(of(kernel::binary::mul, sizes, divisor) == symbolic_values{extent(0, 4), 12});
    CHECK(of(kernel::binary::sub, sizes, divisor) == symbolic_values{extent(-2, 2), 4});
    CHECK_FALSE(of(kernel::binary::mul, sizes, sizes)->front().known());
    CHECK_FALSE(of(kernel::binary::div, divisor, sizes)->front().known());
    CHECK_FALSE(of(kernel::binary::mod, sizes, divisor).has_value());
    CHECK_FALSE(of(kernel::binary::add, sizes, int64s({1})).has_value());
    const tensor minus = list({-7}), three = list({2});  // integer division rounds towards zero, sizes round down
    const auto quotient = of(kernel::binary::div, argument(minus), argument(three));
    CHECK((!quotient || !quotient->front().known()));
}

TEST_CASE("a choice among sizes is known where each of them is: how exporters spell expand(N, -1)") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 5}});
    const auto sizes = g.constant(tensor::of<std::int64_t>({2}, {-1, -1}));
    const auto shape_of_x = g.add(shape_of(), {x}).front();
    const auto same = g.add(arithmetic(kernel::binary::equal), {shape_of_x, sizes}).front();
    CHECK(g.constant_of(same).has_value());
    const auto ones = g.constant(tensor::of<std::int64_t>({2}, {1, 1}));
    const auto target = g.add(where(), {same, ones, shape_of_x}).front();
    CHECK(g.known(target).sizes.has_value());
    const auto two = g.constant(tensor::of<std::int64_t>({2}, {2, 5}));
    CHECK_FALSE(g.constant_of(g.add(arithmetic(kernel::binary::equal), {shape_of_x, two}).front()).has_value());
}
