// examples/06_resume.cpp - a job that is killed in the middle, and goes on in another process where it was.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/sqlite/ledger.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

namespace {

std::vector<float> model(std::span<const float> rows) {
    std::vector<float> answers;
    for (const float x : rows) answers.push_back(std::sin(x));
    return answers;
}

}  // namespace

int main() {
    const std::string file = "/tmp/fanfold_resume_" + std::to_string(getpid()) + ".db";
    std::vector<float> rows(10'000);
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<float>(row);

    const pid_t child = fork();  // it kills itself as a power cut would
    if (child == 0) {
        fanfold::sqlite::ledger kept(file, {.group = 1, .interval = std::chrono::milliseconds(0)});
        const auto killed = [&](std::span<const float> shard) {
            if (shard.front() >= 5000) {
                while (kept.safe_rows() < 1000) usleep(1000);
                raise(SIGKILL);
            }
            return model(shard);
        };
        (void)fanfold::infer(fanfold::serial_executor(), killed, rows,
                             {.partition = fanfold::contiguous{.rows_per_shard = 50}, .ledger = kept});
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);

    fanfold::sqlite::ledger kept(file);
    const fanfold::job job = fanfold::infer(fanfold::threads_executor(), model, rows, {.ledger = kept});
    const fanfold::job clean = fanfold::infer(fanfold::serial_executor(), model, rows);
    std::printf("the first run was %s; %zu rows of it were safe, %zu were computed now\n",
                WIFSIGNALED(status) ? "killed" : "not killed", job.events.resumed, rows.size() - job.events.resumed);
    std::printf("digest %s, of a run that was never interrupted %s\n",
                fanfold::digest_text(fanfold::digest(job.answers)).c_str(),
                fanfold::digest_text(fanfold::digest(clean.answers)).c_str());
    unlink(file.c_str());
    return WIFSIGNALED(status) && job.events.resumed >= 1000 && job.failures.empty() &&
                   fanfold::digest(job.answers) == fanfold::digest(clean.answers)
               ? 0
               : 1;
}
