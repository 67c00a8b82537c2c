// bench/lenet5.cpp - images a second of the trained LeNet-5 through infer.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <random>

namespace {

/// 2,000 images in shards of range(0), range(1) workers of TBB.
void lenet5(benchmark::State& state) {
    const fanfold::graph model = fanfold::onnx::load(FANFOLD_BENCH_DATA "/fmnist_lenet5.onnx");
    fanfold::tensor images(fanfold::element::float32, {2000, 1, 28, 28});
    std::mt19937 random(1);
    for (float& pixel : images.as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;
    const fanfold::tbb_executor workers({.workers = static_cast<std::size_t>(state.range(1))});
    const fanfold::options how{.partition =
                                   fanfold::contiguous{.rows_per_shard = static_cast<std::size_t>(state.range(0))}};
    for (auto _ : state) {
        const fanfold::job job = fanfold::infer(workers, model, images, how);
        if (!job.failures.empty()) state.SkipWithError("rows failed");
    }
    state.counters["rows"] = benchmark::Counter(2000, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK(lenet5)->ArgNames({"batch", "workers"})->ArgsProduct({{1, 64}, {1, 2}})->UseRealTime();
