// examples/14_all_together.cpp - a service that is busy now and then, a row that it cannot take, an answer that is no
// number, a call that hangs, one that is slow, a flipped bit, and a process that is killed: what comes back, and how.
// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/table.hpp>
#include <fanfold/fanfold.hpp>
#include <fanfold/sqlite/ledger.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr float poison = 4321, no_number = 1234, hangs = 9600, slow = 7040, flips = 5120, last_before_kill = 6000;

std::vector<float> roots(std::span<const float> rows) {
    std::vector<float> answers;
    for (const float x : rows) answers.push_back(std::sqrt(x));
    return answers;
}

/// Everything goes wrong that can.
class unreliable {
public:
    std::vector<float> operator()(std::span<const float> rows, fanfold::workspace& space) {
        const auto has = [&](float x) { return std::find(rows.begin(), rows.end(), x) != rows.end(); };
        if (calls_++ % 20 == 7) throw std::runtime_error("the service is busy");
        if (has(poison)) throw std::runtime_error("cannot take " + std::to_string(static_cast<int>(poison)));
        while (has(hangs) && !hung_) {  // until its time limit
            try {
                space.stop.check();
            } catch (...) {
                hung_ = true;
                throw;
            }
        }
        for (bool wait = has(slow) && !slowed_.exchange(true); wait; wait = false)
            for (int ms = 0; ms < 60; ++ms) {  // a second attempt will be there before
                space.stop.check();
                std::this_thread::sleep_for(1ms);
            }
        std::this_thread::sleep_for(200us);
        std::vector<float> answers = roots(rows);
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (rows[row] == no_number) answers[row] = NAN;
        if (has(flips) && !flipped_.exchange(true)) answers.front() += 1;
        return answers;
    }

private:
    std::atomic<unsigned> calls_{0};
    std::atomic<bool> hung_{false}, slowed_{false}, flipped_{false};
};

fanfold::options policies(fanfold::sqlite::ledger& kept) {
    return {.partition = fanfold::contiguous{.rows_per_shard = 40},
            .verify = fanfold::finite{},
            .duplicate = fanfold::duplicate{},
            .retry = {.max_attempts = 5, .base = 1ms, .budget = {.share = 1}},
            .give_up = fanfold::give_up::rows,
            .hedge = fanfold::hedge{},
            .time_limit = 200ms,
            .ledger = kept};
}

}  // namespace

int main() {
    const std::string file = "/tmp/fanfold_together_" + std::to_string(getpid()) + ".db";
    std::vector<float> rows(12'000);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<float>(row);

    const pid_t child = fork();
    if (child == 0) {
        fanfold::sqlite::ledger kept(file, {.interval = 1ms});
        unreliable service;
        const auto killed = fanfold::independent_rows([&](std::span<const float> shard, fanfold::workspace& space) {
            if (shard.front() >= last_before_kill && kept.safe_rows() > 2000) raise(SIGKILL);
            return service(shard, space);
        });
        (void)fanfold::infer(fanfold::threads_executor({.workers = 4}), killed, rows, policies(kept));
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);

    fanfold::sqlite::ledger kept(file);
    unreliable service;
    const auto model = fanfold::independent_rows(
        [&](std::span<const float> shard, fanfold::workspace& space) { return service(shard, space); });
    const fanfold::job job = fanfold::infer(fanfold::threads_executor({.workers = 4}), model, rows, policies(kept));
    const fanfold::job clean = fanfold::infer(fanfold::serial_executor(), roots, rows);

    const fanfold::report figures(job);
    std::printf("the first run was %s; %zu rows of it were safe\n\n", WIFSIGNALED(status) ? "killed" : "not killed",
                figures.resumed_rows);
    std::printf("%s\n", fanfold::table(std::vector<fanfold::labelled_report>{{"second run", figures, {}}}).c_str());
    for (const fanfold::fault& f : job.failures)
        std::printf("row %zu %s: %s\n", f.rows.front(), std::string(name_of(f.kind)).c_str(), f.message.c_str());
    std::size_t same = 0;
    for (std::size_t row = 0; row < rows.size(); ++row)
        same += job.answers.as<float>()(row) == clean.answers.as<float>()(row);
    std::printf("%zu rows have the bits of a clean run\n", same);
    for (const char* end : {"", "-wal"}) unlink((file + end).c_str());
    return job.failed_rows() == 2 && same == rows.size() - 2 && figures.resumed_rows > 2000 ? 0 : 1;
}
