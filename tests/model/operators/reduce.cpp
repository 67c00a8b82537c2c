// tests/model/operators/reduce.cpp - which axes go, which stay, and when rows mix.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/reduce.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {

using kernel::reduction;
const extent N = rows_extent, unknown = extent::unknown();
const value_type x = floats({N, 2, 3}), columns = floats({2, N, 3});
constexpr auto gone = reduced_axis::removed;

}  // namespace

TEST_CASE("reductions keep axes as 1 or drop them; axes come from here, from input 1, or are all") {
    const tensor last = list({-1}), none = list({});
    CHECK(rule(reduce(reduction::sum, {{1}}), {x}) == "float32 [N, 1, 3]");
    CHECK(rule(reduce(reduction::sum, {{1, -1}}, gone), {x}) == "float32 [N]");
    CHECK(rule(reduce(reduction::sum), {x, argument(last)}) == "float32 [N, 2, 1]");
    CHECK(rule(reduce(reduction::sum), {x, int64s({1})}) == "float32 [?, ?, ?]");
    CHECK(rule(reduce(reduction::sum, {}, gone), {x, int64s({1})}) == "float32 [..]");
    CHECK(rule(reduce(reduction::sum), {x}) == "float32 [1, 1, 1]");
    CHECK(rule(reduce(reduction::sum), {x, argument(none)}) == "float32 [1, 1, 1]");
    CHECK(rule(reduce(reduction::sum, {}, reduced_axis::kept, reduce::without_axes::none), {x}) == "float32 [N, 2, 3]");
    CHECK(rule(reduce(reduction::sum, {{0}}), {floats(symbolic_shape::unknown())}) == "float32 [..]");
    CHECK(rule(reduce(reduction::max, {{0}}), {value_type{element::int8, {unknown, 2}}}) == "int8 [1, 2]");
    CHECK_FALSE(refusal(reduce(reduction::sum, {{3}}), {x}).empty());
    CHECK_FALSE(refusal(reduce(reduction::sum, {{1, 1}}), {x}).empty());
    CHECK(reduce(reduction::mean).name() == "ReduceMean");
}

TEST_CASE("a reduction mixes rows along their axis alone") {
    CHECK(mixes(reduce(reduction::sum, {{0}}), {x}));
    CHECK(mixes(reduce(reduction::sum), {x}));
    CHECK_FALSE(mixes(reduce(reduction::sum, {{1, 2}}), {x}));
    CHECK_FALSE(mixes(reduce(reduction::sum, {{0}}), {columns}));
    CHECK(mixes(reduce(reduction::sum, {{-2}}), {columns}));
    CHECK(mixes(reduce(reduction::sum), {x, int64s({1})}));
    CHECK_FALSE(mixes(reduce(reduction::sum, {}, gone, reduce::without_axes::none), {x}));
    for (const reduction kind : {reduction::sum, reduction::mean, reduction::log_sum_exp, reduction::l2}) {
        CHECK(rows_are_independent(graph_of(reduce(kind, {{1, 2}}), {floats({N, 37, 5})}), pattern({7, 37, 5}), 0));
        CHECK(rows_are_independent(graph_of(reduce(kind, {{0}}), {floats({41, N, 3})}), pattern({41, 5, 3}), 1));
        CHECK(rows_are_independent(graph_of(reduce(kind, {{0}}, gone), {floats({41, N})}), pattern({41, 9}), 1));
        CHECK(rows_are_independent(graph_of(reduce(kind, {{1}}), {floats({3, 33, N})}), pattern({3, 33, 20}), 2));
    }
}

TEST_CASE("a sum over axes that only a run tells, over nothing, and of nothing") {
    const graph g = graph_of(reduce(reduction::sum, {}, gone), {floats({N, 3}), int64s({unknown})});
    const tensor two = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(floats_of(run(g, {two, list({0})}, 2)[0]) == std::vector<float>{5, 7, 9});
    CHECK(floats_of(run(g, {two, list({1})}, 2)[0]) == std::vector<float>{6, 15});
    CHECK(floats_of(run(g, {two, list({})}, 2)[0]) == std::vector<float>{21});
    CHECK(floats_of(run(g, {tensor(element::float32, {0, 3}), list({0})}, 0)[0]) == std::vector<float>{0, 0, 0});
    CHECK(run(g, {tensor(element::float32, {0, 3}), list({1})}, 0)[0].size() == 0);
}

TEST_CASE("places of extremes") {
    using kernel::extreme;
    CHECK(rule(arg_extreme(extreme::largest, 1), {x}) == "int64 [N, 1, 3]");
    CHECK(rule(arg_extreme(extreme::largest, -1, gone), {floats({N, unknown})}) == "int64 [N]");
    CHECK(rule(arg_extreme(extreme::largest, 0), {floats(symbolic_shape::unknown())}) == "int64 [..]");
    CHECK(refusal(arg_extreme(extreme::largest, 1), {floats({N, 0})}) ==
          "expected elements along the axis, got [N, 0]");
    CHECK_FALSE(refusal(arg_extreme(extreme::largest, 3), {x}).empty());
    CHECK(mixes(arg_extreme(extreme::largest, 0), {x}));
    CHECK_FALSE(mixes(arg_extreme(extreme::largest, 1), {x}));
    CHECK_FALSE(mixes(arg_extreme(extreme::smallest, 0), {columns}));
    CHECK(rows_are_independent(graph_of(arg_extreme(extreme::smallest, 0), {columns}), pattern({2, 5, 3}), 1));
    CHECK_FALSE(text_of([] {  // nothing to choose from, which only the run tells
                    const graph g = graph_of(arg_extreme(extreme::largest, 1), {floats({N, unknown})});
                    (void)run(g, {tensor(element::float32, {2, 0})}, 2);
                }).empty());
}
