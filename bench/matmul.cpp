// bench/matmul.cpp - the packed product with bias and ReLU, against what the core can do and Eigen's own, one thread.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/matmul.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/Core>

#include <algorithm>
#include <vector>

#include "machine.hpp"
#include "median.hpp"

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using fanfold::shape;
using fanfold::view;

double flops(const benchmark::State& state) {
    return 2.0 * static_cast<double>(state.range(0)) * static_cast<double>(state.range(1)) *
           static_cast<double>(state.range(2));
}

/// An iteration is a slice of products and, in turns with it, one of what the core can do. Counters: `best`, its flops
/// a second, or for one row the bytes a second of a stream over the packed weights; `ratio`, to that, the median.
void matmul_fanfold(benchmark::State& state) {
    const matrix rows = matrix::Random(state.range(0), state.range(1));
    const matrix weights = matrix::Random(state.range(1), state.range(2));
    const matrix bias = matrix::Random(1, state.range(2));
    matrix out(state.range(0), state.range(2));
    const fanfold::kernel::packed_matrix packed(
        view<const float>(weights.data(), shape{weights.rows(), weights.cols()}),
        view<const float>(bias.data(), shape{bias.cols()}));
    const view<const float> in(rows.data(), shape{rows.rows(), rows.cols()});
    const view<float> to(out.data(), shape{out.rows(), out.cols()});
    const bool one = state.range(0) == 1;
    const auto times = static_cast<std::size_t>(std::max(1.0, (one ? 4e6 : 2e7) / flops(state)));
    std::vector<double> ratios, bests;
    for (auto _ : state) {
        const double time = machine::seconds([&] {
            for (std::size_t i = 0; i < times; ++i) {
                fanfold::kernel::matmul(in, packed, to, fanfold::kernel::activation::relu);
                benchmark::ClobberMemory();
            }
        });
        state.SetIterationTime(time);
        bests.push_back(one ? machine::stream(packed.panels(), times) : machine::peak());
        const double work = one ? static_cast<double>(packed.panels().size_bytes()) : flops(state);
        ratios.push_back(work * static_cast<double>(times) / time / bests.back());
    }
    state.counters["FLOP"] =
        benchmark::Counter(flops(state) * static_cast<double>(times), benchmark::Counter::kIsIterationInvariantRate);
    state.counters["best"] = median(bests);
    state.counters["ratio"] = median(ratios);
}

void matmul_eigen(benchmark::State& state) {
    const matrix rows = matrix::Random(state.range(0), state.range(1));
    const matrix weights = matrix::Random(state.range(1), state.range(2));
    matrix out(state.range(0), state.range(2));
    for (auto _ : state) {
        out.noalias() = rows * weights;
        benchmark::ClobberMemory();
    }
    state.counters["FLOP"] = benchmark::Counter(flops(state), benchmark::Counter::kIsIterationInvariantRate);
}

/// Rows, inner extent, columns.
void sizes(benchmark::internal::Benchmark* b) {
    b->Args({512, 512, 512})->Args({128, 768, 768});
    b->Args({128, 768, 3072})->Args({128, 3072, 768});
    b->Args({3136, 64, 576})->Args({3136, 576, 64});
    b->Args({256, 192, 2304})->Args({256, 2304, 192});
    b->Args({64, 400, 120})->Args({4, 1024, 1024})->Args({8, 1024, 1024});
}
/// One row: packed weights of 24 KiB, 512 KiB, 4 MiB, 64 MiB.
void one_row(benchmark::internal::Benchmark* b) {
    b->Args({1, 96, 64})->Args({1, 256, 512})->Args({1, 1024, 1024})->Args({1, 4096, 4096});
}

}  // namespace

BENCHMARK(matmul_fanfold)->Apply(sizes)->Apply(one_row)->UseManualTime();
BENCHMARK(matmul_eigen)->Args({512, 512, 512})->Args({128, 768, 768})->Args({64, 400, 120})->Args({1, 1024, 1024});
