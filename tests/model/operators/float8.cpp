// tests/model/operators/float8.cpp - what is rounded, and held in what; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/float8.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"

using namespace fanfold;

TEST_CASE("8-bit floats are held in float32") {
    const round_to_float8 op(kernel::float8_e5m2, kernel::float8_range::saturates);
    CHECK(rule(op, {floats({rows_extent, 2})}) == "float32 [N, 2]");
    CHECK_THROWS(op.answers(std::vector<argument>{int64s({2})}));
    CHECK_FALSE(mixes(op, {floats({rows_extent, 2})}));
}
