// SPDX-License-Identifier: MIT
#include <fanfold/onnx/error.hpp>

#include <string>

#include "../catch.hpp"

TEST_CASE("a model that cannot be loaded is a runtime error with its text, and quotes names as all texts do") {
    const fanfold::onnx::load_error error("net.onnx: input " + fanfold::onnx::in_quotes("a\nb") +
                                          ": expected a tensor");
    const std::runtime_error& seen = error;
    CHECK(std::string(seen.what()) == "net.onnx: input 'a?b': expected a tensor");
}
