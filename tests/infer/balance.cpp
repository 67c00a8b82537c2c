// SPDX-License-Identifier: MIT
// How well skewed work is spread over 2 to 1,024 workers, by the claims that infer uses, on a virtual clock.
#include <fanfold/context/random.hpp>
#include <fanfold/partition/longest_first.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/schedule/simulated.hpp>

#include <cmath>

#include "../catch.hpp"

using namespace fanfold;

namespace {

enum class skew { lognormal, pareto };

std::vector<double> skewed_costs(skew kind, std::size_t rows, std::uint64_t seed) {
    random_bits bits(seed);
    std::vector<double> us(rows);
    for (double& one : us) {
        const double u = 1 - bits.uniform();
        one = kind == skew::pareto
                  ? 10 * std::pow(u, -1 / 1.2)
                  : 10 * std::exp(1.5 * std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * bits.uniform()));
    }
    return us;
}

const auto same = [](std::span<const float> rows) { return std::vector<float>(rows.begin(), rows.end()); };

struct end_of_job {
    double took_us, lower_bound_us, total_us, largest_us;
};

end_of_job simulate(const std::vector<double>& us, std::size_t workers, const any_partitioner& cut, std::uint64_t seed,
                    claim_order order = claim_order::shared) {
    const plan shards = cut({us.size(), workers});
    end_of_job end{};
    for (const double one : us) end.total_us += one;
    for (const double one : us) end.largest_us = std::max(end.largest_us, one);
    end.lower_bound_us = std::max(end.total_us / static_cast<double>(workers), end.largest_us);
    const auto cost = [&](const claim& what, std::size_t) {
        double sum = 0;
        for (std::size_t at = 0; at < shards.rows_of(what.shard); ++at) sum += us[shards.row(what.shard, at)];
        return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::micro>(sum));
    };
    const simulated_executor cluster({.workers = workers, .seed = seed, .order = order}, cost);
    const job j = infer(cluster, same, std::vector<float>(us.size()), {.partition = cut});
    end.took_us = std::chrono::duration<double, std::micro>(j.events.finished - j.events.started).count();
    return end;
}

}  // namespace

TEST_CASE("Claimed longest first, skewed rows end within 5 % of the lower bound, on 2 to 1,024 workers",
          "[simulated]") {
    std::uint64_t seed = 0;
    for (const skew kind : {skew::lognormal, skew::pareto})
        for (const std::size_t rows : {10'000UL, 50'000UL})
            for (const std::size_t workers : {2UL, 3UL, 8UL, 31UL, 64UL, 256UL, 1024UL}) {
                const std::vector<double> us = skewed_costs(kind, rows, ++seed);
                CAPTURE(workers, rows, seed, kind == skew::pareto);
                for (const std::size_t rows_per_shard : {1U, 0U}) {  // 0: costly rows alone, cheap ones together
                    const end_of_job end =
                        simulate(us, workers, longest_first{.cost = us, .rows_per_shard = rows_per_shard}, seed);
                    CHECK(end.took_us <= 1.05 * end.lower_bound_us);
                    CHECK(end.took_us >= 0.999 * end.lower_bound_us);
                }
            }
}

TEST_CASE("Claimed in row order, skewed rows end within total / m + largest; that is not within 5 %", "[simulated]") {
    double worst = 0;
    std::uint64_t seed = 100;
    for (const skew kind : {skew::lognormal, skew::pareto})
        for (const claim_order order : {claim_order::shared, claim_order::own_share_first})
            for (const std::size_t workers : {2UL, 8UL, 64UL, 256UL, 1024UL}) {
                const std::vector<double> us = skewed_costs(kind, 10'000, ++seed);
                const end_of_job end = simulate(us, workers, contiguous{.rows_per_shard = 1}, seed, order);
                CHECK(end.took_us <= end.total_us / static_cast<double>(workers) + end.largest_us);
                worst = std::max(worst, end.took_us / end.lower_bound_us);
            }
    CHECK(worst > 1.1);
}
