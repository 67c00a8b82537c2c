// fanfold/onnx/element.hpp - ONNX's element types and fanfold's.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstdint>      // std::int64_t
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../core/element.hpp"
#include "../kernel/float8.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

inline constexpr std::string_view supported_elements =
    "float32, float64, float16, bfloat16, int8 to int64, uint8 to uint64, bool";

/// "float16 (10)": what a TensorProto.DataType means.
[[nodiscard]] inline std::string name_of_data_type(std::int64_t type) {
    constexpr std::array<std::string_view, 24> names{
        "undefined", "float32", "uint8",   "int8",    "uint16", "int16",  "int32",     "int64",
        "string",    "bool",    "float16", "float64", "uint32", "uint64", "complex64", "complex128",
        "bfloat16",  "float8",  "float8",  "float8",  "float8", "uint4",  "int4",      "float4"};
    const bool known = type >= 0 && type < static_cast<std::int64_t>(names.size());
    return (known ? std::string(names[static_cast<std::size_t>(type)]) : "unknown") + " (" + std::to_string(type) + ")";
}

/// 8-bit floating point is held in float32, 4-bit integers in 8 bits: the numbers are the same.
/// source   onnx.proto, TensorProto.DataType
[[nodiscard]] inline std::optional<element> find_element(std::int64_t data_type) noexcept {
    switch (data_type) {
        case 1: return element::float32;
        case 2: return element::uint8;
        case 3: return element::int8;
        case 4: return element::uint16;
        case 5: return element::int16;
        case 6: return element::int32;
        case 7: return element::int64;
        case 9: return element::boolean;
        case 10: return element::float16;
        case 11: return element::float64;
        case 12: return element::uint32;
        case 13: return element::uint64;
        case 16: return element::bfloat16;
        case 17:
        case 18:
        case 19:
        case 20: return element::float32;
        case 21: return element::uint8;
        case 22: return element::int8;
        default: return std::nullopt;
    }
}

[[nodiscard]] constexpr bool is_float8(std::int64_t data_type) noexcept { return data_type >= 17 && data_type <= 20; }
[[nodiscard]] constexpr bool is_four_bits(std::int64_t data_type) noexcept {
    return data_type == 21 || data_type == 22;
}
[[nodiscard]] inline const kernel::float8_format& float8_of(std::int64_t data_type) noexcept {
    switch (data_type) {
        case 18: return kernel::float8_e4m3fnuz;
        case 19: return kernel::float8_e5m2;
        case 20: return kernel::float8_e5m2fnuz;
        default: return kernel::float8_e4m3fn;
    }
}

/// errors   throws std::invalid_argument naming the type and what is supported
[[nodiscard]] inline element element_of_data_type(std::int64_t data_type) {
    if (const auto found = find_element(data_type)) return *found;
    throw std::invalid_argument("expected an element type of " + std::string(supported_elements) + ", got " +
                                name_of_data_type(data_type));
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
