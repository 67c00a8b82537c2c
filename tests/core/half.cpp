// SPDX-License-Identifier: MIT
#include <fanfold/core/half.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// The value of binary16 bits, by the definition.
double value_of(std::uint16_t bits) {
    const int exponent = bits >> 10 & 31;
    const double fraction = bits & 1023;
    const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace

TEST_CASE("Every float16 widens to its exact value and comes back unchanged") {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const auto stored = float16::from_bits(static_cast<std::uint16_t>(bits));
        const float wide = stored;
        if ((bits & 0x7c00) == 0x7c00) {
            REQUIRE(std::isnan(wide) == ((bits & 0x3ff) != 0));
            REQUIRE(std::signbit(wide) == ((bits & 0x8000) != 0));
        } else {
            REQUIRE(wide == value_of(static_cast<std::uint16_t>(bits)));
        }
        if (!std::isnan(wide)) REQUIRE(float16(wide).bits == bits);
        REQUIRE(std::isnan(static_cast<float>(float16(wide))) == std::isnan(wide));
    }
}

TEST_CASE("A float between two float16 rounds to the nearer one, ties to even") {
    for (std::uint32_t bits = 0; bits < 0x7bff; ++bits) {
        const double low = value_of(static_cast<std::uint16_t>(bits));
        const double high = value_of(static_cast<std::uint16_t>(bits + 1));
        const float middle = static_cast<float>((low + high) / 2);
        REQUIRE(float16(middle).bits == bits + (bits & 1));
        REQUIRE(float16(std::nextafter(middle, 0.0F)).bits == bits);
        REQUIRE(float16(std::nextafter(middle, 1e9F)).bits == bits + 1);
        REQUIRE(float16(-middle).bits == (0x8000 | (bits + (bits & 1))));
    }
    CHECK(float16(65519.996F).bits == 0x7bff);
    CHECK(float16(65520.0F).bits == 0x7c00);
    CHECK(float16(std::numeric_limits<float>::infinity()).bits == 0x7c00);
    CHECK(float16(1e-10F).bits == 0);
}

TEST_CASE("A bfloat16 is the rounded upper half of a float") {
    CHECK(static_cast<float>(bfloat16(1.0F)) == 1.0F);
    CHECK(bfloat16(1.00390625F).bits == 0x3f80);  // a tie goes to even
    CHECK(bfloat16(1.01171875F).bits == 0x3f82);
    CHECK(bfloat16(std::numeric_limits<float>::max()).bits == 0x7f80);
    CHECK(std::isnan(static_cast<float>(bfloat16(std::numeric_limits<float>::quiet_NaN()))));
    const auto signalling = std::bit_cast<float>(0x7f800001U);
    CHECK(std::isnan(static_cast<float>(bfloat16(signalling))));
}
