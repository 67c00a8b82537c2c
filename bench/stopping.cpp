// bench/stopping.cpp - how long infer goes on after a stop was requested, or a deadline came, at any moment of a run.
//   usage: stopping MODEL.onnx [ROUNDS [WORKERS]]    random images; the model's input is [N, C, H, W]
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/quantile.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

using namespace fanfold;

double ms(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

void print(const char* what, std::vector<double>& late_ms) {
    std::sort(late_ms.begin(), late_ms.end());
    std::printf("%-9s p50 %7.3f ms  p90 %7.3f  p99 %7.3f  max %7.3f  (%zu rounds)\n", what, quantile(late_ms, 0.5),
                quantile(late_ms, 0.9), quantile(late_ms, 0.99), quantile(late_ms, 1), late_ms.size());
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: stopping MODEL.onnx [ROUNDS [WORKERS]]\n");
        return 2;
    }
    const graph model = onnx::load(argv[1]);
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 100;
    const std::size_t workers =
        argc > 3 ? static_cast<std::size_t>(std::atoi(argv[3])) : std::max<std::size_t>(usable_cpus(), 2) - 1;
    const symbolic_shape& wanted = model.state().values[model.state().inputs.front()].type.shape;
    tensor images(element::float32, {1, wanted[1].fixed, wanted[2].fixed, wanted[3].fixed});
    std::mt19937 random(1);
    for (float& pixel : images.as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;
    const std::size_t many = images.size() > 10'000 ? 4 : 2000;
    tensor rows(element::float32, images.shape().with(0, static_cast<std::int64_t>(many)));
    for (std::size_t row = 0; row < many; ++row) {
        const tensor_view one = images;
        std::copy_n(one.data(), one.bytes(), rows.data() + row * one.bytes());
    }
    const tbb_executor cores({.workers = workers});
    const options how{.partition = contiguous{.rows_per_shard = images.size() > 10'000 ? 1UL : 64UL}};

    double whole_ms = 0;
    for (int warm = 0; warm < 2; ++warm) {
        const time_point start = std::chrono::steady_clock::now();
        if (!infer(cores, model, rows, how).failures.empty()) throw std::runtime_error("rows failed");
        whole_ms = ms(std::chrono::steady_clock::now() - start);
    }
    options far = how;
    far.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    if (digest(infer(cores, model, rows, far).answers) != digest(infer(cores, model, rows, how).answers))
        throw std::runtime_error("a deadline that never comes changes bits");
    std::printf("%s, %zu workers, %zu rows in %.1f ms\n", argv[1], workers, many, whole_ms);

    std::vector<double> after_stop, after_deadline;
    for (int round = 0; round < rounds; ++round) {
        const auto moment = std::chrono::duration_cast<duration>(
            std::chrono::duration<double, std::milli>(whole_ms * 0.9 * static_cast<double>(random() % 1000) / 1000));
        std::stop_source stopper;
        time_point requested;
        options stopped = how;
        stopped.stop = stopper.get_token();
        const time_point start = std::chrono::steady_clock::now();
        std::jthread later([&] {
            std::this_thread::sleep_until(start + moment);
            requested = std::chrono::steady_clock::now();
            stopper.request_stop();
        });
        const bool early = !infer(cores, model, rows, stopped).failures.empty();
        const time_point ended = std::chrono::steady_clock::now();
        later.join();
        if (early) after_stop.push_back(ms(ended - requested));

        options limited = how;
        limited.deadline = std::chrono::steady_clock::now() + moment;
        if (!infer(cores, model, rows, limited).failures.empty())
            after_deadline.push_back(ms(std::chrono::steady_clock::now() - *limited.deadline));
    }
    print("stop", after_stop);
    print("deadline", after_deadline);
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "stopping: %s\n", error.what());
    return 1;
}
