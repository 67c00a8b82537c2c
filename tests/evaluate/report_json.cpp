// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/report_json.hpp>

#include "catch.hpp"

#include <chrono>

using namespace std::chrono_literals;

TEST_CASE("a report survives the way to JSON and back") {
    fanfold::timeline events{.executor = "threads", .workers = 3, .rows = 7, .cpu_time = 5ms};
    events.finished = events.started + 3ms;
    events.attempts.push_back({.rows = 7, .started = events.started, .finished = events.started + 2ms});
    const fanfold::report before(events, 2);
    const nlohmann::json j = before;
    CHECK(j.at("latency_us").at("p99").get<double>() == Approx(2000));
    CHECK(j.at("failed_rows") == 2);
    const auto after = nlohmann::json::parse(j.dump()).get<fanfold::report>();
    CHECK(nlohmann::json(after) == j);
    CHECK(after.executor == "threads");
}

TEST_CASE("a key that is missing is named") {
    nlohmann::json j = fanfold::report();
    j.erase("wall_s");
    CHECK_THROWS_WITH(j.get<fanfold::report>(), Catch::Contains("wall_s"));
}
