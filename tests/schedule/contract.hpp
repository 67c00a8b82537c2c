// tests/schedule/contract.hpp - what every executor must keep; each executor's test runs all of it.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/schedule/counter_claims.hpp>
#include <fanfold/schedule/executor.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

namespace contract {

using namespace fanfold;
using namespace std::chrono_literals;

/// A claim source as a user would write one: claims are pushed, with a time before which they are not ready.
class scripted {
public:
    void push(claim what, time_point ready = {}) { waiting_.push_back({what, ready}); }
    next_claim next(std::size_t, time_point now) {
        const std::lock_guard lock(mutex_);
        time_point soonest = time_point::max();
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            if (waiting_[i].ready <= now) {
                const claim what = waiting_[i].what;
                waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
                ++running_;
                return what;
            }
            soonest = std::min(soonest, waiting_[i].ready);
        }
        if (waiting_.empty() && running_ == 0) return finished{};
        return wait_until{soonest};
    }
    template <class More>
    void done_and(const attempt& ended, More&& more) {
        const std::lock_guard lock(mutex_);
        --running_;
        attempts.push_back(ended);
        more(*this);
    }
    void done(const attempt& ended, const outcome&) {
        done_and(ended, [](scripted&) {});
    }

    std::vector<attempt> attempts;

private:
    struct entry {
        claim what;
        time_point ready;
    };
    std::mutex mutex_;
    std::vector<entry> waiting_;
    std::size_t running_ = 0;
};
static_assert(claim_source<scripted>);

/// Threads meet here; each goes on once `count` have come.
class meeting {
public:
    explicit meeting(std::size_t count) : count_(count) {}
    void wait() {
        std::unique_lock lock(mutex_);
        if (++come_ >= count_) all_.notify_all();
        all_.wait(lock, [&] { return come_ >= count_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable all_;
    std::size_t count_;
    std::size_t come_ = 0;
};

template <class E, class Source, class Run>
void run(const E& executor, Source& source, Run&& attempt_of, std::size_t parallelism = 64, stop stopping = {}) {
    const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
    const auto done = [&](const attempt& ended, outcome result) { source.done(ended, result); };
    executor.run({next, done, attempt_of, parallelism, 256, stopping, {}});
}

/// Every shard runs once, by a worker with a number below workers(), with the workspace that was asked for.
template <class E>
void every_shard_once(const E& executor) {
    for (const std::size_t shards : {0UL, 1UL, 2UL, 7UL, 1000UL}) {
        counter_claims source(shards, executor.order(), executor.workers());
        std::vector<int> runs(shards, 0);
        std::mutex mutex;
        std::set<std::size_t> workers;
        std::set<const workspace*> spaces;
        const auto next = [&](std::size_t worker, time_point now) {
            const std::lock_guard lock(mutex);
            workers.insert(worker);
            return source.next(worker, now);
        };
        bool times_ascend = true;
        bool spaces_suffice = true;
        const auto done = [&](const attempt& ended, const outcome&) {
            const std::lock_guard lock(mutex);
            times_ascend &= ended.started <= ended.ended;
        };
        const auto attempt_of = [&](const claim& what, workspace& space) {
            ++runs[what.shard];  // disjoint: a race here is a double claim
            const std::lock_guard lock(mutex);
            spaces.insert(&space);
            spaces_suffice &= space.capacity() >= 256;
            return outcome{};
        };
        executor.run({next, done, attempt_of, std::max<std::size_t>(shards, 1), 256, {}, {}});
        REQUIRE(std::accumulate(runs.begin(), runs.end(), std::size_t{0}) == shards);
        for (const int count : runs) REQUIRE(count == 1);
        REQUIRE(times_ascend);
        REQUIRE(spaces_suffice);
        REQUIRE(*workers.rbegin() < executor.workers());
        REQUIRE(spaces.size() <= executor.workers());
    }
}

/// A claim that becomes ready later is run, and only then.
template <class E>
void waits_for_later_claims(const E& executor) {
    scripted source;
    const time_point soon = std::chrono::steady_clock::now() + 5ms;
    source.push({.shard = 0}, soon);
    source.push({.shard = 1}, soon + 1ms);
    source.push({.shard = 2});
    run(executor, source, [](const claim&, workspace&) { return outcome{}; });
    REQUIRE(source.attempts.size() == 3);
    REQUIRE(source.attempts[0].what.shard == 2);
    for (const attempt& a : source.attempts)
        if (a.what.shard != 2) REQUIRE(a.ended >= soon);
}

/// `done` may push more claims; retries go on until the source says finished.
template <class E>
void takes_what_done_pushes(const E& executor) {
    scripted source;
    source.push({.shard = 0});
    source.push({.shard = 1});
    const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
    const auto done = [&](const attempt& ended, const outcome& result) {
        source.done_and(ended, [&](scripted& s) {
            if (!result.answered())
                s.push({.shard = ended.what.shard, .attempt = ended.what.attempt + 1},
                       std::chrono::steady_clock::now() + 1ms);
        });
    };
    const auto attempt_of = [](const claim& what, workspace&) {
        outcome result;
        if (what.attempt < 4) result.faults.push_back({});
        return result;
    };
    executor.run({next, done, attempt_of, 2, 0, {}, {}});
    REQUIRE(source.attempts.size() == 8);
}

/// What an attempt, `next` or `done` throws by mistake reaches the caller once nothing of the job runs any more.
template <class E>
void passes_exceptions_on(const E& executor) {
    scripted source;
    for (std::size_t shard = 0; shard < 100; ++shard) source.push({.shard = shard});
    std::atomic<int> inside{0};
    REQUIRE(text_of([&] {
                run(executor, source, [&](const claim& what, workspace&) -> outcome {
                    ++inside;
                    std::this_thread::yield();
                    --inside;
                    if (what.shard == 50) throw std::runtime_error("broken invariant");
                    return {};
                });
            }) == "broken invariant");
    REQUIRE(inside == 0);
    every_shard_once(executor);  // and the executor still works
}

/// A stop ends a job that would wait for ever.
template <class E>
void a_stop_wakes_sleepers(const E& executor) {
    std::stop_source stopper;
    const stop stopping(stopper.get_token());
    std::atomic<bool> asked{false};
    const auto next = [&](std::size_t, time_point) -> next_claim {
        asked = true;
        asked.notify_all();
        if (stopping.reason()) return finished{};
        return wait_until{time_point::max()};
    };
    const auto done = [](const attempt&, const outcome&) {};
    const auto attempt_of = [](const claim&, workspace&) { return outcome{}; };
    const std::jthread other([&] {
        asked.wait(false);
        stopper.request_stop();
    });
    executor.run({next, done, attempt_of, 4, 0, stopping, {}});
}

/// Several jobs at once on one executor, and a job inside an attempt of another.
template <class E>
void serves_jobs_at_once_and_nested(const E& executor) {
    std::atomic<int> runs{0};
    const auto one_job = [&](auto&& inner) {
        counter_claims source(20, executor.order(), executor.workers());
        run(executor, source, [&](const claim&, workspace&) {
            ++runs;
            inner();
            return outcome{};
        });
    };
    std::vector<std::jthread> callers;
    for (int i = 0; i < 3; ++i) callers.emplace_back([&] { one_job([] {}); });
    callers.clear();
    REQUIRE(runs == 60);
    one_job([&] { one_job([] {}); });
    REQUIRE(runs == 60 + 20 + 400);
}

/// All of it, for any number of workers; the two below need several that really run at once.
template <class E>
void is_kept_by(const E& executor) {
    every_shard_once(executor);
    waits_for_later_claims(executor);
    takes_what_done_pushes(executor);
    passes_exceptions_on(executor);
    a_stop_wakes_sleepers(executor);
    serves_jobs_at_once_and_nested(executor);
}

/// Needs two workers that really run at once. While one shard runs on and on, a claim that becomes ready later is run
/// by somebody else: the long shard ends only when that has happened, so a wait that delays it hangs here.
template <class E>
void no_wait_delays_a_ready_claim(const E& executor) {
    for (const bool caller_is_busy : {true, false}) {
        scripted source;
        source.push({.shard = 0});
        source.push({.shard = 1});
        meeting both(2);
        std::atomic<bool> retried{false};
        const auto caller = std::this_thread::get_id();
        const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
        const auto done = [&](const attempt& ended, const outcome& result) {
            source.done_and(ended, [&](scripted& s) {
                if (!result.answered())
                    s.push({.shard = ended.what.shard, .attempt = ended.what.attempt + 1},
                           std::chrono::steady_clock::now() + 3ms);
            });
        };
        const auto attempt_of = [&](const claim& what, workspace&) {
            outcome result;
            if (what.attempt > 1) {
                if (what.attempt == 4) {
                    retried = true;
                    retried.notify_all();
                } else {
                    result.faults.push_back({});
                }
                return result;
            }
            both.wait();
            if ((std::this_thread::get_id() == caller) == caller_is_busy)
                retried.wait(false);
            else
                result.faults.push_back({});
            return result;
        };
        executor.run({next, done, attempt_of, 2, 0, {}, {}});
        REQUIRE(source.attempts.size() == 5);
    }
}

/// Needs `count` workers that really run at once. One attempt makes `count` claims ready that wait for each other,
/// after all other workers have gone idle: each must be called back, or this hangs.
template <class E>
void idle_workers_are_called_back(const E& executor, std::size_t count) {
    for (int round = 0; round < 20; ++round) {
        scripted source;
        source.push({.shard = 0});
        meeting all(count);
        const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
        const auto done = [&](const attempt& ended, const outcome&) {
            source.done_and(ended, [&](scripted& s) {
                if (ended.what.shard != 0) return;
                for (std::size_t shard = 1; shard <= count; ++shard) s.push({.shard = shard});
            });
        };
        const auto attempt_of = [&](const claim& what, workspace&) {
            if (what.shard != 0) all.wait();
            return outcome{};
        };
        executor.run({next, done, attempt_of, count, 0, {}, {}});
        REQUIRE(source.attempts.size() == count + 1);
    }
}

}  // namespace contract
