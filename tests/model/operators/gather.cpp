// tests/model/operators/gather.cpp - shapes of what is picked and put by index, and when that mixes rows.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/gather.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {
const extent N = rows_extent, unknown = extent::unknown();
const value_type x = floats({N, 4, 3});
}  // namespace

TEST_CASE("gather puts the indices' axes in the place of one") {
    CHECK(rule(gather(1), {x, int64s({5, 6})}) == "float32 [N, 5, 6, 3]");
    CHECK(rule(gather(-1), {x, int64s({})}) == "float32 [N, 4]");
    CHECK(rule(gather(0), {floats({100, 8}), int64s({N, unknown})}) == "float32 [N, ?, 8]");
    CHECK(rule(gather(0), {x, int64s(symbolic_shape::unknown())}) == "float32 [..]");
    CHECK(refusal(gather(1), {x, floats({2})}) == "expected indices of int64 or int32, got float32 [2]");
    CHECK_FALSE(refusal(gather(3), {x, int64s({2})}).empty());
    CHECK(mixes(gather(0), {x, int64s({2})}));
    CHECK_FALSE(mixes(gather(1), {x, int64s({2})}));
    CHECK_FALSE(mixes(gather(0), {floats({100, 8}), int64s({N, 2})}));  // an embedding
    CHECK(mixes(gather(1), {x, int64s({N})}));
    CHECK_FALSE(mixes(gather(0), {floats({4, N}), int64s({2})}));
    CHECK(rows_are_independent(graph_of(gather(1), {x}, {list({3, -1, 0})}), pattern({5, 4, 3}), 0));
    CHECK(rows_are_independent(graph_of(gather(0), {floats({4, N})}, {list({3, 0})}), pattern({4, 6}), 1));
}

TEST_CASE("gather of sizes; an index out of range is the run's to refuse") {
    const symbolic_values sizes{N, 4, 3};
    argument listed = int64s({3});
    listed.sizes = &sizes;
    const tensor two = list({-1, 0}), far = list({3});
    CHECK(gather().sizes(std::vector<argument>{listed, argument(two)}) == symbolic_values{3, N});
    CHECK_FALSE(gather().sizes(std::vector<argument>{listed, argument(far)}).has_value());
    CHECK_FALSE(gather().sizes(std::vector<argument>{listed, int64s({1})}).has_value());
    const graph g = graph_of(gather(1), {x, int64s({unknown})});
    CHECK(run(g, {pattern({2, 4, 3}), list({0, -4})}, 2)[0].shape() == shape{2, 2, 3});
    CHECK(run(g, {pattern({2, 4, 3}), list({})}, 2)[0].shape() == shape{2, 0, 3});
    CHECK_FALSE(text_of([&] { (void)run(g, {pattern({2, 4, 3}), list({4})}, 2); }).empty());
}

TEST_CASE("elements and slices by tuples of indices") {
    CHECK(rule(gather_elements(1), {x, int64s({N, 2, 3})}) == "float32 [N, 2, 3]");
    CHECK_FALSE(mixes(gather_elements(1), {x, int64s({N, 2, 3})}));
    CHECK(mixes(gather_elements(0), {x, int64s({N, 4, 3})}));
    CHECK(mixes(gather_elements(1), {x, int64s({2, 2, 3})}));

    CHECK(rule(gather_nd(), {floats({5, 6, 7}), int64s({N, 2})}) == "float32 [N, 7]");
    CHECK(rule(gather_nd(1), {x, int64s({N, 9, 1})}) == "float32 [N, 9, 3]");
    CHECK(rule(gather_nd(), {x, int64s({9, unknown})}) == "float32 [..]");
    CHECK_THAT(refusal(gather_nd(), {floats({5, 6}), int64s({N, 3})}), Contains("tuples for the axes of [5, 6]"));
    CHECK_FALSE(refusal(gather_nd(2), {floats({5, 6}), int64s({N, 1})}).empty());
    CHECK_FALSE(mixes(gather_nd(1), {x, int64s({N, 9, 1})}));
    CHECK_FALSE(mixes(gather_nd(), {floats({5, 6, 7}), int64s({N, 2})}));
    CHECK(mixes(gather_nd(), {x, int64s({N, 1})}));
    CHECK(mixes(gather_nd(), {x, int64s({2, 1})}));
}

TEST_CASE("scattered answers look like the data") {
    CHECK(rule(scatter_elements(1), {x, int64s({N, 2, 3}), floats({N, 2, 3})}) == "float32 [N, 4, 3]");
    CHECK_FALSE(refusal(scatter_elements(1), {x, int64s({N, 2, 3}), int64s({N, 2, 3})}).empty());
    CHECK_FALSE(refusal(scatter_elements(1), {x, floats({N, 2, 3}), floats({N, 2, 3})}).empty());
    CHECK_FALSE(mixes(scatter_elements(1), {x, int64s({N, 2, 3}), floats({N, 2, 3})}));
    CHECK(mixes(scatter_elements(0), {x, int64s({N, 2, 3}), floats({N, 2, 3})}));
    CHECK(mixes(scatter_elements(1), {x, int64s({2, 2, 3}), floats({2, 2, 3})}));
    CHECK(rule(scatter_nd(), {floats(symbolic_shape::unknown()), int64s({2, 1}), floats({2, 3})}) == "float32 [..]");
    CHECK(mixes(scatter_nd(), {x, int64s({2, 1}), floats({2, 4, 3})}));
    const graph g = graph_of(scatter_elements(), {floats({unknown})}, {list({2, 0}), tensor::of<float>({2}, {7, 8})});
    CHECK(floats_of(run(g, {tensor::of<float>({3}, {1, 2, 3})}, 1)[0]) == std::vector<float>{8, 2, 7});
}
