// tests/onnx/operators/recurrent.cpp - attributes of recurrent layers.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/recurrent.hpp>

#include <cmath>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file layer(const char* op, std::int64_t gates, std::vector<attribute> attributes, bool known = true) {
    const floats w(static_cast<std::size_t>(gates), 0.5F), r(static_cast<std::size_t>(gates), 0.25F);
    model_file m{14,
                 {node(op, {"x", "w", "r"}, {"y", "h"}, attributes, "cell")},
                 {value("x", {d(2), N, d(1)})},
                 {undeclared("y"), undeclared("h")},
                 {tensor("w", {1, gates, 1}, w), tensor("r", {1, gates, 1}, r)}};
    if (!known) {
        m.initializers.clear();
        m.inputs.push_back(value("w", fixed({1, gates, 1})));
        m.inputs.push_back(value("r", fixed({1, gates, 1})));
    }
    return m;
}

std::vector<fanfold::tensor> answers(const model_file& m, const std::vector<fanfold::tensor>& inputs) {
    fanfold::workspace space;
    const std::vector<fanfold::tensor_view> in(inputs.begin(), inputs.end());
    return load(m).run(in, space);
}

}  // namespace

TEST_CASE("RNN takes one step after another") {
    const auto x = fanfold::tensor::of<float>({2, 1, 1}, {1, 2});
    const double first = std::tanh(0.5), second = std::tanh(1 + 0.25 * first);
    const auto y = answers(layer("RNN", 1, {{"hidden_size", std::int64_t{1}}}), {x});
    CHECK(y[0].shape() == fanfold::shape{2, 1, 1, 1});
    CHECK(difference(y[0], {first, second}) < 1e-6);
    CHECK(difference(y[1], {second}) < 1e-6);
    const auto w = fanfold::tensor::of<float>({1, 1, 1}, {0.5F}), r = fanfold::tensor::of<float>({1, 1, 1}, {0.25F});
    const auto late = answers(layer("RNN", 1, {}, false), {x, w, r});
    CHECK(difference(late[0], {first, second}) < 1e-6);
    const auto back = answers(layer("RNN", 1, {{"direction", std::string("reverse")}}), {x});
    CHECK(difference(back[0], {std::tanh(0.5 + 0.25 * std::tanh(1.0)), std::tanh(1.0)}) < 1e-6);
}

TEST_CASE("recurrent layers refuse what they cannot be") {
    CHECK(complaint(layer("LSTM", 4, {{"input_forget", std::int64_t{1}}, {"clip", 3.0F}})).empty());
    CHECK(complaint(layer("GRU", 3, {{"linear_before_reset", std::int64_t{1}}})).empty());
    CHECK_THAT(complaint(layer("LSTM", 3, {})), Contains("node 'cell' (LSTM, opset 14)") && Contains("weights"));
    CHECK_THAT(complaint(layer("GRU", 3, {{"direction", std::string("both")}})), Contains("'both'"));
    CHECK_THAT(complaint(layer("RNN", 1, {{"direction", std::string("bidirectional")}})), Contains("[2, 1,"));
    CHECK_THAT(complaint(layer("RNN", 1, {{"layout", std::int64_t{2}}})), Contains("'layout'"));
}

TEST_CASE("clip is a number above 0") {
    CHECK_THAT(complaint(layer("RNN", 1, {{"clip", 0.0F}})), Contains("'clip': expected a number above 0"));
    CHECK_THAT(complaint(layer("RNN", 1, {{"clip", -1.0F}})), Contains("'clip': expected a number above 0"));
    CHECK_THAT(complaint(layer("RNN", 1, {{"clip", std::nanf("")}})), Contains("'clip': expected a number above 0"));
}
