// tests/onnx/operators/regions.cpp - attributes and versions of operators over regions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/regions.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model sampled(std::int64_t opset, const char* mode) {
    return {opset,
            {node("GridSample", {"x", "g"}, {"y"}, {{"mode", std::string(mode)}, {"align_corners", std::int64_t{1}}})},
            {value("x", {N, d(1), d(1), d(3)})},
            {undeclared("y")},
            {tensor("g", {1, 1, 2, 2}, floats{-1, 0, 0.5F, 0})}};
}

}  // namespace

TEST_CASE("GridSample in the words of two versions") {
    const auto x = fanfold::tensor::of<float>({1, 1, 1, 3}, {1, 2, 4});
    model m = sampled(16, "bilinear");
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
        load(model{16,
                   {node("RoiAlign", {"x", "r", "i"}, {"y"},
                         {{"output_height", std::int64_t{1}}, {"sampling_ratio", std::int64_t{1}}}),
                    node("NonMaxSuppression", {"b", "s"}, {"kept"}, {{"center_point_box", std::int64_t{1}}})},
                   {value("x", fixed({1, 1, 2, 2}))},
                   {undeclared("y"), undeclared("kept")},
                   {tensor("r", {1, 4}, floats{0, 0, 2, 2}), tensor("i", ints{0}), tensor("b", {1, 1, 4}, floats(4)),
                    tensor("s", {1, 1, 1}, floats{1})}});
    const auto x = fanfold::tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4});
    fanfold::workspace space;
    const std::vector<fanfold::tensor_view> in{x};
    const auto y = g.run(in, space);
    CHECK(difference(y[0], {2.5}) < 1e-6);
    CHECK(y[1].shape() == fanfold::shape{0, 3});
}
