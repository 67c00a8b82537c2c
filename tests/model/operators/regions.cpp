// tests/model/operators/regions.cpp - shapes and rows; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/regions.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, any = extent::unknown();
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
}  // namespace

TEST_CASE("regions of images") {
    const roi_align op({}, 2, 3);
    const value_type where{element::int64, {N}};
    CHECK(answers_of(op, {of({1, 4, any, 9}), of({N, 4}), where})[0].text() == "float32 [N, 4, 2, 3]");
    CHECK_THROWS(answers_of(op, {of({1, 4, 9, 9}), of({N, 5}), where}));
    CHECK_THROWS(answers_of(op, {of({4, 9, 9}), of({N, 4}), where}));
    CHECK_THROWS(roi_align({}, 0, 3));
    const auto mixes = [&](std::vector<argument> in) { return op.mixes_rows(in); };
    CHECK_FALSE(mixes({of({1, 4, 9, 9}), of({N, 4}), where}));
    CHECK(mixes({of({N, 4, 9, 9}), of({3, 4}), value_type{element::int64, {3}}}));
}

TEST_CASE("regions of whole pixels") {
    const max_roi_pooling op(2, 3, 1);
    CHECK(answers_of(op, {of({1, 4, any, 9}), of({N, 5})})[0].text() == "float32 [N, 4, 2, 3]");
    CHECK_THROWS(answers_of(op, {of({1, 4, 9, 9}), of({N, 4})}));
    CHECK_THROWS(max_roi_pooling(2, 0, 1));
}

TEST_CASE("images at points") {
    CHECK(answers_of(grid_sample(), {of({N, 4, 9, 9}), of({N, any, 7, 2})})[0].text() == "float32 [N, 4, ?, 7]");
    CHECK_THROWS(answers_of(grid_sample(), {of({N, 4, 9, 9}), of({N, 7, 7, 3})}));
    CHECK_THROWS(answers_of(grid_sample(), {of({N, 4, 9}), of({N, 7, 7, 2})}));
}

TEST_CASE("how many boxes stay is known in a run only") {
    const value_type boxes = of({1, 3, 4}), scores = of({1, 1, 3});
    CHECK(answers_of(non_max_suppression(), {boxes, scores})[0].text() == "int64 [?, 3]");
    CHECK_THROWS(answers_of(non_max_suppression(), {boxes, of({1, 1, 4})}));
    CHECK_THROWS(answers_of(non_max_suppression(), {boxes, scores, scores}));
    graph_builder g;
    const auto b = g.input("b", boxes), s = g.input("s", scores);
    const auto most = g.constant(tensor::of<std::int64_t>({}, {3}));
    const auto overlap = g.constant(tensor::of<float>({1}, {0.5F}));
    const auto kept = g.add(non_max_suppression(), {b, s, most, overlap}).front();
    const graph model = std::move(g).finish({{"kept", kept}});
    const auto x = tensor::of<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0, 1, 0.9F, 5, 5, 6, 6});
    const auto y = tensor::of<float>({1, 1, 3}, {0.5F, 0.9F, 0.1F});
    workspace space;
    const std::vector<tensor_view> in{x, y};
    const auto out = model.run(in, space);
    const auto values = out[0].as<std::int64_t>().flat();
    CHECK(std::vector<std::int64_t>(values.begin(), values.end()) == std::vector<std::int64_t>{0, 0, 1, 0, 0, 2});
}
