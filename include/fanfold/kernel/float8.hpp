// fanfold/kernel/float8.hpp - the numbers that 8-bit floating point holds, as float32.
//   in    bits, or any float      out   the float that they stand for, or the nearest that they can
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cmath>      // std::ldexp, std::ilogb, std::nearbyint
#include <cstdint>    // std::uint8_t
#include <limits>     // std::numeric_limits

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// `fn` formats no infinities, `uz` ones no negative zero (its bits mean NaN).
struct float8_format {
    int mantissa_bits;
    int bias;
    bool infinities;
    bool negative_zero;
    float largest;
};
inline constexpr float8_format float8_e4m3fn{3, 7, false, true, 448};
inline constexpr float8_format float8_e4m3fnuz{3, 8, false, false, 240};
inline constexpr float8_format float8_e5m2{2, 15, true, true, 57344};
inline constexpr float8_format float8_e5m2fnuz{2, 16, false, false, 57344};

/// What becomes of numbers beyond the largest: that one, or infinity (NaN where there is none).
enum class float8_range : std::uint8_t { saturates, overflows };

/// source   ONNX's technical note "Float stored in 8 bits"; OCP 8-bit Floating Point 2023
[[nodiscard]] inline float float8_value(const float8_format& f, std::uint8_t bits) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const int magnitude = bits & 0x7F, exponent = magnitude >> f.mantissa_bits;
    const int fraction = magnitude & ((1 << f.mantissa_bits) - 1);
    if (bits == 0x80 && !f.negative_zero) return nan;
    float value = exponent == 0 ? std::ldexp(static_cast<float>(fraction), 1 - f.bias - f.mantissa_bits)
                                : std::ldexp(static_cast<float>(fraction + (1 << f.mantissa_bits)),
                                             exponent - f.bias - f.mantissa_bits);
    if (value > f.largest) value = f.infinities && fraction == 0 ? std::numeric_limits<float>::infinity() : nan;
    return (bits & 0x80) != 0 ? -value : value;
}

/// The nearest number that the format holds, ties to even.
/// source   ONNX Cast-19
[[nodiscard]] inline float float8_rounded(const float8_format& f, float x, float8_range range) {
    if (x != x) return x;
    const float size = std::fabs(x);
    float value = f.largest + 1;
    if (size < 0x1p20F) {
        const int exponent = size == 0 ? 1 - f.bias : std::max(std::ilogb(size), 1 - f.bias);
        value = std::ldexp(std::nearbyint(std::ldexp(size, f.mantissa_bits - exponent)), exponent - f.mantissa_bits);
    }
    if (value > f.largest) {
        value = range == float8_range::saturates ? f.largest
                : f.infinities                   ? std::numeric_limits<float>::infinity()
                                                 : std::numeric_limits<float>::quiet_NaN();
    }
    if (value == 0 && !f.negative_zero) return 0;
    return std::copysign(value, x);
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
