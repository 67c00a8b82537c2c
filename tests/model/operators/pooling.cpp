// tests/model/operators/pooling.cpp - shapes and refusals; numbers are checked in tests/kernel and tests/onnx.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/pooling.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
sliding_rule window(kernel::per_axis size, kernel::per_axis stride, std::size_t axes) {
    sliding_rule rule;
    rule.window.size = size;
    rule.window.stride = stride;
    rule.axes = axes;
    return rule;
}
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
}  // namespace

TEST_CASE("pooling keeps rows and channels") {
    const sliding_rule square = window({2, 2}, {2, 2}, 2);
    CHECK(answers_of(max_pooling(square), {of({N, 6, 28, 28})})[0].text() == "float32 [N, 6, 14, 14]");
    CHECK(answers_of(max_pooling(square), {of({N, 6, extent::unknown(), 28})})[0].text() == "float32 [N, 6, ?, 14]");
    CHECK(answers_of(max_pooling(square), {of(symbolic_shape::unknown())})[0].text() == "float32 [?, ?, ?, ?]");
    CHECK(answers_of(max_pooling(square), {{element::uint8, {N, 6, 9, 9}}})[0].text() == "uint8 [N, 6, 4, 4]");
    CHECK(answers_of(max_pooling(square, max_places::kept), {of({N, 6, 9, 9})})[1].text() == "int64 [N, 6, 4, 4]");
    CHECK(answers_of(average_pooling(window({3}, {2}, 1)), {of({N, 6, 9})})[0].text() == "float32 [N, 6, 4]");
    CHECK(answers_of(lp_pooling(window({3, 1, 1}, {2, 1, 1}, 3), 2), {of({N, 6, 9, 1, 1})})[0].text() ==
          "float32 [N, 6, 4, 1, 1]");
    for (const global_pool kind : {global_pool::average, global_pool::maximum, global_pool::norm}) {
        CHECK(answers_of(global_pooling(kind), {of({N, 6, 9, 5})})[0].text() == "float32 [N, 6, 1, 1]");
        CHECK(answers_of(global_pooling(kind), {of({N, 6, extent::unknown()})})[0].text() == "float32 [N, 6, 1]");
    }
    const value_type places{element::int64, {N, 6, 4, 4}}, target{element::int64, {4}};
    CHECK(answers_of(max_unpooling(square), {of({N, 6, 4, 4}), places})[0].text() == "float32 [N, 6, 8, 8]");
    CHECK(answers_of(max_unpooling(square), {of({N, 6, 4, 4}), places, target})[0].text() == "float32 [?, ?, ?, ?]");
}

TEST_CASE("places of maxima tell where a row stands") {
    const std::vector<argument> in{of({N, 6, 9, 9})};
    CHECK_FALSE(max_pooling(window({2, 2}, {2, 2}, 2)).mixes_rows(in));
    CHECK(max_pooling(window({2, 2}, {2, 2}, 2), max_places::kept).mixes_rows(in));
}

TEST_CASE("pooling refuses what is no image") {
    sliding_rule rule = window({2, 2}, {2, 2}, 2);
    CHECK_THROWS(answers_of(max_pooling(rule), {of({N, 6})}));
    CHECK_THROWS(answers_of(max_pooling(rule), {of({N, 6, 1, 1})}));
    CHECK_THROWS(answers_of(max_pooling(rule), {of({N, 6, 9})}));
    CHECK_THROWS(answers_of(max_pooling(rule), {{element::int32, {N, 6, 9, 9}}}));
    CHECK_THROWS(answers_of(average_pooling(rule), {{element::int8, {N, 6, 9, 9}}}));
    CHECK_THROWS(answers_of(global_pooling(global_pool::average), {of({N, 6, 0, 5})}));
    CHECK_THROWS(answers_of(max_unpooling(rule), {of({N, 6, 4, 4}), of({N, 6, 4, 4})}));
    CHECK_THROWS(lp_pooling(rule, 0));
    rule.window.after = {0, 2};
    CHECK_THROWS(answers_of(max_pooling(rule), {of({N, 6, 9, 9})}));
}

TEST_CASE("a pooled signal") {
    graph_builder g;
    const auto x = g.input("x", of({N, 1, 4}));
    const graph model = std::move(g).finish({{"max", g.add(max_pooling(window({2}, {2}, 1)), {x}).front()},
                                             {"mean", g.add(global_pooling(global_pool::average), {x}).front()}});
    const auto y = run(model, {tensor::of<float>({1, 1, 4}, {1, 4, 3, 0})}, 1);
    CHECK(floats_of(y[0]) == std::vector<float>{4, 3});
    CHECK(floats_of(y[1]) == std::vector<float>{2});
}
