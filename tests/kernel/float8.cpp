// SPDX-License-Identifier: MIT
#include <fanfold/kernel/float8.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"

using namespace fanfold;
using kernel::float8_range;
using kernel::float8_rounded;
using kernel::float8_value;

TEST_CASE("every number of the four formats is its own nearest", "[kernel][float8]") {
    for (const auto& format :
         {kernel::float8_e4m3fn, kernel::float8_e4m3fnuz, kernel::float8_e5m2, kernel::float8_e5m2fnuz}) {
        bool right = true;
        float most = 0;
        for (int bits = 0; bits < 256; ++bits) {
            const float x = float8_value(format, static_cast<std::uint8_t>(bits));
            const float y = float8_rounded(format, x, float8_range::overflows);
            right = right && (x == y || (x != x && y != y));
            if (std::isfinite(x)) most = std::max(most, x);
        }
        CHECK(right);
        CHECK(most == format.largest);
    }
    CHECK(float8_value(kernel::float8_e4m3fn, 0x7F) != float8_value(kernel::float8_e4m3fn, 0x7F));
    CHECK(float8_value(kernel::float8_e4m3fn, 0x01) == 0x1p-9F);
    CHECK(float8_value(kernel::float8_e4m3fnuz, 0x01) == 0x1p-10F);
    CHECK(float8_value(kernel::float8_e5m2, 0x7C) == std::numeric_limits<float>::infinity());
    CHECK(float8_value(kernel::float8_e5m2fnuz, 0x80) != float8_value(kernel::float8_e5m2fnuz, 0x80));
}

TEST_CASE("halves go to even; what is too large saturates, or overflows", "[kernel][float8]") {
    const auto e4 = [](float x, float8_range r = float8_range::saturates) {
        return float8_rounded(kernel::float8_e4m3fn, x, r);
    };
    CHECK(e4(1.0625F) == 1);      // between 1 and 1.125
    CHECK(e4(1.1875F) == 1.25F);  // between 1.125 and 1.25
    CHECK(e4(464) == 448);
    CHECK(e4(-1e30F) == -448);
    CHECK(e4(464, float8_range::overflows) == 448);
    CHECK(std::isnan(e4(465, float8_range::overflows)));
    CHECK(std::signbit(e4(-1e-9F)));
    CHECK_FALSE(std::signbit(float8_rounded(kernel::float8_e4m3fnuz, -1e-9F, float8_range::saturates)));
    const float inf = std::numeric_limits<float>::infinity();
    CHECK(float8_rounded(kernel::float8_e5m2, inf, float8_range::saturates) == 57344);
    CHECK(float8_rounded(kernel::float8_e5m2, -inf, float8_range::overflows) == -inf);
    CHECK(std::isnan(float8_rounded(kernel::float8_e5m2fnuz, inf, float8_range::overflows)));
    CHECK(std::isnan(e4(std::numeric_limits<float>::quiet_NaN())));
}
