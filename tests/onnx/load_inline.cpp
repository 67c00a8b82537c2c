// tests/onnx/load_inline.cpp - what stands behind load(): a user's operators come first, in their versions only.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/load.hpp>
#include <fanfold/onnx/node.hpp>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;

namespace {

void pass_on(fanfold::onnx::node_import& node) { node.answer(node.input(0)); }

}  // namespace

TEST_CASE("a user's operator of a known name takes the place of the built-in one, in its versions") {
    const auto relu = [](std::int64_t opset) {
        return model_file{opset, {node("Relu", {"x"}, {"y"})}, {value("x", {N})}, {undeclared("y")}};
    };
    fanfold::onnx::load_options options;
    options.operators = {{"Relu", 14, 15, &pass_on}};
    const auto x = fanfold::tensor::of<float>({2}, {-1, 2});
    CHECK(run(load(relu(13), options), {x}, 2)[0].as<float>()(0) == 0);
    CHECK(run(load(relu(14), options), {x}, 2)[0].as<float>()(0) == -1);
    CHECK(run(load(relu(15), options), {x}, 2)[0].as<float>()(0) == -1);
    CHECK(run(load(relu(16), options), {x}, 2)[0].as<float>()(0) == 0);
}
