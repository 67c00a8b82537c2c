// tests/model/operators/deformable.cpp - shapes; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/deformable.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"

using namespace fanfold;

TEST_CASE("offsets and mask as large as the answer") {
    const extent N = rows_extent;
    const deformable_convolution op({}, 1, 1);
    const value_type x = floats({N, 2, 5, 5}), w = floats({3, 2, 2, 2}), moved = floats({N, 8, 4, 4});
    CHECK(rule(op, {x, w, moved}) == "float32 [N, 3, 4, 4]");
    CHECK(rule(op, {x, w, moved, argument::none(), floats({N, 4, 4, 4})}) == "float32 [N, 3, 4, 4]");
    CHECK_THROWS(op.answers(std::vector<argument>{x, w, floats({N, 8, 5, 5})}));
    CHECK_THROWS(op.answers(std::vector<argument>{x, w, moved, floats({2})}));
    CHECK_THROWS(deformable_convolution({}, 1, 0));
}

TEST_CASE("as many blocks as stand on the image") {
    const tensor image = list({4, 5}), block = list({2, 3});
    const std::vector<argument> sizes{argument(tensor_view(image)), argument(tensor_view(block))};
    const auto with = [&](value_type x) { return std::vector<argument>{argument(x), sizes[0], sizes[1]}; };
    const blocks_to_image op(blocks_to_image::placing{});
    CHECK(rule(op, with(floats({rows_extent, 12, 9}))) == "float32 [N, 2, 4, 5]");
    CHECK_THROWS(op.answers(with(floats({rows_extent, 12, 8}))));
    CHECK_THROWS(op.answers(with(floats({rows_extent, 13, 9}))));
    CHECK(rule(op, {floats({rows_extent, 12, 9}), int64s({2}), int64s({2})}) == "float32 [N, ?, ?, ?]");
    CHECK_THROWS(blocks_to_image({.strides = {0, 1}}));
}
