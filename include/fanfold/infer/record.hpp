// fanfold/infer/record.hpp - keeps what happened in a job: one event an attempt, the faults that stay.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <cstddef>    // std::size_t
#include <ctime>      // clock_gettime
#include <mutex>      // std::mutex
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../partition/plan.hpp"
#include "../schedule/claim.hpp"
#include "../schedule/executor.hpp"
#include "answers.hpp"
#include "job.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// CPU time of this process so far, all threads.
[[nodiscard]] inline duration process_cpu_time() noexcept {
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
}

/// threads  `add` from all workers at once: a shard's event has a place of its own, only faults take a lock
template <class Event>
class basic_record {
public:
    basic_record(const plan& shards, std::size_t rows, event_sink watcher, fanfold::clock time = {})
        : shards_(shards), watcher_(watcher), time_(time) {
        events_.rows = rows;
        std::vector<Event>& attempts = events_.attempts;
        attempts.resize(shards.shards());
        events_.cpu_time = process_cpu_time();
        events_.started = time_.now();
    }

    /// An attempt at `rows` rows; `result` is what came of it, `stay` what stays of that.
    void add(const attempt& ended, std::size_t rows, const outcome& result, std::vector<fault>&& stay) {
        if (ended.what.kind == attempt_kind::first && stay.empty()) {
            Event& place = events_.attempts[ended.what.shard];
            fill(place, ended, rows, result);
            if (watcher_) watcher_(place);
            return;
        }
        Event other;
        fill(other, ended, rows, result);
        {
            const std::lock_guard lock(mutex_);
            if (other.kind == attempt_kind::first)
                events_.attempts[other.shard] = other;
            else
                more_.push_back(other);
            keep(std::move(stay));
        }
        if (watcher_) watcher_(other);
    }
    /// Faults that stay of attempts that are over. Not while others add.
    void keep(std::vector<fault> stay) {
        for (fault& f : stay) failures_.push_back(std::move(f));
    }

    /// Names the rows that nobody claimed before the stop, blanks all failed rows, and hands everything over.
    [[nodiscard]] job finish(answer_store& answers, const stop& stopping, std::string executor,
                             std::size_t workers) && {
        events_.finished = time_.now();
        events_.cpu_time = process_cpu_time() - events_.cpu_time;
        events_.executor = std::move(executor);
        events_.workers = workers;
        name_unclaimed(stopping);
        std::sort(failures_.begin(), failures_.end(),
                  [](const fault& a, const fault& b) { return a.rows.front() < b.rows.front(); });
        for (const fault& f : failures_) answers.blank(f.rows);
        return {std::move(answers).take(), std::move(failures_), std::move(events_), {}};
    }

private:
    /// Where it stays: what is copied right after it was written in parts waits for them.
    static void fill(Event& e, const attempt& ended, std::size_t rows, const outcome& result) {
        e.shard = ended.what.shard;
        e.rows = rows;
        e.worker = ended.worker;
        e.attempt = ended.what.attempt;
        e.started = ended.started;
        e.finished = ended.ended;
        if (!result.answered()) e.fault = result.faults.front().kind;
        e.kind = ended.what.kind;
    }
    void name_unclaimed(const stop& stopping) {
        fault unclaimed{fault_kind::stopped, {}, {}, 0};
        std::vector<Event>& attempts = events_.attempts;
        std::size_t claimed = 0;
        for (std::size_t shard = 0; shard < attempts.size(); ++shard) {
            if (attempts[shard].rows != 0) {
                if (claimed != shard) attempts[claimed] = attempts[shard];
                ++claimed;
                continue;
            }
            for (std::size_t at = 0; at < shards_.rows_of(shard); ++at)
                unclaimed.rows.push_back(shards_.row(shard, at));
        }
        attempts.resize(claimed);
        if (!more_.empty()) {
            attempts.insert(attempts.end(), more_.begin(), more_.end());
            std::sort(attempts.begin(), attempts.end(), [](const Event& a, const Event& b) {
                return a.shard != b.shard ? a.shard < b.shard : a.started < b.started;
            });
        }
        if (unclaimed.rows.empty()) return;
        std::sort(unclaimed.rows.begin(), unclaimed.rows.end());
        const stopped_error why(stopping.reason().value_or(stop_reason::requested));
        if (why.reason() == stop_reason::deadline) unclaimed.kind = fault_kind::timed_out;
        unclaimed.message = std::string(why.what()) + " before these rows were started";
        failures_.push_back(std::move(unclaimed));
    }

    const plan& shards_;
    event_sink watcher_;
    fanfold::clock time_;
    std::mutex mutex_;
    std::vector<fault> failures_;
    std::vector<Event> more_;  ///< of attempts that are not a shard's first
    timeline events_;
};
using record = basic_record<event>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
