// tests/model/operators/crop_pad.cpp - what stays of a value around its centre.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/crop_pad.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("cropped along one axis, padded along another") {
    const extent N = rows_extent;
    graph_builder g;
    const auto x = g.input("x", {element::float32, {N, 1, 4}});
    const auto size = g.constant(tensor::of<std::int64_t>({2}, {3, 2}));
    const auto y = g.add(center_crop_pad(std::vector<std::int64_t>{1, -1}), {x, size}).front();
    const graph model = std::move(g).finish({{"y", y}});
    const auto out = run(model, {tensor::of<float>({1, 1, 4}, {1, 2, 3, 4})}, 1);
    CHECK(out[0].shape() == shape{1, 3, 2});
    CHECK(floats_of(out[0]) == std::vector<float>{0, 0, 2, 3, 0, 0});
    CHECK(model.row_mixer().empty());
}

TEST_CASE("extents known in a run only, or too many") {
    const value_type x{element::int8, {rows_extent, 4}};
    CHECK(answers_of(center_crop_pad(), {x, {element::int64, {2}}})[0].text() == "int8 [?, ?]");
    const tensor one = tensor::of<std::int64_t>({1}, {3});
    const std::vector<argument> in{x, argument(tensor_view(one))};
    CHECK_THROWS(center_crop_pad().answers(in));
}
