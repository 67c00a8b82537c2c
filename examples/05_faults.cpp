// examples/05_faults.cpp - a model that fails now and then, rows that always fail, and one that hangs: what comes back.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

int main() {
    std::vector<float> rows(10'000);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<float>(row);

    const auto model = [](std::span<const float> shard) {
        std::vector<float> answers;
        for (const float x : shard) answers.push_back(std::sqrt(x));
        return answers;
    };

    std::atomic<unsigned> calls{0};
    std::atomic<bool> hung{false};
    const auto unreliable = [&](std::span<const float> shard, fanfold::workspace& space) {
        if (calls++ % 20 == 7) throw std::runtime_error("the service is busy");
        for (const float x : shard)
            if (x == 4321 || x == 8765) throw std::runtime_error("cannot take " + std::to_string(static_cast<int>(x)));
        if (shard.front() == 6400 && !hung.exchange(true))
            while (true) space.stop.check();  // until the time limit
        std::vector<float> answers = model(shard);
        if (shard.front() <= 1234 && 1234 < shard.front() + static_cast<float>(shard.size()))
            answers[1234 - static_cast<std::size_t>(shard.front())] = NAN;
        return answers;
    };

    const fanfold::job job = fanfold::infer(fanfold::threads_executor({.workers = 4}), unreliable, rows,
                                            {.partition = fanfold::contiguous{.rows_per_shard = 64},
                                             .verify = fanfold::finite{},
                                             .retry = {.max_attempts = 5, .base = 1ms},
                                             .give_up = fanfold::give_up::rows,
                                             .time_limit = 200ms});

    const fanfold::report figures(job);
    std::printf("%zu rows, %zu attempts: %zu retries, %zu of halves\n", figures.rows, figures.attempts, figures.retries,
                figures.parts);
    for (const fanfold::fault& f : job.failures)
        std::printf("row %zu %s: %s\n", f.rows.front(), std::string(name_of(f.kind)).c_str(), f.message.c_str());

    // All other rows are those of a run in which nothing failed.
    const fanfold::job clean = fanfold::infer(fanfold::serial_executor(), model, rows);
    std::size_t same = 0;
    for (std::size_t row = 0; row < rows.size(); ++row)
        same += job.answers.as<float>()(row) == clean.answers.as<float>()(row);
    std::printf("%zu rows have the bits of a clean run\n", same);
    return job.failed_rows() == 3 && same == rows.size() - 3 ? 0 : 1;
}
