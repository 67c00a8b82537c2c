// tests/partition/contract.hpp - what every partitioner must keep; each partitioner's test runs it.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/context/random.hpp>
#include <fanfold/partition/plan.hpp>

#include <cstdint>

#include "../catch.hpp"

namespace contract {

/// Every row in exactly one shard, no shard empty, equal plans for equal workloads. `made(rows, seed)` makes the
/// partitioner for a batch of `rows` rows, from other data for each seed.
template <class Make>
void partitions_every_batch(const Make& made) {
    const auto fine = [&](const fanfold::workload& w, std::uint64_t seed) {
        CAPTURE(w.rows, w.workers, seed);
        const auto one = made(w.rows, seed);
        const auto same = made(w.rows, seed);
        const fanfold::plan cut = one(w);
        REQUIRE_NOTHROW(fanfold::check_plan(cut, w.rows));
        REQUIRE(cut.shards() <= w.rows);
        REQUIRE((cut.shards() == 0) == (w.rows == 0));
        REQUIRE(cut == one(w));
        REQUIRE(cut == same(w));
    };
    fanfold::random_bits bits(1);
    for (std::size_t rows = 0; rows < 40; ++rows)
        for (const std::size_t workers : {1UL, 2UL, 7UL, 1024UL}) fine({rows, workers}, bits());
    for (int round = 0; round < 50; ++round) fine({bits.below(3000), 1 + bits.below(64)}, bits());
    fine({2'000'003, 8}, 5);
}

}  // namespace contract
