// SPDX-License-Identifier: MIT
#include <fanfold/infer/pairs.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;
using detail::standing;

namespace {

struct two_workers {
    std::optional<hedge> how = hedge{.quantile = 0.5, .share = 1, .min_peers = 1};
    detail::basic_worker_slots<detail::worker_slot> slots{10};
    time_point start{1h};

    /// Worker 0 has run shard 3 since the start; shards take 1 ms.
    two_workers() {
        slots.open(2);
        slots[0].times.add(1ms);
        slots[0].started = start.time_since_epoch().count();
        slots[0].running = 3;
    }
};

}  // namespace

TEST_CASE("A shard that takes much longer than its peers gets a second attempt, and the first to commit wins") {
    two_workers given;
    detail::basic_pairs<detail::worker_slot> pairs(given.how, 2, 10, given.slots);
    CHECK_FALSE(pairs.pair_up(1, given.start + 1ms, 5));
    CHECK_FALSE(pairs.pair_up(0, given.start + 9ms, 5));  // not beside itself
    const auto second = pairs.pair_up(1, given.start + 9ms, 5);
    REQUIRE(second);
    CHECK((second->shard == 3 && second->avoid == 0 && second->kind == attempt_kind::second));
    CHECK(pairs.is_paired(3));
    CHECK_FALSE(pairs.commits_alone(3));
    CHECK(pairs.commits_of_two({.shard = 3, .worker = 1}, {}));
    CHECK_FALSE(pairs.commits_of_two({.shard = 3, .worker = 0}, {}));
    std::stop_source loser(std::nostopstate);
    CHECK(pairs.began({*second, 1, given.start + 9ms, {}}) == given.start);
    CHECK(pairs.stands({*second, 1, given.start + 9ms, given.start + 10ms}, loser) == standing::won);
    CHECK(loser == given.slots[0].stopper);
    CHECK(pairs.stands({{.shard = 3}, 0, given.start, given.start + 11ms}, loser) == standing::lost);
    CHECK(given.slots[0].rests_until > given.start + 11ms);
    CHECK_FALSE(pairs.is_paired(3));
}

TEST_CASE("What has committed gets no second attempt, and of two that fail the last one stands for both") {
    two_workers given;
    detail::basic_pairs<detail::worker_slot> pairs(given.how, 2, 10, given.slots);
    const outcome fails{{{fault_kind::threw, "no", {0}, 1}}};
    const auto second = pairs.pair_up(1, given.start + 9ms, 5);
    REQUIRE(second);
    std::stop_source loser(std::nostopstate);
    CHECK_FALSE(pairs.commits_of_two({.shard = 3, .worker = 0}, fails));  // the other may do better
    CHECK(pairs.stands({{.shard = 3}, 0, given.start, given.start + 10ms}, loser) == standing::lost);
    CHECK(pairs.stands({*second, 1, given.start + 9ms, given.start + 11ms}, loser) == standing::last);
    given.slots[0].running = 4;
    CHECK(pairs.commits_alone(4));
    CHECK_FALSE(pairs.pair_up(1, given.start + 20ms, 5));
}
