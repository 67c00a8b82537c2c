// tests/crash/job.cpp - a job with a ledger, to be killed at any time: scripts/crash-test does.
//   usage: crash_job FILE SEED [ROWS [SINES [WIDTH]]]
//   ROWS: 6000; SINES: 2000 a row, so that there is time to be killed; WIDTH: floats a row's answer has, 1
// Says, a line each: how many rows were done before, how many may be in flight at once, which were computed, how many
// are safe while it runs, and the digest of all answers at its end. Some answers are in the table, some in files.
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
#include <string>
#include <thread>
#include <vector>

namespace {

void say(const std::string& line) {  // one write: a line is there or not
    if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::exit(3);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 3) return 2;
    fanfold::random_bits random(std::strtoull(argv[2], nullptr, 10));
    std::vector<float> rows(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 6000);
    const int sines = argc > 4 ? std::atoi(argv[4]) : 2000;
    const std::size_t width = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 1;
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<float>(row);

    // Other groups, shards and workers each time: they are not part of what a ledger is of.
    const std::size_t group = 1 + random.below(32);
    const std::size_t shard = 1 + random.below(64);
    const std::size_t file_bytes = random.below(2) == 0 ? 4 * width * (1 + random.below(64)) : 1 << 20;
    const fanfold::sqlite::ledger_options how{.group = group,
                                              .interval = std::chrono::milliseconds(random.below(4)),
                                              .most_waiting = 2 * group,
                                              .file_bytes = file_bytes};
    const fanfold::threads_executor workers({.workers = 1 + random.below(3)});
    fanfold::sqlite::ledger kept(argv[1], how);
    say("resumed " + std::to_string(kept.safe_rows()) + "\n");
    // What waits, what is being committed, and a shard with each worker.
    say("in flight " + std::to_string((2 * how.most_waiting + workers.workers()) * shard) + "\n");

    const auto slow = [&](std::span<const float> given) {
        std::vector<float> answers;
        for (float x : given) {
            for (int i = 0; i < sines; ++i) x = std::sin(x + 1);
            answers.insert(answers.end(), width, x);
        }
        std::string line = "computed";
        for (const float x : given) line += " " + std::to_string(static_cast<std::size_t>(x));
        say(line + "\n");
        return answers;
    };
    std::jthread watch([&](const std::stop_token& over) {
        for (std::size_t last = 0; !over.stop_requested(); std::this_thread::sleep_for(std::chrono::microseconds(300)))
            if (const std::size_t now = kept.safe_rows(); now != last) say("safe " + std::to_string(last = now) + "\n");
    });
    const fanfold::job job =
        fanfold::infer(workers, slow, rows,
                       {.partition = fanfold::contiguous{.rows_per_shard = shard}, .ledger = kept});
    watch.request_stop();
    watch.join();
    say("safe " + std::to_string(rows.size()) + "\n");
    say("digest " + fanfold::digest_text(fanfold::digest(job.answers)) + "\n");
    return job.failures.empty() ? 0 : 1;
} catch (const std::exception& why) {
    std::fprintf(stderr, "crash_job: %s\n", why.what());
    return 1;
}
