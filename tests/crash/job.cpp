// tests/crash/job.cpp - a job with a ledger, to be killed at any time: scripts/crash-test does.   usage: crash_job FILE SEED
// Says how many rows are safe, a number a line, while it runs, and the digest of all answers at its end.
// SPDX-License-Identifier: MIT
#include <fanfold/context/random.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/sqlite/ledger.hpp>
#include <fanfold/verify/digest.hpp>

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

/// About 30 us a row, so that there is time to be killed.
std::vector<float> slow(std::span<const float> rows) {
    std::vector<float> answers;
    for (float x : rows) {
        for (int i = 0; i < 2000; ++i) x = std::sin(x + 1);
        answers.push_back(x);
    }
    return answers;
}

void say(const std::string& line) {  // one write: a line is there or not
    if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(3);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3) return 2;
    fanfold::random_bits random(std::strtoull(argv[2], nullptr, 10));
    std::vector<float> rows(6000);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<float>(row);
    fanfold::sqlite::ledger kept(
        argv[1], {.group = 1 + random.below(32), .interval = std::chrono::milliseconds(random.below(4))});
    std::jthread watch([&](const std::stop_token& over) {
        while (!over.stop_requested()) {
            say(std::to_string(kept.safe_rows()) + "\n");
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    });
    // Another number of workers and rows a shard each time: they are not part of what a ledger is of.
    const fanfold::threads_executor workers({.workers = 1 + random.below(3)});
    const fanfold::job job =
        fanfold::infer(workers, slow, rows,
                       {.partition = fanfold::contiguous{.rows_per_shard = 1 + random.below(64)}, .ledger = kept});
    watch.request_stop();
    watch.join();
    say("digest " + fanfold::digest_text(fanfold::digest(job.answers)) + "\n");
    return job.failures.empty() ? 0 : 1;
} catch (const std::exception& why) {
    std::fprintf(stderr, "crash_job: %s\n", why.what());
    return 1;
}
