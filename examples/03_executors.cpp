// examples/03_executors.cpp - one model, three ways to go parallel, the same bits.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/onnx/load.hpp>

#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>

namespace {

/// Runs the job and prints what every executor must agree on.
std::string digest_of(const auto& executor, const fanfold::graph& model, const fanfold::tensor& images,
                      std::size_t rows_per_shard) {
    const fanfold::job job =
        fanfold::infer(executor, model, images, {.partition = fanfold::contiguous{.rows_per_shard = rows_per_shard}});
    if (!job.failures.empty()) throw std::runtime_error(job.failures.front().message);
    std::string digest = fanfold::digest_text(fanfold::digest(job.answers));
    std::printf("%-7s workers: %zu, shards of %4zu rows: %s\n", job.events.executor.c_str(), job.events.workers,
                rows_per_shard, digest.c_str());
    return digest;
}

}  // namespace

int main() try {
    const fanfold::graph model = fanfold::onnx::load(FANFOLD_EXAMPLE_DATA "/fmnist_lenet5.onnx");
    fanfold::tensor images(fanfold::element::float32, {1000, 1, 28, 28});
    std::mt19937 random(1);
    for (float& pixel : images.as<float>().flat()) pixel = static_cast<float>(random() % 256) / 255;

    const std::string alone = digest_of(fanfold::serial_executor(), model, images, 1000);
    const std::string by_hand = digest_of(fanfold::threads_executor({.workers = 3}), model, images, 7);
    const std::string scheduled = digest_of(fanfold::tbb_executor(), model, images, 64);
    return alone == by_hand && alone == scheduled ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "03_executors: %s\n", error.what());
    return 1;
}
