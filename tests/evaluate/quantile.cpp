// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/quantile.hpp>

#include "catch.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

TEST_CASE("a quantile is the smallest measured value that enough values do not exceed") {
    const std::array<double, 4> values{10, 20, 30, 40};
    CHECK(fanfold::quantile(values, 0.00) == 10);
    CHECK(fanfold::quantile(values, 0.25) == 10);
    CHECK(fanfold::quantile(values, 0.26) == 20);
    CHECK(fanfold::quantile(values, 0.50) == 20);
    CHECK(fanfold::quantile(values, 0.99) == 40);
    CHECK(fanfold::quantile(values, 1.00) == 40);
}

TEST_CASE("the nearest rank agrees with counting, at every size") {
    for (std::size_t size = 1; size <= 400; ++size) {
        std::vector<double> values(size);
        for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<double>(i + 1);
        for (const std::size_t percent : {1U, 50U, 95U, 99U, 100U}) {
            const std::size_t rank = (percent * size + 99) / 100;  // in whole numbers
            REQUIRE(fanfold::quantile(values, static_cast<double>(percent) / 100) ==
                    static_cast<double>(std::max<std::size_t>(rank, 1)));
        }
    }
}

TEST_CASE("no values have quantile zero, and a share outside 0 to 1 is refused") {
    CHECK(fanfold::quantile({}, 0.5) == 0);
    const std::array<double, 1> one{7};
    CHECK(fanfold::quantile(one, 0.01) == 7);
    CHECK_THROWS_AS(fanfold::quantile(one, 1.01), std::invalid_argument);
    CHECK_THROWS_AS(fanfold::quantile(one, -0.5), std::invalid_argument);
    CHECK_THROWS_AS(fanfold::quantile(one, std::numeric_limits<double>::quiet_NaN()), std::invalid_argument);
}
