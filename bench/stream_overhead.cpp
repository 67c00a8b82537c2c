// bench/stream_overhead.cpp - what stream itself costs a row: an empty callable, against tbb::parallel_pipeline.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/infer/stream.hpp>

#include <benchmark/benchmark.h>
#include <tbb/parallel_pipeline.h>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace {

constexpr std::size_t rows = 200'000;

void work_on(const float* given, float* answers) {
    benchmark::DoNotOptimize(given);
    benchmark::DoNotOptimize(answers);
}

void count_rows(benchmark::State& state) {
    state.counters["per_row"] =
        benchmark::Counter(rows, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void stream_empty(benchmark::State& state) {
    const fanfold::answering model(
        {{fanfold::element::float32, {}}},
        [](const fanfold::batch_view& given, const fanfold::mutable_batch_view& out, fanfold::workspace&) {
            work_on(given.as<float>().data(), out.as<float>().data());
        });
    const fanfold::tbb_executor workers;
    const auto batch = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        std::size_t read = 0, written = 0;
        const auto source = [&]() -> std::optional<float> {
            if (read == rows) return std::nullopt;
            return static_cast<float>(read++);
        };
        const auto sink = [&](const fanfold::streamed_row& row) { written += row.failure == nullptr ? 1 : 0; };
        (void)fanfold::stream(workers, model, source, sink, {.max_rows = batch});
        if (written != rows) state.SkipWithError("rows failed");
    }
    count_rows(state);
}

/// The same with as many batches in flight: read one after the other, computed by all, written in order.
void pipeline_empty(benchmark::State& state) {
    const auto batch = static_cast<std::size_t>(state.range(0));
    const std::size_t workers = fanfold::usable_cpus();
    tbb::task_arena arena(static_cast<int>(workers));
    struct packet {
        std::vector<float> given, answers;
    };
    for (auto _ : state) {
        std::size_t read = 0, written = 0;
        arena.execute([&] {
            tbb::parallel_pipeline(
                4 * workers,
                tbb::make_filter<void, packet>(tbb::filter_mode::serial_in_order,
                                               [&](tbb::flow_control& flow) -> packet {
                                                   packet p;
                                                   p.given.reserve(batch);
                                                   for (std::size_t i = 0; i < batch && read < rows; ++i)
                                                       p.given.push_back(static_cast<float>(read++));
                                                   if (p.given.empty()) flow.stop();
                                                   return p;
                                               }) &
                    tbb::make_filter<packet, packet>(tbb::filter_mode::parallel,
                                                     [](packet p) {
                                                         p.answers.resize(p.given.size());
                                                         work_on(p.given.data(), p.answers.data());
                                                         return p;
                                                     }) &
                    tbb::make_filter<packet, void>(tbb::filter_mode::serial_in_order, [&](const packet& p) {
                        for (const float& answer : p.answers) {
                            benchmark::DoNotOptimize(&answer);
                            ++written;
                        }
                    }));
        });
        if (written != rows) state.SkipWithError("rows are missing");
    }
    count_rows(state);
}

}  // namespace

BENCHMARK(stream_empty)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK(pipeline_empty)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
