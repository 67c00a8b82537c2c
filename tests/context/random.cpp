// SPDX-License-Identifier: MIT
#include <fanfold/context/random.hpp>

#include <random>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

static_assert(std::uniform_random_bit_generator<random_bits>);

TEST_CASE("A seed gives the published sequence of splitmix64") {
    random_bits zero(0);
    CHECK(zero() == 0xE220A8397B1DCDAFU);
    CHECK(zero() == 0x6E789E6AA1B965F4U);
    CHECK(zero() == 0x06C45D188009454FU);
}

TEST_CASE("Numbers below a count fall on each alike, fractions on [0, 1)") {
    random_bits bits(7);
    std::vector<int> seen(10);
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) {
        ++seen.at(bits.below(10));
        const double u = bits.uniform();
        REQUIRE(u >= 0);
        REQUIRE(u < 1);
        sum += u;
    }
    for (const int count : seen) CHECK(std::abs(count - 10'000) < 500);  // five standard deviations
    CHECK(std::abs(sum / 100'000 - 0.5) < 0.005);
    CHECK(bits.below(1) == 0);
}
