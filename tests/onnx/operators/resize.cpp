// tests/onnx/operators/resize.cpp - versions of Resize and Upsample.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/resize.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

TEST_CASE("images twice as wide in every version") {
    const auto x = fanfold::tensor::of<float>({1, 1, 1, 2}, {1, 2});
    const auto wide = [&](std::int64_t opset, const char* op, std::vector<std::string> inputs,
                          std::vector<attribute> attributes) {
        return run(load(model_file{
                       opset,
                       {node(op, std::move(inputs), {"y"}, std::move(attributes))},
                       {value("x", {N, d(1), d(1), d(2)})},
                       {undeclared("y")},
                       {tensor("s", {4}, floats{1, 1, 1, 2}), tensor("t", ints{1, 1, 1, 4}), tensor("w", ints{4})}}),
                   {x}, 1)[0];
    };
    CHECK(difference(wide(7, "Upsample", {"x"}, {{"scales", floats{1, 1, 1, 2}}}), {1, 1, 2, 2}) == 0);
    CHECK(difference(wide(9, "Upsample", {"x", "s"}, {}), {1, 1, 2, 2}) == 0);
    CHECK(difference(wide(10, "Resize", {"x", "s"}, {{"mode", std::string("linear")}}), {1, 1.5, 2, 2}) == 0);
    CHECK(difference(wide(13, "Resize", {"x", "", "s"}, {{"mode", std::string("linear")}}), {1, 1.25, 1.75, 2}) == 0);
    CHECK(difference(wide(18, "Resize", {"x", "", "", "w"}, {{"axes", ints{-1}}}), {1, 1, 2, 2}) == 0);
}

TEST_CASE("lines between bytes lose what is behind the point") {
    const auto x = fanfold::tensor::of<std::uint8_t>({1, 1, 1, 2}, {1, 250});
    const auto g = load(model_file{13,
                                   {node("Resize", {"x", "", "s"}, {"y"}, {{"mode", std::string("linear")}})},
                                   {value("x", {N, d(1), d(1), d(2)}, 2)},
                                   {undeclared("y")},
                                   {tensor("s", {4}, floats{1, 1, 1, 2})}});
    const auto y = run(g, {x}, 1)[0];  // 1, 63.25, 187.75, 250
    const auto bytes = y.as<std::uint8_t>().flat();
    CHECK(std::vector<int>(bytes.begin(), bytes.end()) == std::vector<int>{1, 63, 187, 250});
}

TEST_CASE("Resize refuses words it does not know") {
    const auto complain = [](std::vector<attribute> attributes) {
        return complaint(model_file{13,
                                    {node("Resize", {"x", "", "s"}, {"y"}, std::move(attributes))},
                                    {value("x", {N, d(1), d(1), d(2)})},
                                    {undeclared("y")},
                                    {tensor("s", {4}, floats{1, 1, 1, 2})}});
    };
    CHECK(complain({}).empty());
    CHECK_THAT(complain({{"mode", std::string("best")}}), Contains("expected one of nearest, linear"));
    CHECK_THAT(complain({{"coordinate_transformation_mode", std::string("x")}}), Contains("half_pixel"));
}

TEST_CASE("DepthToSpace and SpaceToDepth are each other's inverse") {
    const auto g = load(
        model_file{13,
                   {node("SpaceToDepth", {"x"}, {"y"}, {{"blocksize", std::int64_t{2}}}),
                    node("DepthToSpace", {"y"}, {"z"}, {{"blocksize", std::int64_t{2}}}),
                    node("DepthToSpace", {"y"}, {"w"}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}})},
                   {value("x", {N, d(1), d(2), d(2)})},
                   {undeclared("y"), undeclared("z"), undeclared("w")}});
    const auto out = run(g, {fanfold::tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4})}, 1);
    CHECK(out[0].shape() == fanfold::shape{1, 4, 1, 1});
    for (const auto& one : out) CHECK(difference(one, {1, 2, 3, 4}) == 0);
}
