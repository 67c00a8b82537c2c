// tests/model/operators/generate.cpp - lengths that follow from numbers, known or not.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/generate.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, unknown = extent::unknown();
tensor number(std::int64_t value) { return tensor::of<std::int64_t>({}, {value}); }
}  // namespace

TEST_CASE("a range's length follows from its bounds, as numbers or in N") {
    const tensor zero = number(0), seven = number(7), two = number(2), one = number(1), minus = number(-3);
    const value_type any = int64s({});
    CHECK(rule(range(), {argument(zero), argument(seven), argument(two)}) == "int64 [4]");
    CHECK(rule(range(), {argument(seven), argument(zero), argument(minus)}) == "int64 [3]");
    CHECK(rule(range(), {argument(seven), argument(zero), argument(two)}) == "int64 [0]");
    CHECK(rule(range(), {any, any, any}) == "int64 [?]");
    argument rows = int64s({});
    const symbolic_values count{N};
    rows.sizes = &count;
    CHECK(rule(range(), {argument(zero), rows, argument(one)}) == "int64 [N]");
    CHECK(rule(range(), {argument(one), rows, argument(one)}) == "int64 [N + -1]");
    CHECK(rule(range(), {argument(zero), rows, argument(two)}) == "int64 [?]");
    CHECK_FALSE(refusal(range(), {argument(zero), argument(seven), floats({})}).empty());
    CHECK_FALSE(refusal(range(), {argument(zero), argument(seven), argument(zero)}).empty());
    const graph g = graph_of(range(), {floats({}), floats({}), floats({})});
    const auto real = [](float value) { return tensor::of<float>({}, {value}); };
    CHECK(floats_of(run(g, {real(1), real(2), real(0.25F)}, 1)[0]) == std::vector<float>{1, 1.25F, 1.5F, 1.75F});
    CHECK_FALSE(text_of([&] { (void)run(g, {real(1), real(2), real(0)}, 1); }).empty());
}

TEST_CASE("one-hot codes have their depth at a new axis") {
    const tensor depth = number(5), negative = number(-1);
    const value_type values = floats({2});
    CHECK(rule(one_hot(), {int64s({N, 3}), argument(depth), values}) == "float32 [N, 3, 5]");
    CHECK(rule(one_hot(0), {int64s({N, 3}), argument(depth), values}) == "float32 [5, N, 3]");
    CHECK(rule(one_hot(-2), {int64s({N}), int64s({}), values}) == "float32 [?, N]");
    CHECK(rule(one_hot(), {int64s(symbolic_shape::unknown()), argument(depth), values}) == "float32 [..]");
    CHECK_FALSE(refusal(one_hot(), {int64s({N}), argument(negative), values}).empty());
    CHECK_FALSE(refusal(one_hot(3), {int64s({N}), argument(depth), values}).empty());
    const graph g = graph_of(one_hot(), {int64s({N})}, {number(3), tensor::of<float>({2}, {0, 1})});
    CHECK(g.row_mixer().empty());
    CHECK(floats_of(run(g, {list({2, -3, 7})}, 3)[0]) == std::vector<float>{0, 0, 1, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("diagonals and triangles") {
    CHECK(rule(eye_like(), {floats({3, unknown})}) == "float32 [3, ?]");
    CHECK(rule(eye_like(0, element::boolean), {floats({3, 4})}) == "bool [3, 4]");
    CHECK_FALSE(refusal(eye_like(), {floats({3})}).empty());
    const trilu upper(kernel::triangle::upper);
    CHECK(rule(upper, {floats({N, 3, 3}), int64s({})}) == "float32 [N, 3, 3]");
    CHECK_FALSE(refusal(upper, {floats({3})}).empty());
    CHECK_FALSE(mixes(upper, {floats({N, 3, 3})}));
    CHECK(mixes(upper, {floats({N, 3})}));
    CHECK(rows_are_independent(graph_of(upper, {floats({N, 3, 3})}, {number(1)}), pattern({4, 3, 3}), 0));
    CHECK_FALSE(text_of([&] { (void)graph_of(upper, {}, {pattern({2, 2}), list({})}); }).empty());
    const graph g = graph_of(upper, {floats({unknown, 2}), int64s({})});
    const tensor four = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    CHECK(floats_of(run(g, {four, number(0)}, 1)[0]) == std::vector<float>{1, 2, 0, 4});
    CHECK(floats_of(run(g, {four, number(1)}, 1)[0]) == std::vector<float>{0, 2, 0, 0});
}
