// tests/onnx/operators/activation.cpp - Relu, Sigmoid, Tanh against the C library.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/onnx/operators/activation.hpp>

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
        return load(
            model{13, {node(op, {"x"}, {"y"})}, {value("x", {N, d(13)}, element)}, {value("y", {N, d(13)}, element)}});
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

TEST_CASE("activations refuse integers") {
    CHECK_THAT(complaint(model{13, {node("Relu", {"x"}, {"y"})}, {value("x", {N}, 6)}, {undeclared("y")}}),
               Contains("expected float32 or float64, got int32 [N]"));
}

TEST_CASE("an activation fuses only where nobody else reads what it activates") {
    const auto steps = [](std::vector<std::string> outputs) {
        return load(model{13,
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
