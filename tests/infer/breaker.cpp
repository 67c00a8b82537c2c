// SPDX-License-Identifier: MIT
#include <fanfold/infer/breaker.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;
using fanfold::detail::breaker_state;

namespace {

const time_point start(1h);
const breaker how{.failure_share = 0.5, .min_attempts = 10, .window = 10s, .open_for = 5s, .probes = 2};

breaker_state opened() {
    breaker_state state(how);
    for (std::size_t n = 1; n <= 10; ++n) state.failed(start, start + 1s, n);
    return state;
}

}  // namespace

TEST_CASE("It opens at the share of failures, not below, and not on few attempts") {
    breaker_state few(how);
    for (std::size_t n = 1; n < 10; ++n) few.failed(start, start, n);
    CHECK(few.closed());
    few.failed(start, start, 10);
    CHECK_FALSE(few.closed());
    breaker_state some(how);
    for (std::size_t n = 1; n <= 100; ++n) some.failed(start, start, 3 * n);  // two of three pass
    CHECK(some.closed());
}

TEST_CASE("Open, it allows nothing until its time has come, and then so many probes") {
    breaker_state state = opened();
    CHECK_FALSE(state.allows(start + 5s));
    CHECK(state.reopens() == start + 6s);
    CHECK(state.allows(start + 6s));
    CHECK(state.reopens() == time_point::max());
    CHECK(state.allows(start + 6s));
    CHECK_FALSE(state.allows(start + 6s));
    state.give_back();
    CHECK(state.allows(start + 6s));
}

TEST_CASE("Probes that pass close it, one that fails opens it again, and earlier attempts decide nothing") {
    breaker_state state = opened();
    REQUIRE((state.allows(start + 6s) && state.allows(start + 6s)));
    state.passed(start + 1s, start + 6s, 11);
    state.passed(start + 1s, start + 6s, 11);
    state.failed(start + 1s, start + 6s, 11);
    CHECK(state.reopens() == time_point::max());  // still half open
    state.passed(start + 6s, start + 7s, 12);
    CHECK_FALSE(state.closed());
    state.failed(start + 6s, start + 7s, 12);
    CHECK(state.reopens() == start + 12s);
    REQUIRE((state.allows(start + 12s) && state.allows(start + 12s)));
    state.passed(start + 12s, start + 13s, 14);
    state.passed(start + 12s, start + 13s, 14);
    CHECK(state.closed());
    state.failed(start + 13s, start + 13s, 15);  // what was before is forgotten
    CHECK(state.closed());
}
