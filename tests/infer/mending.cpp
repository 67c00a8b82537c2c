// SPDX-License-Identifier: MIT
#include <fanfold/infer/mending.hpp>

#include <fanfold/partition/contiguous.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;
using namespace fanfold::detail;

TEST_CASE("What failed is tried again, then halved, then given up") {
    const options how{.retry = {.max_attempts = 2, .base = 1ms, .jitter = jitter::none}, .give_up = give_up::rows};
    const plan shards = contiguous{.rows_per_shard = 4}({.rows = 8});
    const stop never;
    basic_worker_slots<worker_slot> slots(2);
    slots.open(1);
    basic_piece_queue<piece> all(shards);
    basic_mending<worker_slot> mending(how, shards_are::divisible, never, slots, all);
    const time_point start{1h};
    const auto fails = [&](const claim& what) {
        outcome result{{{fault_kind::threw, "no", basic_piece_queue<piece>::numbers(all.rows(what)), what.attempt}}};
        return mending.mend({what, 0, start, start}, result, standing::lone, start, 2);
    };
    CHECK(fails({.shard = 1}).empty());
    REQUIRE(all.size() == 1);
    CHECK(all[0].what.kind == attempt_kind::retry);
    CHECK(all.soonest() == start + 1ms);
    CHECK(fails(all[0].what).empty());
    REQUIRE(all.size() == 3);
    CHECK((all[1].rows == std::vector<std::size_t>{4, 5} && all[2].rows == std::vector<std::size_t>{6, 7}));
    CHECK(all[2].what.kind == attempt_kind::part);
    CHECK(fails(all[2].what).empty());
    REQUIRE(all.size() == 5);
    CHECK(fails(all[4].what).empty());  // alone, it is tried once more
    REQUIRE(all.size() == 6);
    const std::vector<fault> stay = fails(all[5].what);
    REQUIRE(stay.size() == 1);
    CHECK(stay[0].rows == std::vector<std::size_t>{7});
}
