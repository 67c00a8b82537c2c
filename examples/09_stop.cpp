// examples/09_stop.cpp - a job that is stopped from another thread, and one that may take 20 ms: what is done is kept.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include <cstdio>
#include <exception>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

int main() try {
    using namespace std::chrono_literals;
    const std::vector<float> rows(10'000, 1.0F);
    const auto slow = [](std::span<const float> shard, fanfold::workspace& space) {
        std::vector<float> answers;
        for (const float x : shard) {
            space.stop.check();  // graphs do this between operations and tiles by themselves
            std::this_thread::sleep_for(100us);
            answers.push_back(x);
        }
        return answers;
    };
    const fanfold::tbb_executor cores;
    const fanfold::contiguous shards{.rows_per_shard = 8};  // those in flight are lost

    const fanfold::job late =
        fanfold::infer(cores, slow, rows, {.partition = shards, .deadline = std::chrono::steady_clock::now() + 20ms});
    std::printf("deadline: %zu rows without an answer (%s)\n", late.failed_rows(),
                late.failures.empty() ? "" : late.failures.front().message.c_str());

    std::optional<fanfold::job> stopped;
    std::jthread background([&](const std::stop_token& stop) {  // which has a stop of its own
        stopped.emplace(fanfold::infer(cores, slow, rows, {.partition = shards, .stop = stop}));
    });
    std::this_thread::sleep_for(20ms);
    background.request_stop();
    background.join();
    std::printf("stop: %zu rows without an answer (%s)\n", stopped->failed_rows(),
                stopped->failures.empty() ? "" : stopped->failures.front().message.c_str());
    return late.failed_rows() != 0 && stopped->failed_rows() != 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "09_stop: %s\n", error.what());
    return 1;
}
