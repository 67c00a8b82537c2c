// A race inside tasks of TBB, on purpose: the thread sanitizer must see it, or its silence elsewhere says nothing.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/tbb.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <span>
#include <thread>
#include <vector>

int main() {
    const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
    std::atomic<int> inside{0};  // relaxed, so that it orders nothing
    float shared = 0;
    const auto racing = [&](std::span<const float> rows) {
        inside.fetch_add(1, std::memory_order_relaxed);
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (inside.load(std::memory_order_relaxed) < 2 && std::chrono::steady_clock::now() < give_up)
            std::this_thread::yield();
        shared += rows[0];  // by two threads at once
        return std::vector<float>(rows.begin(), rows.end());
    };
    const std::vector<float> rows{1, 2};
    const fanfold::job done = infer(fanfold::tbb_executor({.workers = 2}), racing, rows,
                                    {.partition = fanfold::contiguous{.rows_per_shard = 1}});
    std::printf("%zu failures, %g\n", done.failures.size(), static_cast<double>(shared));
}
