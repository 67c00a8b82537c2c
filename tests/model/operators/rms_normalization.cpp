// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/rms_normalization.hpp>

#include <cmath>

#include "../../catch.hpp"
#include "../images.hpp"

using namespace fanfold;

TEST_CASE("values are divided by their root mean square, then scaled") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 3}});
    const auto scale = g.constant(tensor::of<float>({3}, {1, 2, 3}));
    const graph model = std::move(g).finish({{"y", g.add(rms_normalization(0), {x, scale}).front()}});
    const std::vector<float> y = floats_of(run(model, {tensor::of<float>({1, 3}, {1, 2, 2})}, 1)[0]);
    const float root = std::sqrt(3.0F);
    CHECK(y[0] == Approx(1 / root));
    CHECK(y[1] == Approx(4 / root));
    CHECK(y[2] == Approx(6 / root));
    CHECK_THROWS_AS(answers_of(rms_normalization(), {{element::float32, {rows_extent, 3}}, {element::float32, {2}}}),
                    std::invalid_argument);
}
