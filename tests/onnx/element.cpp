// tests/onnx/element.cpp - ONNX's element types and fanfold's.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/element.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("five element types are supported, the others named") {
    CHECK(onnx::element_of_data_type(1) == element::float32);
    CHECK(onnx::element_of_data_type(6) == element::int32);
    CHECK(onnx::element_of_data_type(7) == element::int64);
    CHECK(onnx::element_of_data_type(9) == element::boolean);
    CHECK(onnx::element_of_data_type(11) == element::float64);
    for (const std::int64_t other : {0, 2, 3, 4, 5, 8, 10, 12, 13, 14, 15, 16, 17, 22, 99, -1})
        CHECK_FALSE(onnx::find_element(other).has_value());
    CHECK_THROWS_WITH(onnx::element_of_data_type(16),
                      "expected an element type of float32, float64, int32, int64, bool, got bfloat16 (16)");
    CHECK(onnx::name_of_data_type(INT64_MIN) == "unknown (-9223372036854775808)");
}
