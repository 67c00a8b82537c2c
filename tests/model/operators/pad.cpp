// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/pad.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, unknown = extent::unknown();
const pad zeros(kernel::pad_mode::constant);
}  // namespace

TEST_CASE("pads add to extents, or cut; for all axes, or for those of input 3") {
    const value_type x = floats({N, 4});
    const tensor columns = list({0, 1, 0, -2}), last = list({-1}), one = list({5, 6}), wrong = list({1});
    CHECK(rule(pad(kernel::pad_mode::edge, {{0, 1, 0, 2}}), {x}) == "float32 [N, 7]");
    CHECK(rule(zeros, {x, argument(columns)}) == "float32 [N, 3]");
    CHECK(rule(zeros, {x, argument(one), argument::none(), argument(last)}) == "float32 [N, 15]");
    CHECK(rule(zeros, {x, int64s({4})}) == "float32 [?, ?]");
    CHECK(rule(zeros, {x, argument(one), argument::none(), int64s({1})}) == "float32 [?, ?]");
    CHECK(rule(zeros, {floats({unknown, 4}), argument(columns)}) == "float32 [?, 3]");
    CHECK(rule(zeros, {floats(symbolic_shape::unknown()), argument(columns)}) == "float32 [..]");
    CHECK(refusal(zeros, {x, argument(wrong)}) == "expected 4 pads, got 1");
    CHECK_FALSE(refusal(zeros, {x, argument(columns), int64s({})}).empty());
    CHECK_FALSE(refusal(zeros, {x}).empty());
    CHECK_FALSE(mixes(zeros, {x, argument(columns)}));
    CHECK(mixes(pad(kernel::pad_mode::edge, {{1, 0, 0, 0}}), {x}));
    CHECK(mixes(pad(kernel::pad_mode::reflect, {{1, 0, -1, 0}}), {x}));  // as many rows, but others
    CHECK_FALSE(mixes(pad(kernel::pad_mode::edge, {{1, 0, 2, 0}}), {floats({3, N})}));
    CHECK(rows_are_independent(graph_of(pad(kernel::pad_mode::reflect, {{0, 2, 0, 1}}), {x}), pattern({5, 4}), 0));
}

TEST_CASE("a constant to pad with, and pads that only a run tells") {
    const tensor x = tensor::of<float>({1, 2}, {1, 2}), nine = tensor::of<float>({}, {9});
    const graph g = graph_of(zeros, {floats({N, unknown}), int64s({4})}, {nine});
    CHECK(floats_of(run(g, {x, list({0, 1, 0, 2})}, 1)[0]) == std::vector<float>{9, 1, 2, 9, 9});
    CHECK(floats_of(run(g, {x, list({0, -1, 0, 0})}, 1)[0]) == std::vector<float>{2});
    CHECK(run(g, {x, list({0, -2, 0, 0})}, 1)[0].size() == 0);
    CHECK_FALSE(text_of([&] { (void)run(g, {x, list({0, -3, 0, 0})}, 1); }).empty());
}
