// SPDX-License-Identifier: MIT
#include <fanfold/partition/hashed.hpp>

#include <cmath>

#include "../text.hpp"
#include "contract.hpp"

using namespace fanfold;

TEST_CASE("hashed keeps the contract of partitioners") {
    contract::partitions_every_batch([](std::size_t, std::uint64_t seed) {
        return hashed{.key = [seed](std::size_t row) { return row % 1000 + seed; }, .shards = seed % 100};
    });
}

TEST_CASE("Rows with equal keys travel together, in row order") {
    const std::vector<std::string> users{"ann", "bob", "ann", "cid", "bob", "ann"};
    const plan p = hashed{.key = users, .shards = 1000}({.rows = 6});
    CHECK(p.shards() == 3);
    for (std::size_t s = 0; s < p.shards(); ++s)
        for (std::size_t at = 1; at < p.rows_of(s); ++at) {
            CHECK(users[p.row(s, at)] == users[p.row(s, 0)]);
            CHECK(p.row(s, at) > p.row(s, at - 1));
        }
}

TEST_CASE("From n to n + 1 shards 1/(n + 1) of the keys move, all of them to the new shard") {
    constexpr std::size_t keys = 200'000;
    for (const std::size_t n : {1UL, 2UL, 3UL, 10UL, 64UL, 1000UL}) {
        std::size_t moved = 0;
        for (std::size_t key = 0; key < keys; ++key) {
            const std::uint64_t hash = detail::hash_of_key(key);
            const std::size_t before = jump_hash(hash, n), after = jump_hash(hash, n + 1);
            if (before == after) continue;
            ++moved;
            REQUIRE(after == n);
        }
        const double expected = static_cast<double>(keys) / static_cast<double>(n + 1);
        CHECK(std::abs(static_cast<double>(moved) - expected) < 6 * std::sqrt(expected));
    }
}

TEST_CASE("Many keys spread evenly") {
    const plan p = hashed{.shards = 64}({.rows = 640'000});
    REQUIRE(p.shards() == 64);
    for (std::size_t s = 0; s < 64; ++s) CHECK(std::abs(static_cast<double>(p.rows_of(s)) - 10'000) < 600);
}

TEST_CASE("The shard of a key never changes: these are the same on every machine") {
    const auto shard_of = [](std::string_view key) { return jump_hash(detail::hash_of_key(key), 1000); };
    CHECK(jump_hash(0, 1000) == 0);  // as other implementations of the paper have it
    CHECK(jump_hash(1, 1000) == 549);
    CHECK(jump_hash(0xDEADBEEF, 1000) == 285);
    CHECK(shard_of("ann") == 397);
    CHECK(shard_of("bob") == 355);
}

TEST_CASE("hashed refuses keys of another batch") {
    CHECK(text_of([] {
              (void)hashed{.key = std::vector{1, 2}}({.rows = 3});
          }) == "hashed: keys: 2 given for a batch of 3 rows");
}
