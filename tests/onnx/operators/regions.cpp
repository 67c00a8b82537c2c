// tests/onnx/operators/regions.cpp - attributes and versions of operators over regions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/regions.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file sampled(std::int64_t opset, const char* mode) {
    return {opset,
            {node("GridSample", {"x", "g"}, {"y"}, {{"mode", std::string(mode)}, {"align_corners", std::int64_t{1}}})},
            {value("x", {N, d(1), d(1), d(3)})},
            {undeclared("y")},
            {tensor("g", {1, 1, 2, 2}, floats{-1, 0, 0.5F, 0})}};
}

}  // namespace

TEST_CASE("GridSample in the words of two versions") {
    const auto x = fanfold::tensor::of<float>({1, 1, 1, 3}, {1, 2, 4});
    model_file m = sampled(16, "bilinear");
    m.inputs = {value("x", fixed({1, 1, 1, 3}))};
    CHECK(difference(run(load(m), {x}, 1)[0], {1, 3}) < 1e-6);
    m.nodes = sampled(20, "linear").nodes;
    m.opset = 20;
    CHECK(difference(run(load(m), {x}, 1)[0], {1, 3}) < 1e-6);
    m.nodes = sampled(20, "wide").nodes;
    CHECK_THAT(complaint(m), Contains("'wide'"));
}

TEST_CASE("RoiAlign, and boxes that stay") {
    const auto g =
        load(model_file{16,
                        {node("RoiAlign", {"x", "r", "i"}, {"y"},
                              {{"output_height", std::int64_t{1}}, {"sampling_ratio", std::int64_t{1}}}),
                         node("NonMaxSuppression", {"b", "s"}, {"kept"}, {{"center_point_box", std::int64_t{1}}})},
                        {value("x", fixed({1, 1, 2, 2}))},
                        {undeclared("y"), undeclared("kept")},
                        {tensor("r", {1, 4}, floats{0, 0, 2, 2}), tensor("i", ints{0}),
                         tensor("b", {1, 1, 4}, floats(4)), tensor("s", {1, 1, 1}, floats{1})}});
    const auto x = fanfold::tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4});
    fanfold::workspace space;
    const std::vector<fanfold::tensor_view> in{x};
    const auto y = g.run(in, space);
    CHECK(difference(y[0], {2.5}) < 1e-6);
    CHECK(y[1].shape() == fanfold::shape{0, 3});
}

TEST_CASE("AffineGrid's pixels, by their edges or centres, and GridSample in volumes") {
    const auto grid = [](std::int64_t corners) {
        return load(model_file{20,
                               {node("AffineGrid", {"t", "s"}, {"y"}, {{"align_corners", corners}})},
                               {value("t", {N, d(2), d(3)})},
                               {value("y", {N, d(1), d(3), d(2)})},
                               {tensor("s", ints{1, 4, 1, 3})}});
    };
    CHECK_THROWS(grid(0));  // one image is not N
    model_file m{20,
                 {node("AffineGrid", {"t", "s"}, {"y"}, {{"align_corners", std::int64_t{0}}})},
                 {value("t", fixed({1, 2, 3}))},
                 {undeclared("y")},
                 {tensor("s", ints{1, 4, 2, 3})}};
    const auto theta = fanfold::tensor::of<float>({1, 2, 3}, {1, 0, 0, 0, 1, 0.25F});
    const double third = 2.0 / 3;
    CHECK(difference(run(load(m), {theta}, 1)[0],
                     {-third, -0.25, 0, -0.25, third, -0.25, -third, 0.75, 0, 0.75, third, 0.75}) < 1e-6);
    m.nodes = {node("AffineGrid", {"t", "s"}, {"y"}, {{"align_corners", std::int64_t{1}}})};
    CHECK(difference(run(load(m), {theta}, 1)[0], {-1, -0.75, 0, -0.75, 1, -0.75, -1, 1.25, 0, 1.25, 1, 1.25}) < 1e-6);
    const model_file volume{20,
                            {node("GridSample", {"x", "g"}, {"y"}, {{"align_corners", std::int64_t{1}}})},
                            {value("x", fixed({1, 1, 2, 1, 2}))},
                            {value("y", fixed({1, 1, 1, 1, 2}))},
                            {tensor("g", {1, 1, 1, 2, 3}, floats{-1, 0, 0, 0.5F, 0, 1})}};
    CHECK(difference(run(load(volume), {fanfold::tensor::of<float>({1, 1, 2, 1, 2}, {1, 2, 5, 7})}, 1)[0], {3, 6.5}) <
          1e-6);
}
