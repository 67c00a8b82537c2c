// tests/model/operators/reshape.cpp - the same elements under another shape, for every N.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/reshape.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
std::string reshaped(symbolic_shape from, std::vector<std::int64_t> to, zero_extent zero = zero_extent::copies_input) {
    return answers_of(reshape(std::move(to), zero), {{element::int64, std::move(from)}})[0].shape.text();
}
const extent N = rows_extent;
}  // namespace

TEST_CASE("reshape works out what is left, in N") {
    CHECK(reshaped({N, 16, 5, 5}, {-1, 400}) == "[N, 400]");
    CHECK(reshaped({N, 16, 5, 5}, {0, -1}) == "[N, 400]");
    CHECK(reshaped({N, 4}, {2, -1}) == "[2, 2N]");
    CHECK(reshaped({extent(0, 2), 3}, {0, -1}) == "[2N, 3]");
    CHECK(reshaped({extent(2, 2), 3}, {-1, 6}) == "[N + 1, 6]");
    CHECK(reshaped({N, 0}, {0, 0}) == "[N, 0]");
    CHECK(reshaped({2, 0}, {0, 5}, zero_extent::is_zero) == "[0, 5]");
    CHECK_THROWS_WITH(reshaped({N, 4}, {3, -1}),
                      "expected the same number of elements, got [N, 4] reshaped to [3, -1]");
    CHECK_THROWS(reshaped({N, 4}, {4}));
    CHECK_THROWS(reshaped({extent(1, 2), 3}, {-1, 6}));
    CHECK_THROWS(reshaped({2, 0}, {-1, 0}));
    CHECK_THROWS(reshaped({N, 4}, {INT64_MIN}));
    CHECK_THROWS(reshaped({N, 4}, {INT64_MAX, INT64_MAX}));
}

TEST_CASE("flatten, identity") {
    const value_type x{element::boolean, {N, 2, 3}};
    CHECK(answers_of(flatten(1), {x})[0].text() == "bool [N, 6]");
    CHECK(answers_of(flatten(3), {x})[0].text() == "bool [6N, 1]");
    CHECK(answers_of(flatten(-3), {x})[0].text() == "bool [1, 6N]");
    CHECK(answers_of(flatten(0), {{element::float32, {}}})[0].text() == "float32 [1, 1]");
    CHECK_THROWS(answers_of(flatten(4), {x}));
    CHECK(answers_of(identity(), {x})[0] == x);
}

TEST_CASE("none of them takes a step") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {N, 2, 3}});
    const auto y = g.add(identity(), {g.add(flatten(), {g.add(reshape({0, 3, 2}), {x}).front()}).front()}).front();
    const graph model = std::move(g).finish({{"y", y}});
    CHECK(model.state().steps.empty());
    CHECK(floats_of(run(model, {tensor::of<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6})}, 1)[0]) ==
          std::vector<float>{1, 2, 3, 4, 5, 6});
}
