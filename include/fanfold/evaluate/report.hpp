// fanfold/evaluate/report.hpp - what a job cost: rows a second, latency of shards, CPU time, utilization.
//   in    the events of a job      out   figures
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::min
#include <concepts>   // std::convertible_to
#include <cstddef>    // std::size_t
#include <string>     // std::string
#include <vector>     // std::vector

#include "../context/events.hpp"
#include "quantile.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Whatever tells what happened and which rows failed: the job that infer returns, for one.
template <class J>
concept reportable = requires(const J& job) {
    { job.events } -> std::convertible_to<const timeline&>;
    { job.failures.begin()->rows.size() } -> std::convertible_to<std::size_t>;
};

/// Time from the start to the end of one attempt at a shard, in microseconds.
struct latency {
    double p50 = 0;
    double p95 = 0;
    double p99 = 0;
    double max = 0;
};

/// The figures of one job.
///
/// example  fanfold::report(job).rows_per_s
/// cost     O(attempts log attempts)
struct report {
    std::string executor;
    std::size_t workers = 1;       ///< that could have taken part
    std::size_t workers_used = 0;  ///< that ran at least one attempt
    std::size_t rows = 0;          ///< asked for
    std::size_t failed_rows = 0;
    std::size_t resumed_rows = 0;  ///< done by an earlier run
    std::size_t attempts = 0;      ///< of all kinds
    std::size_t retries = 0;       ///< of what had failed
    std::size_t parts = 0;         ///< of shards that were halved to find the rows at fault
    std::size_t seconds = 0;       ///< beside slow ones
    std::size_t checks = 0;        ///< copies of what had been answered, to compare the bits
    double checks_s = 0;           ///< time inside of those
    std::size_t compared = 0;      ///< sets of rows whose answers count because enough copies agree
    std::size_t differing = 0;     ///< of those, with a copy that gave other bits
    std::size_t undecided = 0;     ///< sets of rows on whose bits too few agreed
    double rows_per_s = 0;         ///< rows with an answer, over wall_s
    latency latency_us;
    double cpu_s = 0;  ///< of the whole process, all threads
    double wall_s = 0;
    double utilization = 0;             ///< time inside attempts over wall_s * workers_used, at most 1
    double cpu_s_per_million_rows = 0;  ///< cpu_s for a million rows with an answer

    report() = default;

    template <class Real = double>
    explicit report(const timeline& events, std::size_t failed = 0)
        : executor(events.executor),
          workers(events.workers),
          rows(events.rows),
          failed_rows(failed),
          resumed_rows(events.resumed),
          compared(events.checks.compared),
          differing(events.checks.differing),
          undecided(events.checks.undecided) {
        const auto in_s = [](duration d) { return std::chrono::duration<Real>(d).count(); };
        std::vector<Real> latencies;
        std::vector<std::size_t> by_worker(workers);  // attempts
        double busy_s = 0;
        for (const event& attempt : events.attempts) {
            ++attempts;
            retries += attempt.kind == attempt_kind::retry;
            parts += attempt.kind == attempt_kind::part;
            seconds += attempt.kind == attempt_kind::second;
            const double took = in_s(attempt.finished - attempt.started);
            busy_s += took;
            if (attempt.kind == attempt_kind::check) {
                ++checks;
                checks_s += took;
            }
            latencies.push_back(took * 1e6);
            if (by_worker.size() <= attempt.worker) by_worker.resize(attempt.worker + 1);
            if (by_worker[attempt.worker]++ == 0) ++workers_used;
        }
        std::sort(latencies.begin(), latencies.end());
        latency_us = {quantile(latencies, 0.50), quantile(latencies, 0.95), quantile(latencies, 0.99),
                      quantile(latencies, 1.00)};
        cpu_s = in_s(events.cpu_time);
        wall_s = in_s(events.finished - events.started);
        const auto answered = static_cast<double>(rows - std::min(failed_rows + resumed_rows, rows));
        if (wall_s > 0) {
            rows_per_s = answered / wall_s;
            if (workers_used > 0) utilization = busy_s / (wall_s * static_cast<double>(workers_used));
        }
        if (answered > 0) cpu_s_per_million_rows = cpu_s / answered * 1e6;
    }

    template <reportable J>
    explicit report(const J& job) : report(job.events, count_rows(job.failures)) {}

private:
    template <class Failures>
    static std::size_t count_rows(const Failures& failures) {
        std::size_t count = 0;
        for (const auto& failure : failures) count += failure.rows.size();
        return count;
    }
};

}  // namespace fanfold::inline FANFOLD_ABI
