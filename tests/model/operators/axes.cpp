// tests/model/operators/axes.cpp - axes added, removed and reordered: where the rows are afterwards.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/axes.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, unknown = extent::unknown();
}

TEST_CASE("squeeze removes axes of extent 1: those named, those of input 1, or all") {
    const value_type x = floats({N, 1, 3, 1});
    const tensor last = list({-1}), second = list({2});
    CHECK(rule(squeeze(), {x}) == "float32 [N, 3]");
    CHECK(rule(squeeze({{1}}), {x}) == "float32 [N, 3, 1]");
    CHECK(rule(squeeze(), {x, argument(last)}) == "float32 [N, 1, 3]");
    CHECK(rule(squeeze(), {x, int64s({1})}) == "float32 [..]");
    CHECK(rule(squeeze(), {floats({N, unknown})}) == "float32 [..]");
    CHECK(rule(squeeze({{1}}), {floats({N, unknown})}) == "float32 [N]");
    CHECK(rule(squeeze(), {floats(symbolic_shape::unknown())}) == "float32 [..]");
    CHECK(refusal(squeeze(), {x, argument(second)}) == "expected an extent of 1 at axis 2, got [N, 1, 3, 1]");
    CHECK_FALSE(refusal(squeeze({{0}}), {x}).empty());  // N is not always 1
    CHECK_FALSE(refusal(squeeze({{4}}), {x}).empty());
    CHECK_FALSE(mixes(squeeze(), {x}));
    CHECK(rows_are_independent(graph_of(squeeze(), {floats({1, N, 3})}), pattern({1, 4, 3}), 1));
    const graph late = graph_of(squeeze({{1}}), {floats({N, unknown})});
    CHECK_FALSE(text_of([&] { (void)run(late, {pattern({2, 3})}, 2); }).empty());
}

TEST_CASE("unsqueeze adds axes where they stand in the answer") {
    const tensor axes = list({0, -1}), twice = list({0, 0});
    CHECK(rule(unsqueeze({{1}}), {floats({N, 3})}) == "float32 [N, 1, 3]");
    CHECK(rule(unsqueeze(), {floats({N, 3}), argument(axes)}) == "float32 [1, N, 3, 1]");
    CHECK(rule(unsqueeze(), {floats({N, 3}), int64s({2})}) == "float32 [..]");
    CHECK_FALSE(refusal(unsqueeze(), {floats({3}), argument(twice)}).empty());
    CHECK_FALSE(refusal(unsqueeze({{3}}), {floats({N, 3})}).empty());
    CHECK_FALSE(refusal(unsqueeze(), {floats({N, 3})}).empty());
    const graph g = graph_of(unsqueeze({{0}}), {floats({N, 3})});
    CHECK(g.row_mixer().empty());
    CHECK(rows_are_independent(g, pattern({4, 3}), 0));
}

TEST_CASE("transpose moves the rows, and mixes none") {
    CHECK(rule(transpose(), {floats({N, 2, 3})}) == "float32 [3, 2, N]");
    CHECK(rule(transpose({1, 2, 0}), {floats({N, 2, unknown})}) == "float32 [2, ?, N]");
    CHECK(rule(transpose({1, 0}), {floats(symbolic_shape::unknown())}) == "float32 [?, ?]");
    CHECK(rule(transpose(), {floats(symbolic_shape::unknown())}) == "float32 [..]");
    CHECK_FALSE(refusal(transpose({0, 0}), {floats({N, 2})}).empty());
    CHECK_FALSE(refusal(transpose({1, 0}), {floats({N, 2, 3})}).empty());
    CHECK_FALSE(refusal(transpose({0, 2}), {floats({N, 2})}).empty());
    for (const std::size_t axis : {0UL, 1UL, 2UL}) {
        symbolic_shape of{2, 3, 4};
        of[axis] = N;
        const graph g = graph_of(transpose({2, 0, 1}), {floats(of)});
        CHECK(g.row_mixer().empty());
        CHECK(rows_are_independent(g, pattern({2, 3, 4}), axis));
    }
    const auto y = run(graph_of(transpose({2, 0, 1}), {floats({N, 3, 4})}), {pattern({2, 3, 4})}, 2);
    const tensor x = pattern({2, 3, 4});
    for (std::int64_t i = 0; i < 2; ++i)
        for (std::int64_t j = 0; j < 3; ++j)
            for (std::int64_t k = 0; k < 4; ++k) CHECK(y[0].as<float>()(k, i, j) == x.as<float>()(i, j, k));
    CHECK(run(graph_of(transpose(), {floats({N, 0})}), {tensor(element::float32, {2, 0})}, 2)[0].shape() ==
          shape{0, 2});
}
