// tests/onnx/operators.cpp - the table: versions do not overlap, everything asked for is there.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators.hpp>

#include "../catch.hpp"

using namespace fanfold::onnx;

TEST_CASE("each operator has one entry a version, over the whole range") {
    for (const char* name :
         {"Conv", "Gemm", "MatMul", "Relu", "Sigmoid", "Tanh", "MaxPool", "AveragePool", "GlobalAveragePool", "Softmax",
          "Flatten", "Reshape", "Add", "Sub", "Mul", "Div", "Constant", "Identity"}) {
        for (std::int64_t opset = first_opset; opset <= last_opset; ++opset) {
            int entries = 0;
            for (const auto& family : operator_families)
                for (const operator_entry& entry : family)
                    entries += entry.name == name && entry.since <= opset && opset <= entry.until;
            CHECK(entries == 1);
            CHECK(find_operator("", name, opset) != nullptr);
        }
        CHECK(find_operator("", name, first_opset - 1) == nullptr);
        CHECK(find_operator("", name, last_opset + 1) == nullptr);
        CHECK_THAT(supported_operators(), Catch::Matchers::Contains(name));
    }
    CHECK(find_operator("", "Softmax", 12) != find_operator("", "Softmax", 13));
    CHECK(find_operator("", "relu", 13) == nullptr);
    CHECK(find_operator("", "", 13) == nullptr);
    CHECK(find_operator("other", "Relu", 13) == nullptr);
}
