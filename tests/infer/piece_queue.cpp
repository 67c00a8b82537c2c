// SPDX-License-Identifier: MIT
#include <fanfold/infer/piece_queue.hpp>

#include <fanfold/partition/contiguous.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;
using queue = fanfold::detail::basic_piece_queue<fanfold::detail::piece>;

TEST_CASE("Pieces come when they are ready, the soonest first; what nobody may take stays, what is too late goes") {
    const plan shards = contiguous{.rows_per_shard = 4}({.rows = 12});
    queue all(shards);
    const time_point start{1h};
    for (const auto after : {3ms, 1ms, 2ms}) all.push({{}, {}, {.shard = 1}}, start + after);
    CHECK(all.soonest() == start + 1ms);
    const auto any = [](const auto&, time_point) { return queue::fate::take; };
    CHECK(all.take(start, 64, any) == nullptr);
    CHECK(all.take(start + 2ms, 64, any)->what.piece == 1);
    std::size_t asked = 0;
    const auto none = [&](const auto&, time_point) { return ++asked, queue::fate::wait; };
    CHECK(all.take(start + 9ms, 64, none) == nullptr);
    CHECK(asked == 2);
    CHECK(all.take(start + 9ms, 1, none) == nullptr);
    CHECK(asked == 3);
    const auto late = [&](const auto& one, time_point) {
        return one.what.piece == 2 ? queue::fate::drop : queue::fate::take;
    };
    CHECK(all.take(start + 9ms, 64, late)->what.piece == 0);
    CHECK(all.soonest() == time_point::max());
}

TEST_CASE("A piece without rows is its whole shard") {
    const plan shards = contiguous{.rows_per_shard = 4}({.rows = 12});
    queue all(shards);
    all.push({{}, {}, {.shard = 2}}, {});
    all.push({{7, 5}, {}, {.shard = 1}, 1, {}, {}, 3}, {});
    CHECK(queue::numbers(all.rows(all[0].what)) == std::vector<std::size_t>{8, 9, 10, 11});
    CHECK(queue::numbers(all.rows(all[1].what)) == std::vector<std::size_t>{5, 7});
    CHECK(all.ballot_of(all[1].what) == 3);
    CHECK(all.ballot_of({.shard = 1}) == fanfold::detail::no_ballot);
}
