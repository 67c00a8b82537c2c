// tests/model/operators/convolution.cpp - shapes, refusals, fusing and scratch;
// numbers are checked in tests/kernel and tests/onnx.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/convolution.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const std::vector<float> w(6 * 2 * 3 * 3, 1.0F);
const view<const float> weights(w.data(), shape{6, 2, 3, 3});
const value_type images{element::float32, {rows_extent, 2, 8, 9}};
}  // namespace

TEST_CASE("a convolution is made for images of one size") {
    const convolution op(images, weights, {}, {.stride = {2, 1}, .padding = {1, 1, 1, 1}});
    CHECK(answers_of(op, {images})[0].text() == "float32 [N, 6, 4, 9]");
    CHECK(answers_of(op, {{element::float32, {5, 2, 8, 9}}})[0].text() == "float32 [5, 6, 4, 9]");
    CHECK_THROWS_WITH(answers_of(op, {{element::float32, {rows_extent, 2, 9, 9}}}),
                      "expected float32 [N, 2, 8, 9], got float32 [N, 2, 9, 9]");
    CHECK_THROWS(answers_of(op, {{element::float32, {rows_extent, 2, 72}}}));
    CHECK(op.weight_bytes() >= w.size() * sizeof(float));
}

TEST_CASE("a convolution refuses weights, bias and images that do not fit") {
    using Catch::Matchers::Contains;
    CHECK_THROWS_WITH(convolution({element::float32, {rows_extent, 3, 8, 9}}, weights),
                      "expected weights for float32 [N, 3, 8, 9] in 1 groups, got [6, 2, 3, 3]");
    CHECK_THROWS_WITH(convolution(images, weights, view<const float>(w)), Contains("expected a bias [6]"));
    CHECK_THROWS_WITH(convolution({element::float64, {rows_extent, 2, 8, 9}}, weights), Contains("float64"));
    CHECK_THROWS_WITH(convolution({element::float32, {rows_extent, 2, rows_extent, 9}}, weights),
                      Contains("only N open"));
    CHECK_THROWS_WITH(convolution({element::float32, {rows_extent, 2, 2, 9}}, weights), Contains("does not fit"));
}

TEST_CASE("a fused activation and the promised scratch") {
    const std::vector<float> b(6, -1000.0F);
    const convolution plain(images, weights, view<const float>(b));
    const auto fused = plain.with(kernel::activation::relu);
    REQUIRE(fused.has_value());
    CHECK_FALSE(fused->with(kernel::activation::relu).has_value());
    const tensor x(element::float32, {3, 2, 8, 9});
    tensor y(element::float32, {3, 6, 6, 7});
    workspace space(plain.scratch_bytes({}));
    const std::size_t before = space.capacity();
    const std::vector<tensor_view> in{x};
    const std::vector<mutable_tensor_view> out{y};
    plain(in, out, space);
    CHECK(floats_of(y) == std::vector<float>(y.size(), -1000));
    (*fused)(in, out, space);
    CHECK(floats_of(y) == std::vector<float>(y.size(), 0));
    CHECK(space.capacity() == before);
}
