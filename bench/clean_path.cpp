// bench/clean_path.cpp - what policies cost while nothing fails: LeNet-5 in shards of 64 rows, or a model that does
// nothing, or ("bare") one of one number a shard. scripts/clean-path counts its instructions with valgrind.
//   usage: clean_path none|all [--model empty|bare] [--shards N] [--workers N]     one job, to be counted
//          clean_path time [--shards N] [--workers N] [--rounds N]            both in turns, by the clock
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/finite.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct given {
    std::string what;
    std::string model = "lenet5";
    std::size_t shards = 40;
    std::size_t workers = 2;
    std::size_t rounds = 15;
};

fanfold::options without(std::size_t rows = 64) { return {.partition = fanfold::contiguous{.rows_per_shard = rows}}; }

/// Retry with its budget, bisection, hedging, a time limit, a deadline, a breaker and finite answers.
fanfold::options with_all(std::size_t rows = 64) {
    fanfold::options how = without(rows);
    how.verify = fanfold::finite{};
    how.retry = {.max_attempts = 3, .deadline = 1h};
    how.give_up = fanfold::give_up::rows;
    how.hedge = fanfold::hedge{};
    how.breaker = fanfold::breaker{};
    how.time_limit = 1h;
    how.deadline = std::chrono::steady_clock::now() + 1h;
    return how;
}

template <class Model>
double run(const given& how, const Model& model, const fanfold::batch& rows, const fanfold::options& with) {
    const fanfold::threads_executor workers({.workers = how.workers});
    const auto began = std::chrono::steady_clock::now();
    const fanfold::job job = fanfold::infer(workers, model, rows, with);
    if (!job.failures.empty()) std::exit(1);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

fanfold::batch images(std::size_t rows) {
    fanfold::tensor pixels(fanfold::element::float32, {static_cast<std::int64_t>(rows), 1, 28, 28});
    const std::span<float> all = pixels.as<float>().flat();
    std::uint32_t random = 1;
    for (float& pixel : all.first(784))
        pixel = static_cast<float>((random = random * 1664525 + 1013904223) >> 24) / 255;
    for (std::size_t row = 1; row < rows; ++row)  // copied: making them must not count
        std::copy_n(all.begin(), 784, all.begin() + static_cast<std::ptrdiff_t>(row * 784));
    return fanfold::batch(std::move(pixels));
}

/// The mean of the fastest third.
double fastest(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    double sum = 0;
    const std::size_t count = std::max<std::size_t>(values.size() / 3, 1);
    for (std::size_t i = 0; i < count; ++i) sum += values[i];
    return sum / static_cast<double>(count);
}

template <class Model>
void times(const given& how, const Model& model) {
    const fanfold::batch rows = images(how.shards * 64);
    (void)run(how, model, rows, without());
    std::vector<double> none, all, ratios;
    for (std::size_t round = 0; round < how.rounds; ++round) {
        if (round % 2 == 0) none.push_back(run(how, model, rows, without()));
        all.push_back(run(how, model, rows, with_all()));
        if (round % 2 == 1) none.push_back(run(how, model, rows, without()));
        ratios.push_back(all.back() / none.back());
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf(
        "%zu shards, %zu workers, %zu rounds: wall time with to without, median %.4f, of the fastest third %.4f\n",
        how.shards, how.workers, how.rounds, ratios[ratios.size() / 2], fastest(all) / fastest(none));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    given how{.what = argv[1]};
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string flag = argv[i];
        if (flag == "--model") how.model = argv[i + 1];
        if (flag == "--shards") how.shards = std::strtoull(argv[i + 1], nullptr, 10);
        if (flag == "--workers") how.workers = std::strtoull(argv[i + 1], nullptr, 10);
        if (flag == "--rounds") how.rounds = std::strtoull(argv[i + 1], nullptr, 10);
    }
    const auto of = [&](const auto& model) {
        if (how.what == "time") return times(how, model);
        (void)run(how, model, images(how.shards * 64), how.what == "all" ? with_all() : without());
    };
    if (how.model == "bare") {
        const fanfold::answering same(
            {{fanfold::element::float32, {}}},
            [](const fanfold::batch_view& rows, const fanfold::mutable_batch_view& out, fanfold::workspace&) {
                std::copy_n(rows[0].data(), rows[0].bytes(), out[0].data());
            });
        const fanfold::tensor numbers(fanfold::element::float32, {static_cast<std::int64_t>(how.shards)});
        (void)run(how, same, fanfold::batch(numbers), how.what == "all" ? with_all(1) : without(1));
    } else if (how.model == "empty")
        of(fanfold::answering({{fanfold::element::float32, {10}}},
                              [](const fanfold::batch_view&, const fanfold::mutable_batch_view& out,
                                 fanfold::workspace&) { std::fill_n(out[0].data(), out[0].bytes(), std::byte{0}); }));
    else
        of(fanfold::onnx::load(FANFOLD_BENCH_DATA "/fmnist_lenet5.onnx"));
    return 0;
}
