// examples/10_own_arena.cpp - inside an application that has an arena of its own: its threads compute, none is added.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/serve/batcher.hpp>

#include <tbb/parallel_for.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

int main() try {
    tbb::task_arena arena(2);                  // the application's
    const fanfold::tbb_executor cores(arena);  // borrows it
    const auto squares = [](std::span<const float> shard) {
        std::vector<float> answers;
        for (const float x : shard) answers.push_back(x * x);
        return answers;
    };
    const std::vector<float> rows(1000, 3.0F);

    // from outside, from inside, and from a task of the application
    std::atomic<std::size_t> failed{fanfold::infer(cores, squares, rows).failed_rows()};
    arena.execute([&] { failed += fanfold::infer(cores, squares, rows).failed_rows(); });
    arena.execute(
        [&] { tbb::parallel_for(0, 4, [&](int) { failed += fanfold::infer(cores, squares, rows).failed_rows(); }); });

    // a batcher's batches are tasks of the same arena
    std::atomic<int> answered{0};
    fanfold::batcher server(cores, squares);
    for (int i = 0; i < 100; ++i)
        server.submit(std::vector<float>{3}).then([&](const fanfold::reply& r) { answered += r.answered(); }).detach();
    while (answered < 100) std::this_thread::yield();
    std::printf("%zu workers, %zu rows failed\n", cores.workers(), failed.load());
    return failed == 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "10_own_arena: %s\n", error.what());
    return 1;
}
