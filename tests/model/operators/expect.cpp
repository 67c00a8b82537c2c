// tests/model/operators/expect.cpp - how shape rules complain.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/expect.hpp>

#include "../../catch.hpp"

using namespace fanfold;

TEST_CASE("an axis counts from either end") {
    CHECK(detail::expect_axis(0, 3) == 0);
    CHECK(detail::expect_axis(2, 3) == 2);
    CHECK(detail::expect_axis(-1, 3) == 2);
    CHECK(detail::expect_axis(-3, 3) == 0);
    CHECK_THROWS_WITH(detail::expect_axis(3, 3), "expected an axis in [-3, 3), got 3");
    CHECK_THROWS(detail::expect_axis(-4, 3));
    CHECK_THROWS(detail::expect_axis(0, 0));
    CHECK_THROWS(detail::expect_axis(INT64_MIN, 3));
}

TEST_CASE("the number of inputs") {
    const std::vector<argument> two(2);
    CHECK_NOTHROW(detail::expect_inputs(two, 2));
    CHECK_THROWS_WITH(detail::expect_inputs(two, 1), "expected 1 input, got 2");
}
