// SPDX-License-Identifier: MIT
#include <fanfold/context/sum_checks.hpp>

#include <thread>

#include "../catch.hpp"

using fanfold::sum_checks;

TEST_CASE("Tiles on several threads add up; of several damages the first is told") {
    sum_checks seen;
    {
        const auto add = [&] {
            for (int tile = 0; tile < 1000; ++tile) seen.add(3, tile % 10 == 0 ? 1 : 0);
        };
        const std::jthread one(add), other(add);
    }
    CHECK(seen.rows() == 6000);
    CHECK(seen.suspicious() == 200);
    CHECK(seen.damage().empty());
    seen.damaged("dense 'a'");
    seen.damaged("dense 'b'");
    CHECK(seen.damage() == "dense 'a'");
}
