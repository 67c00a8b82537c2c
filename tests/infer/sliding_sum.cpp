// SPDX-License-Identifier: MIT
#include <fanfold/infer/sliding_sum.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("What came within the span counts, to a tenth of it, and nothing older") {
    const time_point start(1h);
    fanfold::detail::sliding_sum sum(10s);
    sum.add(start, 5);
    sum.add(start + 3s, 2);
    CHECK(sum.sum(start + 9s) == 7);
    CHECK(sum.sum(start + 11s) == 2);
    CHECK(sum.sum(start + 14s) == 0);
    sum.add(start + 1000s, 1);
    CHECK(sum.sum(start + 1000s) == 1);
}

TEST_CASE("An even rate is spread over the time it came in") {
    const time_point start(1h);
    fanfold::detail::sliding_sum sum(10s);
    sum.spread(start, start + 4s, 40);
    CHECK(sum.sum(start + 4s) == Approx(40));
    CHECK(sum.sum(start + 11s) == Approx(20).margin(1e-6));
    sum.spread(start + 4s, start + 104s, 1000);
    CHECK(sum.sum(start + 104s) == Approx(90).margin(10.1));
    sum.spread(start + 104s, start + 104s, 3);
    CHECK(sum.sum(start + 104s) == Approx(93).margin(10.1));
}
