// bench/infer_overhead.cpp - what infer itself costs: 100,000 rows of an empty callable, against a bare
// parallel_for and OpenMP's dynamic schedule.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include <benchmark/benchmark.h>
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>

#include <cstddef>
#include <span>
#include <vector>

namespace {

constexpr std::size_t rows = 100'000;

/// Touches its rows no more than the compiler forces it to.
void work_on(std::span<const float> given, float* answers) {
    benchmark::DoNotOptimize(given.data());
    benchmark::DoNotOptimize(answers);
}

void count_shards(benchmark::State& state) {
    const double shards = static_cast<double>(rows) / static_cast<double>(state.range(0));
    state.counters["per_shard"] =
        benchmark::Counter(shards, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

enum class policies { none, all };

template <policies With>
void infer_empty(benchmark::State& state) {
    const std::vector<float> input(rows);
    const fanfold::answering model({{fanfold::element::float32, {}}},
                                   [](const fanfold::batch_view& given, const fanfold::mutable_batch_view& out,
                                      fanfold::workspace&) { work_on(given, out.as<float>().data()); });
    const fanfold::tbb_executor workers;
    fanfold::options how{.partition = fanfold::contiguous{.rows_per_shard = static_cast<std::size_t>(state.range(0))}};
    if (With == policies::all) {
        how.retry = {.max_attempts = 3};
        how.give_up = fanfold::give_up::rows;
        how.time_limit = std::chrono::hours(1);
        how.breaker = fanfold::breaker{};
        how.hedge = fanfold::hedge{};
    }
    for (auto _ : state) {
        const fanfold::job job = fanfold::infer(workers, model, input, how);
        if (!job.failures.empty()) state.SkipWithError("rows failed");
    }
    count_shards(state);
}

void parallel_for_empty(benchmark::State& state) {
    const std::vector<float> input(rows);
    std::vector<float> answers(rows);
    const auto grain = static_cast<std::size_t>(state.range(0));
    tbb::task_arena workers(static_cast<int>(fanfold::usable_cpus()));
    for (auto _ : state) {
        workers.execute([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, (rows + grain - 1) / grain),
                [&](const auto& shards) {
                    for (std::size_t shard = shards.begin(); shard != shards.end(); ++shard) {
                        const std::size_t first = shard * grain;
                        work_on(std::span(input).subspan(first, std::min(grain, rows - first)), &answers[first]);
                    }
                },
                tbb::simple_partitioner());
        });
    }
    count_shards(state);
}

#ifdef _OPENMP
void openmp_dynamic_empty(benchmark::State& state) {
    const std::vector<float> input(rows);
    std::vector<float> answers(rows);
    const auto grain = static_cast<std::size_t>(state.range(0));
    const auto shards = static_cast<std::ptrdiff_t>((rows + grain - 1) / grain);
    const int threads = static_cast<int>(fanfold::usable_cpus());
    for (auto _ : state) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
        for (std::ptrdiff_t shard = 0; shard < shards; ++shard) {
            const std::size_t first = static_cast<std::size_t>(shard) * grain;
            work_on(std::span(input).subspan(first, std::min(grain, rows - first)), &answers[first]);
        }
    }
    count_shards(state);
}
#endif

}  // namespace

BENCHMARK(infer_empty<policies::none>)->ArgName("rows_per_shard")->Arg(1)->Arg(16)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(infer_empty<policies::all>)->ArgName("rows_per_shard")->Arg(1)->Arg(16)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(parallel_for_empty)->ArgName("rows_per_shard")->Arg(1)->Arg(16)->Arg(64)->Arg(1024)->UseRealTime();
#ifdef _OPENMP
BENCHMARK(openmp_dynamic_empty)->ArgName("rows_per_shard")->Arg(1)->Arg(16)->Arg(64)->Arg(1024)->UseRealTime();
#endif
