// tests/onnx/operator_entry.cpp - one line of a table of operators.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operator_entry.hpp>

#include "../catch.hpp"

using namespace fanfold::onnx;

TEST_CASE("an entry is of the default domain unless it says otherwise") {
    constexpr operator_entry entry{"Relu", first_opset, last_opset, nullptr};
    static_assert(entry.domain.empty());
    CHECK(first_opset < last_opset);
}
