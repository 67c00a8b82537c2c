// tests/model/operators/elementwise.cpp - arithmetic and activations as operations: types, names, fusing.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/elementwise.hpp>

#include "../../catch.hpp"
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
    CHECK_THROWS(answers_of(unary_function(activation::relu), {{element::int64, {2}}}));
}
