// SPDX-License-Identifier: MIT
#include <fanfold/partition/longest_first.hpp>

#include <algorithm>
#include <functional>

#include "../text.hpp"
#include "contract.hpp"

using namespace fanfold;

namespace {

std::vector<double> random_costs(std::size_t rows, std::uint64_t seed) {
    random_bits bits(seed);
    std::vector<double> costs(rows);
    for (double& c : costs) c = static_cast<double>(bits.below(seed % 3 == 0 ? 4 : 1000));
    return costs;
}
double total_of(const plan& p, std::size_t shard, const std::vector<double>& costs) {
    double sum = 0;
    for (std::size_t at = 0; at < p.rows_of(shard); ++at) sum += costs[p.row(shard, at)];
    return sum;
}
/// The end of the best of all assignments, by trying them: rows one after the other, no worker that is loaded alike
/// twice.
double best_end(const std::vector<double>& costs, std::size_t workers) {
    std::vector<double> loads(workers), sorted = costs;
    std::sort(sorted.rbegin(), sorted.rend());
    double best = 1e300;
    const std::function<void(std::size_t)> place = [&](std::size_t at) {
        if (*std::max_element(loads.begin(), loads.end()) >= best) return;
        if (at == sorted.size()) {
            best = *std::max_element(loads.begin(), loads.end());
            return;
        }
        for (std::size_t w = 0; w < workers; ++w) {
            if (std::find(loads.begin(), loads.begin() + static_cast<std::ptrdiff_t>(w), loads[w]) !=
                loads.begin() + static_cast<std::ptrdiff_t>(w))
                continue;
            loads[w] += sorted[at];
            place(at + 1);
            loads[w] -= sorted[at];
        }
    };
    place(0);
    return best;
}
/// Where workers end that claim the shards in order.
double claimed_end(const plan& p, const std::vector<double>& costs, std::size_t workers) {
    std::vector<double> free_at(workers);
    for (std::size_t s = 0; s < p.shards(); ++s)
        *std::min_element(free_at.begin(), free_at.end()) += total_of(p, s, costs);
    return *std::max_element(free_at.begin(), free_at.end());
}

}  // namespace

TEST_CASE("longest_first keeps the contract of partitioners, whichever way it cuts") {
    contract::partitions_every_batch(
        [](std::size_t rows, std::uint64_t seed) { return longest_first{.cost = random_costs(rows, seed)}; });
    contract::partitions_every_batch([](std::size_t rows, std::uint64_t seed) {
        return longest_first{.cost = random_costs(rows, seed), .shards = 1 + seed % 70};
    });
    contract::partitions_every_batch([](std::size_t rows, std::uint64_t seed) {
        return longest_first{.cost = random_costs(rows, seed), .rows_per_shard = 1 + seed % 70};
    });
}

TEST_CASE("Shards descend by cost, equal rows stay in row order") {
    const plan p = longest_first{.cost = std::vector{1.0, 9.0, 2.0, 9.0}, .rows_per_shard = 1}({.rows = 4});
    CHECK(p == plan{.order = {1, 3, 2, 0}, .cuts = {0, 1, 2, 3, 4}});
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const std::vector<double> costs = random_costs(500, seed);
        for (const plan& cut : {longest_first{.cost = costs}({.rows = 500, .workers = 3}),
                                longest_first{.cost = costs, .shards = 30}({.rows = 500})})
            for (std::size_t s = 1; s < cut.shards(); ++s)
                REQUIRE(total_of(cut, s, costs) <= total_of(cut, s - 1, costs));
    }
}

TEST_CASE("Two thousand small cases end within 4/3 - 1/(3m) of the optimum, claimed and spread over m shards") {
    random_bits bits(11);
    double worst = 0;
    for (int round = 0; round < 2000; ++round) {
        const std::size_t workers = 2 + bits.below(3), rows = workers + bits.below(8);
        std::vector<double> costs(rows);
        for (double& c : costs) c = static_cast<double>(1 + bits.below(round % 2 == 0 ? 9 : 100));
        const double best = best_end(costs, workers);
        const double m = static_cast<double>(workers), bound = (4.0 / 3 - 1 / (3 * m)) * best * (1 + 1e-12);
        const workload w{rows, workers};
        const plan spread = longest_first{.cost = costs, .shards = workers}(w);
        REQUIRE(spread.shards() == workers);
        const double claimed = claimed_end(longest_first{.cost = costs, .rows_per_shard = 1}(w), costs, workers);
        REQUIRE(claimed <= bound);
        REQUIRE(total_of(spread, 0, costs) == claimed);  // the same assignment
        REQUIRE(claimed >= best);
        worst = std::max(worst, claimed / best);
    }
    CHECK(worst > 1.1);                                     // so the cases are not all easy ones
    const std::vector<double> graham{5, 5, 4, 4, 3, 3, 3};  // the case that meets the bound: 11 against 9
    CHECK(claimed_end(longest_first{.cost = graham, .rows_per_shard = 1}({.rows = 7}), graham, 3) == 11);
    CHECK(best_end(graham, 3) == 9);
}

TEST_CASE("With nothing said costly rows travel alone and cheap ones together, less and less of them") {
    std::vector<double> costs(10'000, 1.0);
    costs[77] = 5000;
    const plan p = longest_first{.cost = costs}({.rows = costs.size(), .workers = 4});
    CHECK(p.rows_of(0) == 1);
    CHECK(p.row(0, 0) == 77);
    CHECK(p.rows_of(1) == 64);
    CHECK(p.rows_of(p.shards() - 1) == 1);
    CHECK(p.shards() < 400);
}

TEST_CASE("longest_first refuses what makes no sense by name") {
    CHECK(text_of([] { (void)longest_first{}({.rows = 3}); }) == "longest_first: costs: not given");
    CHECK(text_of([] { (void)longest_first{.cost = std::vector{1.0}}({.rows = 3}); }) ==
          "longest_first: costs: 1 given for a batch of 3 rows");
    CHECK(text_of([] {
              (void)longest_first{.cost = std::vector{1.0, -2.0}}({.rows = 2});
          }) == "longest_first: costs: row 1 costs -2.000000");
    CHECK(text_of([] { (void)longest_first{.cost = std::vector{0.0 / 0.0}}({.rows = 1}); }).find("row 0 costs") !=
          std::string::npos);
    CHECK(text_of([] { (void)longest_first{.cost = std::vector{1}, .shards = 1, .rows_per_shard = 1}({.rows = 1}); }) ==
          "longest_first: give shards or rows_per_shard, not both");
}
