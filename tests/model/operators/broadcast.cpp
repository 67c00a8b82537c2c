// tests/model/operators/broadcast.cpp - shapes that broadcast, with a symbolic number of rows.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/broadcast.hpp>

#include "../../catch.hpp"

using namespace fanfold;

TEST_CASE("shapes broadcast from the last axis on") {
    const extent N = rows_extent;
    CHECK(broadcast({N, 6, 28, 28}, {6, 1, 1}) == symbolic_shape{N, 6, 28, 28});
    CHECK(broadcast({}, {N, 2}) == symbolic_shape{N, 2});
    CHECK(broadcast({N, 1}, {1, 5}) == symbolic_shape{N, 5});
    CHECK(broadcast({N, 1}, {N}) == symbolic_shape{N, N});
    CHECK(broadcast({0}, {1}) == symbolic_shape{0});
    CHECK_THROWS_WITH(broadcast({N, 3}, {2, 3}), "expected shapes that broadcast, got [N, 3] and [2, 3]");
    CHECK_THROWS_WITH(broadcast({N, 3}, {N, 0}), Catch::Matchers::Contains("[N, 0]"));
}
