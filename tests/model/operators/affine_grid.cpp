// tests/model/operators/affine_grid.cpp - shapes; numbers are checked in tests/onnx/operators/regions.cpp.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/affine_grid.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"

using namespace fanfold;

TEST_CASE("a grid for images or volumes of the size that is listed") {
    const tensor flat = list({2, 1, 4, 5}), volume = list({2, 1, 3, 4, 5}), wrong = list({2, 1, 4});
    const affine_grid op;
    CHECK(rule(op, {floats({2, 2, 3}), argument(tensor_view(flat))}) == "float32 [2, 4, 5, 2]");
    CHECK(rule(op, {floats({2, 3, 4}), argument(tensor_view(volume))}) == "float32 [2, 3, 4, 5, 3]");
    CHECK(rule(op, {floats({rows_extent, 2, 3}), int64s({4})}) == "float32 [N, ?, ?, 2]");
    CHECK_THROWS(op.answers(std::vector<argument>{floats({2, 3, 4}), argument(tensor_view(flat))}));
    CHECK_THROWS(op.answers(std::vector<argument>{floats({2, 1, 2}), argument(tensor_view(wrong))}));
}
