// SPDX-License-Identifier: MIT
#include <fanfold/core/outcome.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("An outcome without faults is answered") {
    outcome result;
    CHECK(result.answered());
    result.faults.push_back({fault_kind::not_finite, "NaN", {3}, 1});
    CHECK_FALSE(result.answered());
}
