// tests/model/operators/pieces.cpp - shapes of what is put together and cut apart, and when that mixes rows.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/pieces.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {

const extent N = rows_extent, unknown = extent::unknown();
const value_type x23 = floats({N, 2, 3});

std::vector<std::int64_t> sliced(const std::vector<std::int64_t>& of, std::int64_t start, std::int64_t end,
                                 std::int64_t step) {
    const graph g = graph_of(slice(), {int64s({unknown})}, {list({start}), list({end}), list({0}), list({step})});
    const auto y = run(g, {list(of)}, 1);
    return integers_in(tensor_view(y[0]));
}

}  // namespace

TEST_CASE("concat adds extents along its axis, and takes the others from whoever knows them") {
    CHECK(rule(concat(2), {x23, floats({N, unknown, 4})}) == "float32 [N, 2, 7]");
    CHECK(rule(concat(-1), {floats({N, unknown}), floats({unknown, 4})}) == "float32 [N, ?]");
    CHECK(rule(concat(0), {floats({N, 2}), floats({N, 2}), floats({3, 2})}) == "float32 [2N + 3, 2]");
    CHECK(rule(concat(0), {floats({N, 2}), floats(symbolic_shape::unknown())}) == "float32 [?, ?]");
    CHECK(refusal(concat(2), {x23, floats({N, 5, 4})}) ==
          "expected values that differ along axis 2 alone, got float32 [N, 2, 3] and float32 [N, 5, 4]");
    CHECK_FALSE(refusal(concat(2), {x23, int64s({N, 2, 3})}).empty());
    CHECK_FALSE(refusal(concat(3), {x23}).empty());
    CHECK_FALSE(refusal(concat(0), {}).empty());
    CHECK_FALSE(mixes(concat(1), {x23, x23}));
    CHECK(mixes(concat(0), {floats({N, 2}), floats({N, 2})}));
    CHECK(mixes(concat(2), {floats({N, 2, 1}), floats({2, N, 1})}));
    CHECK_FALSE(mixes(concat(0), {floats({2, N}), floats({3, N})}));
}

TEST_CASE("concat of nothing and something") {
    const graph g = graph_of(concat(1), {floats({N, 2}), floats({N, unknown})});
    const auto y = run(g, {pattern({2, 2}), tensor(element::float32, {2, 0})}, 2);
    CHECK(same_bits(y[0], pattern({2, 2})));
}

TEST_CASE("split by lengths, known or not, or evenly") {
    const tensor lengths = list({1, 2}), wrong = list({1, 1});
    CHECK(rule(split(2, 2, {{1, 2}}), {x23}) == "float32 [N, 2, 1], float32 [N, 2, 2]");
    CHECK(rule(split(-1, 2), {x23, argument(lengths)}) == "float32 [N, 2, 1], float32 [N, 2, 2]");
    CHECK(rule(split(2, 2), {x23, int64s({2})}) == "float32 [N, 2, ?], float32 [N, 2, ?]");
    CHECK(rule(split(1, 2), {x23}) == "float32 [N, 1, 3], float32 [N, 1, 3]");
    CHECK(rule(split(2, 2), {x23}) == "float32 [N, 2, 2], float32 [N, 2, 1]");
    CHECK(rule(split(0, 4), {floats({5})}) == "float32 [2], float32 [2], float32 [1], float32 [0]");
    CHECK(rule(split(0, 2), {floats({extent(0, 2)})}) == "float32 [N], float32 [N]");
    CHECK(rule(split(0, 2), {floats({N})}) == "float32 [?], float32 [?]");
    CHECK(rule(split(0, 2), {floats(symbolic_shape::unknown())}) == "float32 [..], float32 [..]");
    CHECK(refusal(split(2, 2), {x23, argument(wrong)}) == "expected 2 lengths that make 3, got 2 that make 2");
    CHECK(mixes(split(0, 2), {floats({extent(0, 2)})}));
    CHECK_FALSE(mixes(split(1, 2), {x23}));
    const tensor five = pattern({5, 2});
    const auto y = run(graph_of(split(0, 2), {floats({unknown, 2})}), {five}, 1);
    CHECK(y[0].shape() == shape{3, 2});
    CHECK(same_bits(y[1], tensor(tensor_view(five).slice(0, 3, 2))));
}

TEST_CASE("slice clamps bounds, counts from the end, and walks backwards") {
    const std::vector<std::int64_t> of{0, 1, 2, 3, 4};
    CHECK(sliced(of, 1, 3, 1) == std::vector<std::int64_t>{1, 2});
    CHECK(sliced(of, -2, INT64_MAX, 1) == std::vector<std::int64_t>{3, 4});
    CHECK(sliced(of, -9, -3, 1) == std::vector<std::int64_t>{0, 1});
    CHECK(sliced(of, 4, 0, -2) == std::vector<std::int64_t>{4, 2});
    CHECK(sliced(of, INT64_MAX, INT64_MIN, -1) == std::vector<std::int64_t>{4, 3, 2, 1, 0});
    CHECK(sliced(of, 0, 5, 3) == std::vector<std::int64_t>{0, 3});
    CHECK(sliced(of, 0, 5, INT64_MAX) == std::vector<std::int64_t>{0});
    CHECK(sliced(of, 4, -9, INT64_MIN) == std::vector<std::int64_t>{4});
    CHECK(sliced(of, 3, 3, 1).empty());
    CHECK(sliced({}, -1, 5, 1).empty());
    CHECK(sliced({}, -1, INT64_MIN, -1).empty());
}

TEST_CASE("slice: shapes, and which slices leave rows alone") {
    constexpr std::int64_t end = INT64_MAX;
    CHECK(rule(slice({.starts = {1}, .ends = {end}, .axes = {2}}), {x23}) == "float32 [N, 2, 2]");
    CHECK(rule(slice({.starts = {0, 0}, .ends = {end, 1}}), {x23}) == "float32 [N, 1, 3]");
    CHECK(rule(slice({.starts = {1}, .ends = {end}, .axes = {0}}), {x23}) == "float32 [?, 2, 3]");
    const tensor zero = list({0}), two = list({2});
    CHECK(rule(slice(), {x23, int64s({1}), int64s({1})}) == "float32 [?, ?, ?]");
    CHECK(rule(slice(), {x23, int64s({1}), int64s({1}), argument(two)}) == "float32 [N, 2, ?]");
    CHECK(refusal(slice(), {x23, argument(zero), argument(two), argument(two), argument(zero)}) ==
          "expected steps other than 0, got 0");
    CHECK_FALSE(refusal(slice({.starts = {1, 2}, .ends = {end}}), {x23}).empty());
    CHECK_FALSE(mixes(slice({.starts = {1}, .ends = {end}, .axes = {2}}), {x23}));
    CHECK_FALSE(mixes(slice({.starts = {0}, .ends = {end}, .axes = {0}}), {x23}));
    CHECK(mixes(slice({.starts = {1}, .ends = {end}, .axes = {0}}), {x23}));
    CHECK(mixes(slice({.starts = {0}, .ends = {end}, .axes = {0}, .steps = {-1}}), {x23}));
    CHECK(rows_are_independent(graph_of(slice({.starts = {2}, .ends = {0}, .axes = {1}, .steps = {-1}}), {x23}),
                               pattern({4, 2, 3}), 0));
}

TEST_CASE("sizes go through concat and slice") {
    const symbolic_values sizes{N, 3, 5};
    argument listed = int64s({3});
    listed.sizes = &sizes;
    const tensor one = list({1}), minus = list({-1}), nine = list({9});
    CHECK(slice().sizes(std::vector<argument>{listed, argument(one), argument(nine)}) == symbolic_values{3, 5});
    CHECK(concat(0).sizes(std::vector<argument>{listed, argument(minus)}) == symbolic_values{N, 3, 5, -1});
    CHECK_FALSE(concat(0).sizes(std::vector<argument>{listed, int64s({1})}).has_value());
}

TEST_CASE("expand and tile: rows stay where they are, or mix") {
    const symbolic_values rows{N, 4, 3};
    argument to = int64s({3});
    to.sizes = &rows;
    CHECK(rule(expand(), {floats({N, 1, 3}), to}) == "float32 [N, 4, 3]");
    CHECK(rule(expand(), {floats({1, 3}), to}) == "float32 [N, 4, 3]");
    CHECK(rule(expand(), {floats({N, 3}), int64s({2})}) == "float32 [N, 3]");
    CHECK_FALSE(refusal(expand(), {floats({2, 3}), to}).empty());
    CHECK_FALSE(mixes(expand(), {floats({N, 1, 3}), to}));
    const graph g = graph_of(expand(), {floats({N, 1, 3})}, {list({2, 1, 4, 1})});
    CHECK(g.state().planned);
    CHECK(rows_are_independent(g, pattern({4, 1, 3}), 0));

    const tensor columns = list({1, 2, 2}), all = list({2, 1, 1});
    CHECK(rule(tile(), {x23, argument(columns)}) == "float32 [N, 4, 6]");
    CHECK(rule(tile(), {x23, int64s({3})}) == "float32 [?, ?, ?]");
    CHECK_FALSE(refusal(tile(), {floats({2, 3}), argument(all)}).empty());
    CHECK_FALSE(mixes(tile(), {x23, argument(columns)}));
    CHECK(mixes(tile(), {x23, argument(all)}));
    CHECK(rows_are_independent(graph_of(tile(), {x23}, {list({1, 2, 3})}), pattern({4, 2, 3}), 0));
    const auto y = run(graph_of(tile(), {floats({unknown})}, {list({3})}), {tensor::of<float>({2}, {1, 2})}, 1);
    CHECK(floats_of(y[0]) == std::vector<float>{1, 2, 1, 2, 1, 2});
    CHECK(run(graph_of(tile(), {floats({unknown})}, {list({0})}), {pattern({2})}, 1)[0].size() == 0);
}
