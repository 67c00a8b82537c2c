// SPDX-License-Identifier: MIT
#include <fanfold/partition/weighted.hpp>

#include <cmath>

#include "../text.hpp"
#include "contract.hpp"

using namespace fanfold;

TEST_CASE("weighted keeps the contract of partitioners") {
    contract::partitions_every_batch([](std::size_t, std::uint64_t seed) {
        random_bits bits(seed);
        std::vector<double> weights{1};
        for (std::size_t left = bits.below(20); left > 0; --left)
            weights.push_back(bits.below(4) == 0 ? 0 : bits.uniform());
        return weighted{weights};
    });
}

TEST_CASE("Shards are in proportion to the weights, less than a row off") {
    CHECK(weighted{{2, 1, 1}}({.rows = 8}).cuts == std::vector<std::size_t>{0, 4, 6, 8});
    CHECK(weighted{{1, 0, 3}}({.rows = 8}).cuts == std::vector<std::size_t>{0, 2, 8});
    CHECK(weighted{{1, 1, 0}}({.rows = 3}).shards() == 2);
    CHECK(weighted{{1, 100, 1}}({.rows = 1}).shards() == 1);
    random_bits bits(2);
    for (int round = 0; round < 1000; ++round) {
        std::vector<double> weights;
        double total = 0;
        for (std::size_t left = 1 + bits.below(30); left > 0; --left)
            total += weights.emplace_back(0.2 + bits.uniform());
        const plan p = weighted{weights}({.rows = 1000});
        REQUIRE(p.shards() == weights.size());
        for (std::size_t s = 0; s < p.shards(); ++s)
            REQUIRE(std::abs(static_cast<double>(p.rows_of(s)) - 1000 * weights[s] / total) <= 1.0);
    }
}

TEST_CASE("weighted refuses weights that are no proportion") {
    CHECK(text_of([] { (void)weighted{}({.rows = 3}); }) == "weighted: the weights' sum is 0.000000");
    CHECK(text_of([] { (void)weighted{{0, 0}}({.rows = 3}); }) == "weighted: the weights' sum is 0.000000");
    CHECK(text_of([] { (void)weighted{{1, -1}}({.rows = 3}); }) == "weighted: a weight of -1.000000");
}
