// tests/onnx/element.cpp - ONNX's element types and fanfold's.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/element.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("numbers and bools are supported element types, the others are named") {
    CHECK(onnx::element_of_data_type(1) == element::float32);
    CHECK(onnx::element_of_data_type(2) == element::uint8);
    CHECK(onnx::element_of_data_type(3) == element::int8);
    CHECK(onnx::element_of_data_type(4) == element::uint16);
    CHECK(onnx::element_of_data_type(5) == element::int16);
    CHECK(onnx::element_of_data_type(6) == element::int32);
    CHECK(onnx::element_of_data_type(7) == element::int64);
    CHECK(onnx::element_of_data_type(9) == element::boolean);
    CHECK(onnx::element_of_data_type(10) == element::float16);
    CHECK(onnx::element_of_data_type(11) == element::float64);
    CHECK(onnx::element_of_data_type(12) == element::uint32);
    CHECK(onnx::element_of_data_type(13) == element::uint64);
    CHECK(onnx::element_of_data_type(16) == element::bfloat16);
    for (const std::int64_t other : {0, 8, 14, 15, 23, 99, -1}) CHECK_FALSE(onnx::find_element(other).has_value());
    CHECK(onnx::element_of_data_type(17) == element::float32);  // 8-bit floats are held in 32
    CHECK(onnx::element_of_data_type(22) == element::int8);     // 4-bit integers in 8
    CHECK_THROWS_WITH(onnx::element_of_data_type(8),
                      "expected an element type of float32, float64, float16, bfloat16, "
                      "int8 to int64, uint8 to uint64, bool, got string (8)");
    CHECK(onnx::name_of_data_type(INT64_MIN) == "unknown (-9223372036854775808)");
}
