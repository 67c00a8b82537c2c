// SPDX-License-Identifier: MIT
#include <fanfold/partition/bucketed.hpp>

#include <functional>
#include <numeric>

#include <fanfold/partition/contiguous.hpp>

#include "../text.hpp"
#include "contract.hpp"

using namespace fanfold;

namespace {

std::vector<std::size_t> random_lengths(std::size_t rows, std::uint64_t seed, std::size_t most) {
    random_bits bits(seed);
    std::vector<std::size_t> lengths(rows);
    for (std::size_t& one : lengths) one = bits.below(most + 1);
    return lengths;
}
std::size_t longest_of(const plan& p, std::size_t shard, const std::vector<std::size_t>& lengths) {
    std::size_t longest = 0;
    for (std::size_t at = 0; at < p.rows_of(shard); ++at) longest = std::max(longest, lengths[p.row(shard, at)]);
    return longest;
}

/// Fewest shards, then least padded tokens, over all ways to group the rows.
std::pair<std::size_t, std::size_t> best_grouping(const std::vector<std::size_t>& lengths, std::size_t tokens,
                                                  std::size_t most_rows) {
    struct group {
        std::size_t rows, longest;
    };
    std::vector<group> groups;
    std::pair<std::size_t, std::size_t> best(static_cast<std::size_t>(-1), 0);
    const std::function<void(std::size_t)> place = [&](std::size_t row) {
        if (row == lengths.size()) {
            std::size_t padded = 0;
            for (const group& g : groups) {
                if (g.rows > most_rows || (g.rows > 1 && g.rows * g.longest > tokens)) return;
                padded += g.rows * g.longest;
            }
            best = std::min(best, {groups.size(), padded});
            return;
        }
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const group before = groups[g];
            groups[g] = {before.rows + 1, std::max(before.longest, lengths[row])};
            place(row + 1);
            groups[g] = before;
        }
        groups.push_back({1, lengths[row]});
        place(row + 1);
        groups.pop_back();
    };
    place(0);
    return best;
}

}  // namespace

TEST_CASE("bucketed keeps the contract of partitioners") {
    contract::partitions_every_batch([](std::size_t rows, std::uint64_t seed) {
        return bucketed{.length = random_lengths(rows, seed, seed % 2 == 0 ? 500 : 5),
                        .tokens_per_shard = seed % 3 == 0 ? 0 : 1 + seed % 5000,
                        .rows_per_shard = seed % 5 == 0 ? 64U : 0U};
    });
}

TEST_CASE("Of all groupings it is one with the fewest shards, and of those one with the least padding") {
    random_bits bits(4);
    for (int round = 0; round < 400; ++round) {
        const std::size_t rows = 1 + bits.below(8);
        const std::vector<std::size_t> lengths = random_lengths(rows, bits(), 12);
        const std::size_t tokens = 5 + bits.below(40), most_rows = bits.below(2) == 0 ? rows : 1 + bits.below(4);
        const plan p =
            bucketed{.length = lengths, .tokens_per_shard = tokens, .rows_per_shard = most_rows}({.rows = rows});
        const auto [shards, padded] = best_grouping(lengths, tokens, most_rows);
        REQUIRE(p.shards() == shards);
        REQUIRE(padding_of(p, lengths).padded == padded);
    }
}

TEST_CASE("Shards keep to the tokens and rows, the largest comes first, a row that is too long travels alone") {
    const std::vector<std::size_t> lengths = random_lengths(20'000, 9, 600);
    const plan p = bucketed{.length = lengths, .tokens_per_shard = 500, .rows_per_shard = 40}({.rows = 20'000});
    std::size_t before = static_cast<std::size_t>(-1);
    for (std::size_t s = 0; s < p.shards(); ++s) {
        const std::size_t size = p.rows_of(s) * longest_of(p, s, lengths);
        REQUIRE((size <= 500 || p.rows_of(s) == 1));
        REQUIRE(p.rows_of(s) <= 40);
        REQUIRE(size <= before);
        before = size;
    }
}

TEST_CASE("Padding is reported for any plan") {
    const row_length lengths = std::vector{9, 2, 7, 1, 9, 3};
    const plan p = bucketed{.length = lengths, .tokens_per_shard = 18}({.rows = 6});
    CHECK(p == plan{.order = {0, 4, 5, 1, 3, 2}, .cuts = {0, 2, 5, 6}});
    CHECK(padding_of(p, lengths).tokens == 31);
    CHECK(padding_of(p, lengths).padded == 34);
    CHECK(padding_of(p, lengths).waste() == Approx(3.0 / 34));
    CHECK(padding_of(contiguous{.shards = 1}({.rows = 6}), lengths).padded == 54);
    CHECK(padding_of(plan{}, lengths).waste() == 0);
}

TEST_CASE("bucketed needs lengths, one for each row") {
    CHECK(text_of([] { (void)bucketed{}({.rows = 3}); }) == "bucketed: lengths: not given");
    CHECK(text_of([] { (void)bucketed{.length = std::vector{1}}({.rows = 3}); }) ==
          "bucketed: lengths: 1 given for a batch of 3 rows");
}
