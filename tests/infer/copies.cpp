// SPDX-License-Identifier: MIT
#include <fanfold/infer/copies.hpp>

#include <fanfold/partition/contiguous.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;
using namespace fanfold::detail;

TEST_CASE("A copy is left to workers that have not computed its rows for as long as one of them is at work") {
    const plan shards = contiguous{.rows_per_shard = 4}({.rows = 8});
    const stop never;
    const time_point start{1h};
    basic_worker_slots<worker_slot> slots(2);
    slots.open(2);
    basic_piece_queue<piece> all(shards);
    basic_copies<worker_slot> copies(recheck_rules{1, 0, 2, 2}, 2, 2, never, slots, all);
    CHECK(copies.compares({.shard = 1}, recheck_reason::sampled));
    copies.open({{.shard = 1}, 0, start, start});  // computed by worker 0
    REQUIRE(all.size() == 1);
    CHECK(all[0].what.kind == attempt_kind::check);
    CHECK(copies.suits(all[0], start, 1, start, false));
    slots[1].left = worker_slot::busy;
    CHECK_FALSE(copies.suits(all[0], start, 0, start + 1h, true));
    CHECK(copies.come(start + 1ms).when == time_point::max());
    slots[1].left = 0;  // it never came
    CHECK_FALSE(copies.suits(all[0], start, 0, start + 99ms, true));
    CHECK_FALSE(copies.suits(all[0], start, 0, start + 100ms, false));  // there is something else to do
    CHECK(copies.suits(all[0], start, 0, start + 100ms, true));
    CHECK(copies.come(start + 1ms).when == start + 100ms);
}
