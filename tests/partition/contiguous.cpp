// SPDX-License-Identifier: MIT
#include <fanfold/partition/contiguous.hpp>

#include "../text.hpp"
#include "contract.hpp"

using namespace fanfold;

TEST_CASE("contiguous keeps the contract of partitioners") {
    contract::partitions_every_batch([](std::size_t, std::uint64_t seed) {
        return seed % 2 == 0 ? contiguous{.shards = seed % 100} : contiguous{.rows_per_shard = seed % 100};
    });
}

TEST_CASE("Shards of a given number differ in length by at most one") {
    CHECK(contiguous{.shards = 4}({.rows = 10}).cuts == std::vector<std::size_t>{0, 3, 6, 8, 10});
    for (std::size_t rows = 1; rows < 60; ++rows)
        for (std::size_t shards = 1; shards < 70; ++shards) {
            const plan p = contiguous{.shards = shards}({.rows = rows});
            check_plan(p, rows);
            REQUIRE(p.shards() == std::min(rows, shards));
            REQUIRE(p.largest() - p.rows_of(p.shards() - 1) <= 1);
        }
}

TEST_CASE("Shards of a given length leave a shorter last one") {
    CHECK(contiguous{.rows_per_shard = 4}({.rows = 10}).cuts == std::vector<std::size_t>{0, 4, 8, 10});
    CHECK(contiguous{.rows_per_shard = 5}({.rows = 10}).cuts == std::vector<std::size_t>{0, 5, 10});
    CHECK(contiguous{.rows_per_shard = 100}({.rows = 10}).shards() == 1);
    CHECK(contiguous{.rows_per_shard = SIZE_MAX}({.rows = 10}).shards() == 1);
}

TEST_CASE("With nothing said every worker gets several shards of at most 64 rows") {
    for (const std::size_t rows : {1UL, 7UL, 100UL, 10'000UL, 1'000'000UL}) {
        const plan p = contiguous{}({.rows = rows, .workers = 3});
        check_plan(p, rows);
        CHECK(p.largest() <= 64);
        CHECK(p.shards() >= std::min<std::size_t>(rows, 24));
    }
}

TEST_CASE("No rows make an empty plan, and two sizes at once are refused") {
    CHECK(contiguous{.shards = 4}({.rows = 0}).shards() == 0);
    CHECK(contiguous{}({.rows = 0}).shards() == 0);
    CHECK(text_of([] { (void)contiguous{.shards = 2, .rows_per_shard = 2}({.rows = 8}); }) ==
          "contiguous: give shards or rows_per_shard, not both");
}
