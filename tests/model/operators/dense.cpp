// tests/model/operators/dense.cpp - a product with constant weights: shapes, fusing, refusals.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/dense.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const std::vector<float> w{1, 2, 3, 4, 5, 6};
const view<const float> weights(w.data(), shape{3, 2});
}  // namespace

TEST_CASE("dense keeps all axes but the last") {
    const dense op(weights);
    CHECK(answers_of(op, {{element::float32, {rows_extent, 3}}})[0].text() == "float32 [N, 2]");
    CHECK(answers_of(op, {{element::float32, {rows_extent, 7, 3}}})[0].text() == "float32 [N, 7, 2]");
    CHECK(answers_of(op, {{element::float32, {3}}})[0].text() == "float32 [2]");
    CHECK_THROWS_WITH(answers_of(op, {{element::float32, {rows_extent, 2}}}),
                      "expected float32 [.., 3], got float32 [N, 2]");
    CHECK_THROWS_WITH(answers_of(op, {{element::float64, {rows_extent, 3}}}), Catch::Matchers::Contains("float64"));
    CHECK_THROWS_WITH(answers_of(op, {{element::float32, {3, rows_extent}}}), Catch::Matchers::Contains("[3, N]"));
    CHECK(op.weight_bytes() >= sizeof(float) * 6);
}

TEST_CASE("dense multiplies rows of any rank, adds the bias, activates once") {
    const std::vector<float> b{-10, -20};
    const dense plain(weights, view<const float>(b));
    const auto fused = plain.with(kernel::activation::relu);
    REQUIRE(fused.has_value());
    CHECK_FALSE(fused->with(kernel::activation::relu).has_value());
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 2, 3}});
    const graph model = std::move(g).finish({{"a", g.add(plain, {x}).front()}, {"b", g.add(*fused, {x}).front()}});
    const auto y = run(model, {tensor::of<float>({1, 2, 3}, {1, 0, 0, 1, 1, 1})}, 1);
    CHECK(y[0].shape() == shape{1, 2, 2});
    CHECK(floats_of(y[0]) == std::vector<float>{-9, -18, -1, -8});
    CHECK(floats_of(y[1]) == std::vector<float>{0, 0, 0, 0});
}

TEST_CASE("dense takes weights with any strides and refuses what is no matrix") {
    const dense transposed(view<const float>(w.data(), shape{2, 3}, strides{1, 2}));
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 2}});
    const graph model = std::move(g).finish({{"y", g.add(transposed, {x}).front()}});
    CHECK(floats_of(run(model, {tensor::of<float>({1, 2}, {1, 10})}, 1)[0]) == std::vector<float>{21, 43, 65});
    CHECK_THROWS_WITH(dense(view<const float>(w)), "expected a weight matrix, got [6]");
    CHECK_THROWS_WITH(dense(weights, view<const float>(w)), "expected a bias [2], got [6]");
}
