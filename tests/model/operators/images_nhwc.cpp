// tests/model/operators/images_nhwc.cpp - shapes, refusals, fusing;
// numbers are checked in tests/kernel and tests/model.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/images_nhwc.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const std::vector<float> w(6 * 2 * 3 * 3, 1.0F);
const view<const float> weights(w.data(), shape{6, 2, 3, 3});
const extent open = extent::unknown();
}  // namespace

TEST_CASE("a convolution with channels side by side takes images of any size") {
    const convolution_nhwc op(weights, {}, {.stride = {2, 1}, .padding = {1, 1, 1, 1}});
    CHECK(answers_of(op, {{element::float32, {rows_extent, 8, 9, 2}}})[0].text() == "float32 [N, 4, 9, 6]");
    CHECK(answers_of(op, {{element::float32, {rows_extent, 8, open, open}}})[0].text() == "float32 [N, 4, ?, 6]");
    CHECK_THROWS_WITH(answers_of(op, {{element::float32, {rows_extent, 2, 8, 9}}}),
                      "expected float32 [N, H, W, 2], got float32 [N, 2, 8, 9]");
    CHECK(op.weight_bytes() >= w.size() * sizeof(float));
}

TEST_CASE("an addend comes before the activation") {
    const convolution_nhwc plain(weights, {}, {});
    CHECK_FALSE(plain.with(kernel::activation::relu)->with_addend().has_value());
    const auto adds = plain.with_addend();
    REQUIRE(adds.has_value());
    CHECK_FALSE(adds->with_addend().has_value());
    CHECK(adds->with(kernel::activation::relu).has_value());
    CHECK(adds->name() == "Conv + Add");
    CHECK_THROWS_WITH(
        answers_of(*adds, {{element::float32, {rows_extent, 5, 5, 2}}, {element::float32, {rows_extent, 3, 3, 5}}}),
        "expected an addend float32 [N, 3, 3, 6], got float32 [N, 3, 3, 5]");
}

TEST_CASE("poolings with channels side by side") {
    const pooling_nhwc op(pooling_nhwc::kind::greatest, {{2, 2}, {2, 2}});
    CHECK(answers_of(op, {{element::float32, {rows_extent, 8, open, 5}}})[0].text() == "float32 [N, 4, ?, 5]");
    const global_pooling_nhwc all(pooling_nhwc::kind::mean);
    CHECK(answers_of(all, {{element::float32, {rows_extent, 8, open, 5}}})[0].text() == "float32 [N, 1, 1, 5]");
    CHECK_THROWS_WITH(answers_of(all, {{element::int64, {1, 8, 2, 5}}}),
                      "expected float32 [N, H, W, C], got int64 [1, 8, 2, 5]");
}
