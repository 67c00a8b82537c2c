// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/joined_nhwc.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("joined convolutions have the channels of all, behind each other") {
    const std::vector<float> w(6 * 2 * 3 * 3, 1.0F);
    const convolution_nhwc conv({w.data(), shape{6, 2, 3, 3}}, {}, {.padding = {1, 1, 1, 1}});
    const joined_nhwc op({conv, std::nullopt});
    const extent open = extent::unknown();
    const value_type x{element::float32, {rows_extent, 8, open, 2}}, y{element::float32, {rows_extent, 8, 9, 5}};
    CHECK(answers_of(op, {x, y})[0].text() == "float32 [N, 8, 9, 11]");
    CHECK_THROWS_WITH(answers_of(op, {x}), "expected 2 inputs, got 1");
    CHECK_THROWS_WITH(answers_of(op, {y, y}), "expected float32 [N, H, W, 2], got float32 [N, 8, 9, 5]");
    CHECK_THROWS_AS(answers_of(op, {x, {element::float32, {rows_extent, 7, 9, 5}}}), std::invalid_argument);
    CHECK_THROWS_AS(answers_of(op, {x, {element::int64, {rows_extent, 8, 9, 5}}}), std::invalid_argument);
    CHECK(op.weight_bytes() == conv.weight_bytes());
    const shape shapes[] = {{2, 8, 9, 2}, {2, 8, 9, 5}};
    CHECK(op.flops(shapes) == conv.flops(std::span(shapes, 1)));
    CHECK(op.scratch_bytes(shapes) == conv.scratch_bytes(std::span(shapes, 1)));
}
