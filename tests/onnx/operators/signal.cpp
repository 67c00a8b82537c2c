// tests/onnx/operators/signal.cpp - attributes and versions of transforms and windows.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/signal.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

TEST_CASE("DFT with its axis as an attribute, then as an input") {
    const auto x = fanfold::tensor::of<float>({1, 2, 1}, {3, 1});
    for (const std::int64_t opset : {17, 20}) {
        std::vector<attribute> attributes{{"onesided", std::int64_t{0}}};
        if (opset < 20) attributes.push_back({"axis", std::int64_t{1}});
        const auto g = load(model_file{
            opset, {node("DFT", {"x"}, {"y"}, attributes)}, {value("x", {N, d(2), d(1)})}, {undeclared("y")}});
        CHECK(difference(run(g, {x}, 1)[0], {4, 0, 2, 0}) < 1e-6);
    }
}

TEST_CASE("frames, windows and mel filters") {
    const auto g = load(model_file{
        17,
        {node("STFT", {"x", "step", "", "two"}, {"y"}),
         node("HannWindow", {"two"}, {"w"}, {{"periodic", std::int64_t{0}}}),
         node("MelWeightMatrix", {"step", "eight", "eight", "low", "high"}, {"m"})},
        {value("x", {N, d(3), d(1)})},
        {undeclared("y"), undeclared("w"), undeclared("m")},
        {tensor("step", {}, std::vector<std::int64_t>{1}, 7), tensor("two", {}, std::vector<std::int64_t>{2}, 7),
         tensor("eight", {}, std::vector<std::int64_t>{8}, 7), tensor("low", {}, floats{0}),
         tensor("high", {}, floats{4})}});
    const auto out = run(g, {fanfold::tensor::of<float>({1, 3, 1}, {1, 2, 4})}, 1);
    CHECK(out[0].shape() == fanfold::shape{1, 2, 2, 2});
    CHECK(difference(out[0], {3, 0, -1, 0, 6, 0, -2, 0}) < 1e-6);
    CHECK(difference(out[1], {0, 0}) < 1e-6);
    CHECK(out[2].shape() == fanfold::shape{5, 1});
}
