// fanfold/core/half.hpp - 16-bit floating-point numbers as stored: float16 (IEEE binary16) and bfloat16.
// SPDX-License-Identifier: MIT
#pragma once
#include <bit>      // std::bit_cast
#include <cstdint>  // std::uint16_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// IEEE 754 binary16. Arithmetic happens in float: convert, compute, convert back.
///
/// errors   what is too large becomes infinity, NaN stays NaN (quiet)
/// source   IEEE 754-2019, 3.6 and 5.4.2: rounds to nearest, ties to even
struct float16 {
    std::uint16_t bits = 0;

    constexpr float16() = default;
    explicit constexpr float16(float value) : bits(encode(value)) {}
    [[nodiscard]] constexpr operator float() const noexcept {
        const std::uint32_t sign = std::uint32_t{bits & 0x8000U} << 16;
        const std::uint32_t magnitude = bits & 0x7fffU;
        if (magnitude >= 0x7c00U) return std::bit_cast<float>(sign | 0x7f800000U | (magnitude & 0x3ffU) << 13);
        if (magnitude >= 0x400U) return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000U));
        const float tiny = static_cast<float>(magnitude) * 0x1p-24F;  // subnormal there, normal here
        return sign == 0 ? tiny : -tiny;
    }
    [[nodiscard]] static constexpr float16 from_bits(std::uint16_t stored) noexcept {
        float16 made;
        made.bits = stored;
        return made;
    }

private:
    static constexpr std::uint16_t encode(float value) noexcept {
        const auto from = std::bit_cast<std::uint32_t>(value);
        const std::uint32_t sign = from >> 16 & 0x8000U;
        const std::uint32_t magnitude = from & 0x7fffffffU;
        if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U | (magnitude >> 13 & 0x3ffU));
        if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // rounds to 65536 or more
        if (magnitude < 0x38800000U) {  // subnormal: a multiple of 2^-24, rounded by the adder's own rule
            const float aligned = std::bit_cast<float>(magnitude) + 0.5F;  // its last place is 2^-24
            return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(aligned) - 0x3f000000U));
        }
        const std::uint32_t half_up = 0xfffU + (magnitude >> 13 & 1U);
        return static_cast<std::uint16_t>(sign | (magnitude + half_up - 0x38000000U) >> 13);
    }
};

/// The upper half of a float.
///
/// errors   as float16
/// source   ONNX bfloat16: rounds to nearest, ties to even
struct bfloat16 {
    std::uint16_t bits = 0;

    constexpr bfloat16() = default;
    explicit constexpr bfloat16(float value) : bits(encode(value)) {}
    [[nodiscard]] constexpr operator float() const noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
    [[nodiscard]] static constexpr bfloat16 from_bits(std::uint16_t stored) noexcept {
        bfloat16 made;
        made.bits = stored;
        return made;
    }

private:
    static constexpr std::uint16_t encode(float value) noexcept {
        const auto from = std::bit_cast<std::uint32_t>(value);
        if ((from & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(from >> 16 | 0x40U);
        return static_cast<std::uint16_t>((from + 0x7fffU + (from >> 16 & 1U)) >> 16);
    }
};

}  // namespace fanfold::inline FANFOLD_ABI
