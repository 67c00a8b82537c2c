// SPDX-License-Identifier: MIT
#include <fanfold/context/events.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("An event is a first attempt without a fault unless told") {
    const event e;
    CHECK(e.attempt == 1);
    CHECK_FALSE(e.fault.has_value());
    CHECK(e.shard == 0);
    CHECK(e.rows == 0);
    CHECK(e.worker == 0);
    CHECK(e.started == e.finished);
}

TEST_CASE("A timeline starts with one worker and nothing that happened") {
    const timeline t;
    CHECK(t.workers == 1);
    CHECK(t.rows == 0);
    CHECK(t.cpu_time == duration::zero());
    CHECK(t.attempts.empty());
}

TEST_CASE("An event sink hands the very event on") {
    const event* seen = nullptr;
    const auto watch = [&](const event& e) { seen = &e; };
    const event_sink sink = watch;
    const event sent;
    sink(sent);
    CHECK(seen == &sent);
    CHECK_FALSE(static_cast<bool>(event_sink{}));
}
