// bench/balance.cpp - where skewed rows end against max(total / m, largest): six ways to spread them, on a virtual
// clock with 2 to 1,024 workers, and on two real ones. The times that the table shows first are the simulation's own.
// SPDX-License-Identifier: MIT
#include <fanfold/context/random.hpp>
#include <fanfold/partition/hashed.hpp>
#include <fanfold/partition/longest_first.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/schedule/simulated.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace {

using fanfold::any_partitioner;

std::vector<double> skewed(bool pareto, std::size_t rows, std::uint64_t seed) {
    fanfold::random_bits bits(seed);
    std::vector<double> costs(rows);
    for (double& one : costs) {
        const double u = 1 - bits.uniform();
        one = pareto ? std::pow(u, -1 / 1.2)
                     : std::exp(1.5 * std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * bits.uniform()));
    }
    return costs;
}

struct way {
    const char* name;
    any_partitioner (*cut)(const std::vector<double>& costs, std::size_t workers);
};
/// The first three give each worker one shard; of the others workers claim one after the other.
const way ways[] = {
    {"contiguous", [](const auto&, std::size_t m) -> any_partitioner { return fanfold::contiguous{.shards = m}; }},
    {"hashed", [](const auto&, std::size_t m) -> any_partitioner { return fanfold::hashed{.shards = m}; }},
    {"longest_first",
     [](const auto& costs, std::size_t m) -> any_partitioner {
         return fanfold::longest_first{.cost = costs, .shards = m};
     }},
    {"claimed_in_row_order",
     [](const auto&, std::size_t) -> any_partitioner { return fanfold::contiguous{.rows_per_shard = 1}; }},
    {"claimed_longest_first",
     [](const auto& costs, std::size_t) -> any_partitioner {
         return fanfold::longest_first{.cost = costs, .rows_per_shard = 1};
     }},
    {"claimed_longest_first_tapered",
     [](const auto& costs, std::size_t) -> any_partitioner { return fanfold::longest_first{.cost = costs}; }},
};

double lower_bound(const std::vector<double>& costs, std::size_t workers) {
    double total = 0;
    for (const double one : costs) total += one;
    return std::max(total / static_cast<double>(workers), *std::max_element(costs.begin(), costs.end()));
}
double seconds(const fanfold::job& job) {
    return std::chrono::duration<double>(job.events.finished - job.events.started).count();
}
void report(benchmark::State& state, std::vector<double>& to_bound) {
    std::sort(to_bound.begin(), to_bound.end());
    state.counters["to_bound"] = to_bound[to_bound.size() / 2];
    state.counters["worst"] = to_bound.back();
}

/// Costs are milliseconds of virtual time; 11 batches.
void simulated(benchmark::State& state, const way& how, bool pareto, std::size_t workers, std::size_t rows) {
    std::vector<double> to_bound;
    const auto same = [](std::span<const float> given) { return std::vector<float>(given.begin(), given.end()); };
    for (auto _ : state)
        for (std::uint64_t seed = 1; seed <= 11; ++seed) {
            const std::vector<double> costs = skewed(pareto, rows, seed);
            const any_partitioner cut = how.cut(costs, workers);
            const fanfold::plan shards = cut({rows, workers});
            const auto cost = [&](const fanfold::claim& what, std::size_t) {
                double sum = 0;
                for (std::size_t at = 0; at < shards.rows_of(what.shard); ++at)
                    sum += costs[shards.row(what.shard, at)];
                return fanfold::duration(static_cast<long>(sum * 1e6));
            };
            const fanfold::simulated_executor cluster({.workers = workers, .seed = seed}, cost);
            const fanfold::job job = fanfold::infer(cluster, same, std::vector<float>(rows), {.partition = cut});
            to_bound.push_back(seconds(job) * 1e3 / lower_bound(costs, workers));
        }
    report(state, to_bound);
}

/// Costs are 100 us of spinning; 2,000 rows, 5 batches. `to_taken` is against the bound of what the shards really took,
/// which neighbours on the machine make longer.
void real(benchmark::State& state, const way& how, bool pareto, std::size_t workers) {
    constexpr std::size_t rows = 2000;
    const fanfold::tbb_executor cores({.workers = workers});
    const auto spin = [](std::span<const float> us) {
        for (const float one : us) {
            const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(static_cast<long>(one * 1000));
            while (std::chrono::steady_clock::now() < end) {
            }
        }
        return std::vector<float>(us.begin(), us.end());
    };
    std::vector<double> to_bound, to_taken;
    for (auto _ : state)
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            std::vector<double> costs = skewed(pareto, rows, seed);
            std::vector<float> us;
            for (double& one : costs) us.push_back(static_cast<float>(one *= 100));
            const fanfold::job job = fanfold::infer(cores, spin, us, {.partition = how.cut(costs, workers)});
            to_bound.push_back(seconds(job) * 1e6 / lower_bound(costs, workers));
            std::vector<double> taken;
            for (const fanfold::event& e : job.events.attempts)
                taken.push_back(std::chrono::duration<double>(e.finished - e.started).count());
            to_taken.push_back(seconds(job) / lower_bound(taken, workers));
        }
    report(state, to_bound);
    std::sort(to_taken.begin(), to_taken.end());
    state.counters["to_taken"] = to_taken[to_taken.size() / 2];
}

const bool registered = [] {
    for (const bool pareto : {false, true}) {
        const std::string costs = pareto ? "pareto_1.2" : "lognormal_1.5";
        for (const std::size_t workers : {2UL, 8UL, 64UL, 256UL, 1024UL})
            for (const way& how : ways) {
                const std::size_t rows = workers < 256 ? 10'000 : 100'000;
                const std::string name = "simulated/" + costs + "/" + std::to_string(workers) + "/" + how.name;
                benchmark::RegisterBenchmark(
                    name.c_str(), [=, &how](benchmark::State& state) { simulated(state, how, pareto, workers, rows); })
                    ->Iterations(1)
                    ->Unit(benchmark::kMillisecond);
            }
        for (const way& how : ways) {
            const std::string name = "real/" + costs + "/2/" + how.name;
            benchmark::RegisterBenchmark(name.c_str(),
                                         [=, &how](benchmark::State& state) { real(state, how, pareto, 2); })
                ->Iterations(1)
                ->Unit(benchmark::kMillisecond);
        }
    }
    return true;
}();

}  // namespace
