// tests/model/operators/selection.cpp - answers whose shape depends on elements, and orders along an axis.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/selection.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, unknown = extent::unknown();
const value_type x = floats({N, 4, 3}), columns = floats({4, N});
tensor number(std::int64_t value) { return tensor::of<std::int64_t>({}, {value}); }
std::vector<std::int64_t> ints_of(const tensor& t) { return integers_in(tensor_view(t)); }
}  // namespace

TEST_CASE("what is not 0, what is marked, what is distinct: as many as there are") {
    CHECK(rule(non_zero(), {x}) == "int64 [3, ?]");
    CHECK(rule(non_zero(), {floats(symbolic_shape::unknown())}) == "int64 [?, ?]");
    const value_type marks{element::boolean, {unknown}};
    CHECK(rule(compress(1), {x, marks}) == "float32 [N, ?, 3]");
    CHECK(rule(compress(), {x, marks}) == "float32 [?]");
    CHECK_FALSE(refusal(compress(1), {x, floats({4})}).empty());
    CHECK_FALSE(refusal(compress(3), {x, marks}).empty());
    const unique distinct(kernel::unique_order::sorted, {});
    CHECK(rule(distinct, {x}) == "float32 [?], int64 [?], int64 [?], int64 [?]");
    CHECK(rule(unique(kernel::unique_order::seen, 1), {x}) == "float32 [N, ?, 3], int64 [?], int64 [?], int64 [?]");
    CHECK(mixes(non_zero(), {x}));

    const tensor values = tensor::of<float>({4}, {3, 0, 1, 3});
    const auto places = run(graph_of(non_zero(), {floats({N})}), {values}, 4);
    CHECK(places[0].shape() == shape{1, 3});
    const tensor marked = tensor::of<bool>({2}, {false, true});
    CHECK(floats_of(run(graph_of(compress(), {floats({N})}, {marked}), {values}, 4)[0]) == std::vector<float>{0});
    const auto found = run(graph_of(distinct, {floats({N})}), {values}, 4);
    CHECK(floats_of(found[0]) == std::vector<float>{0, 1, 3});
    CHECK(ints_of(found[1]) == std::vector<std::int64_t>{1, 2, 0});
    CHECK(ints_of(found[2]) == std::vector<std::int64_t>{2, 0, 1, 2});
    CHECK(ints_of(found[3]) == std::vector<std::int64_t>{1, 1, 2});
    CHECK(run(graph_of(non_zero(), {floats({N, 2})}), {tensor(element::float32, {0, 2})}, 0)[0].shape() == shape{2, 0});
    CHECK(run(graph_of(distinct, {floats({N})}), {tensor(element::float32, {0})}, 0)[0].size() == 0);
}

TEST_CASE("the best elements along an axis") {
    const top_k largest(kernel::extreme::largest, -1, {});
    const tensor two = list({2}), five = list({5});
    CHECK(rule(largest, {x, argument(two)}) == "float32 [N, 4, 2], int64 [N, 4, 2]");
    CHECK(rule(largest, {x, int64s({1})}) == "float32 [N, 4, ?], int64 [N, 4, ?]");
    CHECK(rule(largest, {floats({N, unknown}), argument(five)}) == "float32 [N, 5], int64 [N, 5]");
    CHECK(refusal(largest, {x, argument(five)}) == "expected 0 to 3 elements, got 5");
    CHECK_FALSE(refusal(largest, {x}).empty());
    CHECK_FALSE(mixes(largest, {x, argument(two)}));
    CHECK(mixes(top_k(kernel::extreme::largest, 0, 1), {x}));
    CHECK(rows_are_independent(graph_of(top_k(kernel::extreme::smallest, 0, 2), {columns}), pattern({4, 6}), 1));
    const graph late = graph_of(largest, {floats({N, unknown}), int64s({1})});
    CHECK(floats_of(run(late, {tensor::of<float>({1, 3}, {1, 3, 2}), list({2})}, 1)[0]) == std::vector<float>{3, 2});
    CHECK_FALSE(text_of([&] { (void)run(late, {pattern({1, 3}), list({4})}, 1); }).empty());
}

TEST_CASE("sums so far along an axis that may be known, or not") {
    const cumulative_sum sums(kernel::own_element::counts, kernel::sum_from::start);
    const tensor first = number(0), last = number(-1);
    CHECK(rule(sums, {x, int64s({})}) == "float32 [N, 4, 3]");
    CHECK(mixes(sums, {x, argument(first)}));
    CHECK_FALSE(mixes(sums, {x, argument(last)}));
    CHECK(mixes(sums, {x, int64s({})}));
    CHECK_FALSE(mixes(sums, {columns, argument(first)}));
    CHECK(rows_are_independent(graph_of(sums, {columns}, {first}), pattern({4, 5}), 1));
    const graph g = graph_of(sums, {floats({N, 3}), int64s(symbolic_shape::unknown())});
    const tensor values = tensor::of<float>({1, 3}, {1, 2, 3});
    CHECK(floats_of(run(g, {values, number(1)}, 1)[0]) == std::vector<float>{1, 3, 6});
    CHECK_FALSE(text_of([&] { (void)run(g, {values, number(2)}, 1); }).empty());
    CHECK_FALSE(text_of([&] { (void)run(g, {values, list({0, 1})}, 1); }).empty());
}

TEST_CASE("reversed sequences: rows at the batch axis stay apart") {
    const reverse_sequence by_rows(0, 1);
    CHECK(rule(by_rows, {floats({N, 4}), int64s({N})}) == "float32 [N, 4]");
    CHECK_FALSE(mixes(by_rows, {floats({N, 4}), int64s({N})}));
    CHECK(mixes(reverse_sequence(1, 0), {floats({N, 4}), int64s({4})}));
    CHECK(mixes(by_rows, {floats({N, 4}), int64s({4})}));
    const graph g = graph_of(by_rows, {floats({N, 3}), int64s({N})});
    const tensor values = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(floats_of(run(g, {values, list({2, 3})}, 2)[0]) == std::vector<float>{2, 1, 3, 6, 5, 4});
    CHECK_FALSE(text_of([&] { (void)run(g, {values, list({2, 4})}, 2); }).empty());
}
