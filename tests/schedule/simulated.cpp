// SPDX-License-Identifier: MIT
#include <fanfold/schedule/simulated.hpp>

#include "contract.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

constexpr auto a_microsecond = [](const claim&, std::size_t) -> duration { return 1us; };
using steady = simulated_executor<decltype(a_microsecond)>;
static_assert(executor<steady>);

/// Who ran what when, of a job whose shards take 1 to 5 us.
struct run_of {
    std::vector<attempt> attempts;
    time_point began, ended;
};
run_of run_with(std::uint64_t seed, std::size_t workers, std::size_t shards) {
    const simulated_executor cluster({.workers = workers, .seed = seed}, [](const claim& c, std::size_t) -> duration {
        return std::chrono::microseconds(1 + c.shard * 7 % 5);
    });
    run_of seen{{}, cluster.time().now(), {}};
    contract::scripted source;
    for (std::size_t shard = 0; shard < shards; ++shard) source.push({.shard = shard});
    contract::run(
        cluster, source, [](const claim&, workspace&) { return outcome{}; }, 1024);
    seen.attempts = source.attempts;
    seen.ended = cluster.time().now();
    return seen;
}
std::vector<std::size_t> workers_of(const run_of& r) {
    std::vector<std::size_t> who;
    for (const attempt& a : r.attempts) who.push_back(a.worker);
    return who;
}

}  // namespace

TEST_CASE("The simulated executor keeps the contract of executors") {
    for (const std::size_t workers : {1UL, 2UL, 7UL, 100UL})
        for (const claim_order order : {claim_order::shared, claim_order::own_share_first}) {
            CAPTURE(workers);
            contract::is_kept_by(steady({.workers = workers, .order = order}, a_microsecond));
        }
}

TEST_CASE("Virtual time is what the attempts cost, spread over the workers") {
    const auto eight_shards = [](std::size_t workers) {
        const steady cluster({.workers = workers}, a_microsecond);
        counter_claims source(8, cluster.order(), workers);
        const time_point began = cluster.time().now();
        contract::run(cluster, source, [](const claim&, workspace&) { return outcome{}; });
        return cluster.time().now() - began;
    };
    CHECK(eight_shards(1) == 8us);
    CHECK(eight_shards(2) == 4us);
    CHECK(eight_shards(3) == 3us);
    CHECK(eight_shards(8) == 1us);
    CHECK(eight_shards(50) == 1us);
}

TEST_CASE("A seed replays the same run; another seed orders what happens at the same time otherwise") {
    const run_of first = run_with(1, 16, 200), again = run_with(1, 16, 200);
    REQUIRE(first.attempts.size() == 200);
    CHECK(workers_of(first) == workers_of(again));
    CHECK(first.ended == again.ended);
    bool differs = false;
    for (std::uint64_t seed = 2; seed < 6; ++seed) differs |= workers_of(run_with(seed, 16, 200)) != workers_of(first);
    CHECK(differs);
}

TEST_CASE("Attempts end in the order of virtual time, and read there when they end") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const simulated_executor cluster({.workers = 9, .seed = seed}, [](const claim& c, std::size_t) -> duration {
            return std::chrono::nanoseconds(1 + c.shard * 7919 % 1000);
        });
        contract::scripted source;
        for (std::size_t shard = 0; shard < 300; ++shard) source.push({.shard = shard});
        std::vector<time_point> read;
        contract::run(cluster, source, [&](const claim&, workspace&) {
            read.push_back(cluster.time().now());
            return outcome{};
        });
        REQUIRE(source.attempts.size() == 300);
        for (std::size_t i = 0; i < 300; ++i) REQUIRE(source.attempts[i].ended == read[i]);
        REQUIRE(std::is_sorted(read.begin(), read.end()));
    }
}

TEST_CASE("A wait is as long as the source says, and ends sooner when an attempt does") {
    const steady cluster({.workers = 2}, a_microsecond);
    const time_point began = cluster.time().now();
    contract::scripted source;
    source.push({.shard = 0});
    source.push({.shard = 1}, began + 1h);
    contract::run(cluster, source, [](const claim&, workspace&) { return outcome{}; });
    REQUIRE(source.attempts.size() == 2);
    CHECK(source.attempts[1].started == began + 1h);

    // a retry that `done` makes ready at once finds the other worker awake
    contract::scripted retried;
    retried.push({.shard = 0});
    const time_point later = cluster.time().now();
    const auto next = [&](std::size_t worker, time_point now) { return retried.next(worker, now); };
    const auto done = [&](const attempt& ended, const outcome&) {
        retried.done_and(ended, [&](contract::scripted& s) {
            if (ended.what.attempt == 1)
                for (std::size_t twin = 0; twin < 2; ++twin) s.push({.shard = twin, .attempt = 2});
        });
    };
    const auto attempt_of = [](const claim&, workspace&) { return outcome{}; };
    cluster.run({next, done, attempt_of, 2, 0, {}, {}});
    REQUIRE(retried.attempts.size() == 3);
    CHECK(retried.attempts[2].ended == later + 2us);
}

TEST_CASE("A source that nobody could ever continue is named instead of waited for") {
    const auto next = [](std::size_t, time_point) -> next_claim { return wait_until{time_point::max()}; };
    const auto done = [](const attempt&, const outcome&) {};
    const auto attempt_of = [](const claim&, workspace&) { return outcome{}; };
    CHECK(text_of([&] {
              steady({.workers = 3}, a_microsecond).run({next, done, attempt_of, 3, 0, {}, {}});
          }) == "simulated_executor: all workers wait for an attempt to end, and none is running");
}

TEST_CASE("No worker goes without while a shard is unclaimed: a job ends within total / m + largest") {
    random_bits bits(3);
    for (int round = 0; round < 500; ++round) {
        const std::size_t workers = 1 + bits.below(64), shards = 1 + bits.below(500);
        std::vector<duration> costs(shards);
        duration total{0}, largest{0};
        for (duration& c : costs) {
            c = duration(1 + bits.below(std::size_t{1} << bits.below(20)));
            total += c;
            largest = std::max(largest, c);
        }
        for (const claim_order order : {claim_order::shared, claim_order::own_share_first}) {
            const simulated_executor cluster({.workers = workers, .seed = bits(), .order = order},
                                             [&](const claim& c, std::size_t) { return costs[c.shard]; });
            counter_claims source(shards, order, std::min(workers, shards));
            const time_point began = cluster.time().now();
            contract::run(
                cluster, source, [](const claim&, workspace&) { return outcome{}; }, shards);
            const double took = static_cast<double>((cluster.time().now() - began).count());
            REQUIRE(took <= static_cast<double>(total.count()) / static_cast<double>(workers) +
                                static_cast<double>(largest.count()));
            REQUIRE(took >= static_cast<double>(largest.count()));
        }
    }
}
