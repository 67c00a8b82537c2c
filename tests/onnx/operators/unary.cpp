// tests/onnx/operators/unary.cpp - Relu, Sigmoid, Tanh against the C library.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/onnx/operators/unary.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

TEST_CASE("Relu, Sigmoid and Tanh agree with the C library") {
    const std::string op = GENERATE(as<std::string>{}, "Relu", "Sigmoid", "Tanh");
    const auto plain = [&](double x) {
        return op == "Relu" ? std::max(x, 0.0) : op == "Sigmoid" ? 1 / (1 + std::exp(-x)) : std::tanh(x);
    };
    const auto g = [&](int element) {
        return load(model_file{
            13, {node(op, {"x"}, {"y"})}, {value("x", {N, d(13)}, element)}, {value("y", {N, d(13)}, element)}});
    };
    floats x = noise(26, 3);
    for (float& v : x) v *= 20;
    std::vector<double> expected, wide(x.begin(), x.end());
    for (const double v : wide) expected.push_back(plain(v));
    CHECK(difference(run(g(1), {fanfold::tensor::of<float>({2, 13}, std::span(x))}, 2)[0], expected) < 1e-6);

    const auto y = run(g(11), {fanfold::tensor::of<double>({2, 13}, std::span<const double>(wide))}, 2);
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(std::abs(y[0].as<double>().flat()[i] - expected[i]) <= 1e-12 * (1 + std::abs(expected[i])));
}

TEST_CASE("functions refuse element types that they do not take") {
    const auto of = [](const char* op, int type) {
        return complaint(model_file{14, {node(op, {"x"}, {"y"})}, {value("x", {N}, type)}, {undeclared("y")}});
    };
    CHECK(of("Relu", 6).empty());
    CHECK_THAT(of("Sigmoid", 6), Contains("expected an element type that Sigmoid takes, got int32 [N]"));
    CHECK_THAT(of("Relu", 9), Contains("got bool [N]"));
    CHECK_THAT(of("Not", 1), Contains("got float32 [N]"));
}

TEST_CASE("an activation fuses only where nobody else reads what it activates") {
    const auto steps = [](std::vector<std::string> outputs) {
        return load(model_file{13,
                               {node("MatMul", {"x", "w"}, {"h"}), node("Tanh", {"h"}, {"y"})},
                               {value("x", {N, d(1)})},
                               outputs,
                               {tensor("w", {1, 1}, {2})}})
            .state()
            .steps.size();
    };
    CHECK(steps({undeclared("y")}) == 1);
    CHECK(steps({undeclared("y"), undeclared("h")}) == 2);
}

TEST_CASE("parameters are attributes with the standard's defaults, and bounds became inputs") {
    const auto x = fanfold::tensor::of<float>({4}, {-10, -1, 0.25F, 10});
    const auto one = [&](std::int64_t opset, const std::string& n, std::vector<std::string> initializers = {}) {
        return run(load(model_file{opset, {n}, {value("x", {N})}, {undeclared("y")}, std::move(initializers)}), {x},
                   4)[0];
    };
    CHECK(difference(one(16, node("LeakyRelu", {"x"}, {"y"})), {-0.1, -0.01, 0.25, 10}) < 1e-6);
    CHECK(difference(one(6, node("LeakyRelu", {"x"}, {"y"}, {{"alpha", 0.5F}})), {-5, -0.5, 0.25, 10}) == 0);
    CHECK(difference(one(13, node("HardSigmoid", {"x"}, {"y"})), {0, 0.3, 0.55, 1}) < 1e-6);
    CHECK(difference(one(6, node("Clip", {"x"}, {"y"}, {{"min", -1.0F}})), {-1, -1, 0.25, 10}) == 0);
    const std::vector<std::string> bounds{tensor("low", ints{}, floats{-2}), tensor("high", ints{}, floats{2})};
    CHECK(difference(one(13, node("Clip", {"x", "low", "high"}, {"y"}), bounds), {-2, -1, 0.25, 2}) == 0);
    CHECK(difference(one(13, node("Clip", {"x", "", "high"}, {"y"}), bounds), {-10, -1, 0.25, 2}) == 0);
    CHECK(difference(one(13, node("Clip", {"x"}, {"y"})), {-10, -1, 0.25, 10}) == 0);
    CHECK_THAT(text_of([&] {
                   (void)one(20, node("Gelu", {"x"}, {"y"}, {{"approximate", std::string("odd")}}));
               }),
               Contains("attribute 'approximate': expected none or tanh, got 'odd'"));
    const auto whole = one(13, node("Cast", {"x"}, {"y"}, {{"to", std::int64_t{7}}}));
    CHECK(whole.as<std::int64_t>()(3) == 10);
    CHECK(one(5, node("Cast", {"x"}, {"y"}, {{"to", std::string("INT64")}})).type() == fanfold::element::int64);
}
