// tests/model/operators/pooling.cpp - shapes and refusals; numbers are checked in tests/kernel and tests/onnx.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/pooling.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
kernel::window2d window(std::array<std::int64_t, 2> size, std::array<std::int64_t, 2> stride) {
    kernel::window2d w;
    w.size = size;
    w.stride = stride;
    return w;
}
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
}  // namespace

TEST_CASE("pooling keeps rows and channels") {
    CHECK(answers_of(max_pooling(window({2, 2}, {2, 2})), {of({rows_extent, 6, 28, 28})})[0].text() ==
          "float32 [N, 6, 14, 14]");
    CHECK(answers_of(average_pooling(window({1, 3}, {1, 2})), {of({rows_extent, 6, 9})})[0].text() ==
          "float32 [N, 6, 4]");
    CHECK(answers_of(global_average_pooling(), {of({rows_extent, 6, 9, 5})})[0].text() == "float32 [N, 6, 1, 1]");
    CHECK(answers_of(global_average_pooling(), {of({rows_extent, 6, 9})})[0].text() == "float32 [N, 6, 1]");
}

TEST_CASE("pooling refuses what is no image") {
    const max_pooling op(window({2, 2}, {2, 2}));
    CHECK_THROWS(answers_of(op, {of({rows_extent, 6})}));
    CHECK_THROWS(answers_of(op, {of({rows_extent, 6, 1, 1})}));
    CHECK_THROWS(answers_of(op, {of({rows_extent, rows_extent, 4, 4})}));
    CHECK_THROWS(answers_of(op, {of({rows_extent, 6, 9})}));
    CHECK_THROWS(answers_of(op, {{element::int32, {rows_extent, 6, 9, 9}}}));
    CHECK_THROWS(answers_of(global_average_pooling(), {of({rows_extent, 6, 0, 5})}));
}

TEST_CASE("a pooled signal") {
    graph_builder g;
    const auto x = g.input("x", of({rows_extent, 1, 4}));
    const graph model = std::move(g).finish({{"max", g.add(max_pooling(window({1, 2}, {1, 2})), {x}).front()},
                                             {"mean", g.add(global_average_pooling(), {x}).front()}});
    const auto y = run(model, {tensor::of<float>({1, 1, 4}, {1, 4, 3, 0})}, 1);
    CHECK(floats_of(y[0]) == std::vector<float>{4, 3});
    CHECK(floats_of(y[1]) == std::vector<float>{2});
}
