// tests/onnx/operators/losses.cpp - losses of classes: reductions, weights, classes to ignore.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/losses.hpp>

#include <cmath>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file loss(const char* op, std::vector<attribute> attributes, const ints& classes, bool weighted,
                std::vector<std::string> outputs = {"y"}) {
    std::vector<std::string> inputs{"x", "t"}, declared;
    if (weighted) inputs.emplace_back("w");
    for (const std::string& output : outputs) declared.push_back(undeclared(output));
    return {13,
            {node(op, inputs, outputs, attributes)},
            {value("x", fixed({2, 3}))},
            declared,
            {tensor("t", classes), tensor("w", {3}, floats{1, 2, 4})}};
}

}  // namespace

TEST_CASE("log-probabilities of the right classes, weighted, and reduced over the weights") {
    const auto x = fanfold::tensor::of<float>({2, 3}, {-1, -2, -3, -4, -5, -6});
    const char* const op = "NegativeLogLikelihoodLoss";
    const auto of = [&](std::vector<attribute> a, const ints& t, bool weighted) {
        return run(load(loss(op, std::move(a), t, weighted)), {x}, 2)[0];
    };
    CHECK(difference(of({{"reduction", std::string("none")}}, {1, 2}, true), {4, 24}) == 0);
    CHECK(difference(of({{"reduction", std::string("sum")}}, {1, 2}, false), {8}) == 0);
    CHECK(difference(of({}, {1, 2}, true), {28.0 / 6}) < 1e-6);
    CHECK(difference(of({{"ignore_index", std::int64_t{-7}}}, {-7, 0}, true), {4}) == 0);
    CHECK_THAT(text_of([&] { (void)of({}, {1, 3}, false); }), Contains("classes in [0, 3), got 3"));
}

TEST_CASE("scores become log-probabilities first, which are an answer, too") {
    const auto x = fanfold::tensor::of<float>({2, 3}, {0, 0, 0, 1000, 0, 0});
    const auto y = run(
        load(loss("SoftmaxCrossEntropyLoss", {{"reduction", std::string("none")}}, {1, 0}, false, {"y", "p"})), {x}, 2);
    CHECK(difference(y[0], {std::log(3.0), 0}) < 1e-6);
    CHECK(difference(y[1], {-std::log(3.0), -std::log(3.0), -std::log(3.0), 0, -1000, -1000}) < 1e-6);
}
