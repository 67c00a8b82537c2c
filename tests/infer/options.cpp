// SPDX-License-Identifier: MIT
#include <fanfold/infer/options.hpp>
#include <fanfold/verify/finite.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("Nothing has to be said: consecutive shards, no check, no stop, no deadline, nobody watching") {
    const options how;
    CHECK(how.partition({.rows = 100, .workers = 2}) == contiguous{}({.rows = 100, .workers = 2}));
    CHECK_FALSE(static_cast<bool>(how.verify));
    CHECK_FALSE(how.stop.stop_possible());
    CHECK_FALSE(how.deadline.has_value());
    CHECK_FALSE(static_cast<bool>(how.on_event));
}

TEST_CASE("What is said stands by its name") {
    const options how{.partition = contiguous{.shards = 3}, .verify = fanfold::finite{}};
    CHECK(how.partition({.rows = 9}).shards() == 3);
    CHECK(static_cast<bool>(how.verify));
}
