// bench/matmul.cpp - the packed product against Eigen's own, one thread, the same matrices.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/matmul.hpp>

#include <benchmark/benchmark.h>
#include <Eigen/Core>

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using fanfold::shape;
using fanfold::view;

void count_flops(benchmark::State& state) {
    const double flops = 2.0 * static_cast<double>(state.range(0)) * static_cast<double>(state.range(1)) *
                         static_cast<double>(state.range(2));
    state.counters["FLOP"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

void matmul_fanfold(benchmark::State& state) {
    const matrix rows = matrix::Random(state.range(0), state.range(1));
    const matrix weights = matrix::Random(state.range(1), state.range(2));
    matrix out(state.range(0), state.range(2));
    const fanfold::kernel::packed_matrix packed(
        view<const float>(weights.data(), shape{weights.rows(), weights.cols()}));
    const view<const float> in(rows.data(), shape{rows.rows(), rows.cols()});
    const view<float> to(out.data(), shape{out.rows(), out.cols()});
    for (auto _ : state) {
        fanfold::kernel::matmul(in, packed, to);
        benchmark::ClobberMemory();
    }
    count_flops(state);
}

void matmul_eigen(benchmark::State& state) {
    const matrix rows = matrix::Random(state.range(0), state.range(1));
    const matrix weights = matrix::Random(state.range(1), state.range(2));
    matrix out(state.range(0), state.range(2));
    for (auto _ : state) {
        out.noalias() = rows * weights;
        benchmark::ClobberMemory();
    }
    count_flops(state);
}

/// Rows, inner extent, columns.
void sizes(benchmark::internal::Benchmark* b) {
    b->Args({512, 512, 512})->Args({128, 768, 768})->Args({64, 400, 120})->Args({1, 1024, 1024});
}

}  // namespace

BENCHMARK(matmul_fanfold)->Apply(sizes);
BENCHMARK(matmul_eigen)->Apply(sizes);
