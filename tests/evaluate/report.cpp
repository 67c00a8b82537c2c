// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/report.hpp>

#include "catch.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using fanfold::report;
using fanfold::timeline;

namespace {

constexpr fanfold::time_point start{};

fanfold::event attempt(std::size_t shard, std::size_t worker, fanfold::duration from, fanfold::duration to) {
    return {.shard = shard, .rows = 50, .worker = worker, .started = start + from, .finished = start + to};
}

/// Four shards of 50 rows on workers 0 and 2 of four, 100 ms.
timeline two_of_four() {
    return {.executor = "tbb",
            .workers = 4,
            .rows = 200,
            .started = start,
            .finished = start + 100ms,
            .cpu_time = 180ms,
            .attempts = {attempt(0, 0, 0ms, 50ms), attempt(1, 2, 0ms, 40ms), attempt(2, 0, 50ms, 90ms),
                         attempt(3, 2, 40ms, 100ms)}};
}

struct job_of_a_user {
    timeline events;
    std::vector<fanfold::fault> failures;
};
static_assert(fanfold::reportable<job_of_a_user>);
static_assert(!fanfold::reportable<timeline>);

}  // namespace

TEST_CASE("a report counts what the events say") {
    const report r(two_of_four());
    CHECK(r.executor == "tbb");
    CHECK(r.workers == 4);
    CHECK(r.workers_used == 2);
    CHECK(r.rows == 200);
    CHECK(r.failed_rows == 0);
    CHECK(r.wall_s == Approx(0.1));
    CHECK(r.cpu_s == Approx(0.18));
    CHECK(r.rows_per_s == Approx(2000));
    CHECK(r.latency_us.p50 == Approx(40000));
    CHECK(r.latency_us.p95 == Approx(60000));
    CHECK(r.latency_us.p99 == Approx(60000));
    CHECK(r.latency_us.max == Approx(60000));
    CHECK(r.utilization == Approx(0.95));  // 190 ms inside attempts, two workers for 100 ms
    CHECK(r.cpu_s_per_million_rows == Approx(900));
}

TEST_CASE("rows that failed count as no throughput") {
    job_of_a_user job{two_of_four(), {}};
    job.failures.push_back({.rows = std::vector<std::size_t>(40)});
    job.failures.push_back({.rows = std::vector<std::size_t>(10)});
    const report r(job);
    CHECK(r.failed_rows == 50);
    CHECK(r.rows == 200);
    CHECK(r.rows_per_s == Approx(1500));
    CHECK(r.cpu_s_per_million_rows == Approx(1200));
}

TEST_CASE("a job in which nothing happened has figures of zero, not of infinity") {
    const report nothing{timeline{}};
    CHECK(nothing.rows_per_s == 0);
    CHECK(nothing.utilization == 0);
    CHECK(nothing.cpu_s_per_million_rows == 0);
    CHECK(nothing.latency_us.max == 0);
    const report all_failed(two_of_four(), 200);
    CHECK(all_failed.rows_per_s == 0);
    CHECK(all_failed.cpu_s_per_million_rows == 0);
}

TEST_CASE("attempts are counted by why there were any") {
    timeline events = two_of_four();
    events.attempts[0].kind = fanfold::attempt_kind::retry;
    events.attempts[1].kind = fanfold::attempt_kind::part;
    events.attempts[2].kind = fanfold::attempt_kind::check;
    events.attempts[3].kind = fanfold::attempt_kind::second;
    events.checks = {.compared = 9, .differing = 2, .undecided = 1};
    const report r(events);
    CHECK((r.checks == 1 && r.compared == 9 && r.differing == 2 && r.undecided == 1));
    CHECK(r.checks_s == Approx(0.04));
    CHECK(r.attempts == 4);
    CHECK(r.retries == 1);
    CHECK(r.parts == 1);
    CHECK(r.seconds == 1);
}

TEST_CASE("rows of an earlier run count for no rate") {
    timeline events = two_of_four();
    events.resumed = 100;
    const report r(events);
    CHECK(r.resumed_rows == 100);
    CHECK(r.rows_per_s == Approx(1000));
}
