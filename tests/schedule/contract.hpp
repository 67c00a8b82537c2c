// tests/schedule/contract.hpp - what every executor must keep; each executor's test runs all of it.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/schedule/counter_claims.hpp>
#include <fanfold/schedule/executor.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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
    void push_safely(claim what) {
        const std::lock_guard lock(mutex_);
        push(what);
    }
    void all_ready(time_point when) {
        for (entry& e : waiting_) e.ready = when;
    }
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

    /// How many attempts have ended.
    [[nodiscard]] std::size_t ran() {
        const std::lock_guard lock(mutex_);
        return attempts.size();
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
    source.push({.shard = 0}, std::chrono::steady_clock::now() + 1h);
    source.push({.shard = 1}, std::chrono::steady_clock::now() + 1h);
    source.push({.shard = 2});
    time_point soon;
    const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
    const auto done = [&](const attempt& ended, const outcome&) {
        source.done_and(ended, [&](scripted& s) {
            if (ended.what.shard != 2) return;
            soon = std::chrono::steady_clock::now() + 3ms;
            s.all_ready(soon);  // an executor that did not run shard 2 before would wait for an hour
        });
    };
    executor.run({next, done, [](const claim&, workspace&) { return outcome{}; }, 3, 0, {}, {}});
    REQUIRE(source.attempts.size() == 3);
    for (const attempt& a : source.attempts)
        if (a.what.shard != 2) REQUIRE(a.started >= soon);
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

/// Some microseconds of work: a yield takes a whole time slice where the machine is busy.
inline void compute() {
    volatile int steps = 0;
    while (steps < 5000) steps = steps + 1;
}

/// Runs shards whose attempts split themselves; `attempt_of(shard, tiles, stop)`.
template <class E, class Attempt>
void run_tiled(const E& executor, std::size_t shards, const Attempt& attempt_of, stop stopping = {},
               idle_workers idle = idle_workers::help) {
    counter_claims source(shards, executor.order(), executor.workers());
    const auto next = [&](std::size_t worker, time_point now) { return source.next(worker, now); };
    const auto done = [&](const attempt& ended, const outcome& result) { source.done(ended, result); };
    const auto run_attempt = [&](const claim& what, workspace& space) {
        attempt_of(what.shard, space);
        return outcome{};
    };
    executor.run({next, done, run_attempt, shards, 256, stopping, {}, idle});
}

/// Every tile runs once, those that run at once have different slots, under the one floating-point environment; what
/// tiles wrote can be read after the loop. For few shards and many, loops inside of loops, and loops at once.
template <class E>
void every_tile_once(const E& executor) {
    for (const std::size_t shards : {1UL, 2UL, 50UL}) {
        std::atomic<bool> fine{true};
        run_tiled(executor, shards, [&](std::size_t shard, workspace& space) {
            const tile_loop tiles = space.tiles;
            for (int round = 0; round < 200; ++round)  // fewer tiles than helpers
                tiles(2, [&](std::size_t, std::size_t slot) {
                    compute();
                    if (slot >= tiles.slots(2)) fine = false;
                });
            for (const std::size_t count : {1UL, 2UL, 3UL, 100UL}) {
                std::vector<std::size_t> ran(count);  // disjoint: a race here is a tile that runs twice
                std::vector<std::size_t> in_slot(tiles.slots(count));
                tiles(count, [&](std::size_t tile, std::size_t slot) {
                    ran[tile] += shard + 1;
                    if (slot >= in_slot.size()) fine = false;
                    ++in_slot[slot];  // a race here is a slot given twice
                    if (count != 3) return;
                    std::vector<int> inner(20);
                    tiles(inner.size(), [&](std::size_t at) { ++inner[at]; });
                    if (inner != std::vector<int>(20, 1)) fine = false;
                });
                if (ran != std::vector<std::size_t>(count, shard + 1)) fine = false;
                if (std::accumulate(in_slot.begin(), in_slot.end(), std::size_t{0}) != count) fine = false;
            }
        });
        REQUIRE(fine);
    }
}

/// More tiles than anybody could run: a loop that does not end early never ends.
constexpr std::size_t endless = std::size_t{1} << 40;

/// What a tile throws reaches the caller of the loop when no other tile runs any more, and no later one begins.
template <class E>
void tiles_pass_exceptions_on(const E& executor) {
    std::atomic<bool> fine{true};
    run_tiled(executor, 20, [&](std::size_t, workspace& space) {
        std::atomic<int> inside{0};
        const std::string text = text_of([&] {
            space.tiles(endless, [&](std::size_t tile) {
                ++inside;
                compute();
                --inside;
                if (tile == 7) throw std::runtime_error("tile 7");
            });
        });
        if (text != "tile 7" || inside != 0) fine = false;
        std::atomic<int> again{0};
        space.tiles(10, [&](std::size_t) { ++again; });
        if (again != 10) fine = false;
    });
    REQUIRE(fine);
}

/// A stop ends a loop between tiles, where tiles may be shared.
template <class E>
void tiles_are_stopped(const E& executor) {
    std::stop_source stopper;
    std::atomic<int> ran{0};
    std::atomic<bool> stopped{false};
    run_tiled(
        executor, 1,
        [&](std::size_t, workspace& space) {
            if (space.tiles.width() == 1) {
                stopped = true;
                return;
            }
            try {
                space.tiles(endless, [&](std::size_t) {
                    if (++ran == 5) stopper.request_stop();
                });
            } catch (const stopped_error&) {
                stopped = true;
            }
        },
        stop(stopper.get_token()));
    REQUIRE(stopped);
}

/// A thread that waits for its tiles takes up no other shard: what it keeps until they have run would be used twice.
template <class E>
void waiting_for_tiles_takes_no_shard(const E& executor) {
    std::mutex mutex;
    std::set<std::thread::id> busy;
    std::atomic<bool> fine{true};
    run_tiled(executor, 200, [&](std::size_t, workspace& space) {
        {
            const std::lock_guard lock(mutex);
            if (!busy.insert(std::this_thread::get_id()).second) fine = false;
        }
        space.tiles(8, [](std::size_t) { compute(); });
        const std::lock_guard lock(mutex);
        busy.erase(std::this_thread::get_id());
    });
    REQUIRE(fine);
}

/// Workers help as the job asks.
template <class E>
void help_is_given_where_asked(const E& executor) {
    const auto width = [&](std::size_t shards, idle_workers idle) {
        std::atomic<std::size_t> seen{0};
        run_tiled(
            executor, shards, [&](std::size_t, workspace& space) { seen = space.tiles.width(); }, {}, idle);
        return seen.load();
    };
    const std::size_t all = executor.workers();
    for (const std::size_t shards : {std::size_t{1}, all, all + 5}) {
        REQUIRE(width(shards, idle_workers::rest) == 1);
        REQUIRE(width(shards, idle_workers::help) == all);
        REQUIRE(width(shards, idle_workers::help_few_shards) == (shards < all ? all : 1));
    }
}

/// Needs `count` workers that really run at once: tiles that wait for each other.
template <class E>
void idle_workers_take_tiles(const E& executor, std::size_t count) {
    for (int round = 0; round < 20; ++round)
        run_tiled(executor, 1, [&](std::size_t, workspace& space) {
            for (int loop = 0; loop < 3; ++loop) {
                meeting all(count);
                space.tiles(count, [&](std::size_t) { all.wait(); });
            }
        });
}

/// A worker whose next claim is an hour away takes tiles of the other's operations, or this hangs. Two workers.
template <class E>
void waiting_workers_take_tiles(const E& executor) {
    scripted source;
    source.push({.shard = 0});
    source.push({.shard = 1}, std::chrono::steady_clock::now() + std::chrono::seconds(3600));
    const auto done = [&](const attempt& ended, const outcome&) {
        source.done_and(ended, [&](scripted& s) {
            if (ended.what.shard == 0) s.push({.shard = 2});
        });
    };
    const auto attempt_of = [&](const claim&, workspace& space) {
        meeting both(2);
        space.tiles(2, [&](std::size_t) { both.wait(); });
        return outcome{};
    };
    const auto until_two_ran = [&](std::size_t worker, time_point now) -> next_claim {
        next_claim given = source.next(worker, now);
        if (source.ran() == 2) return finished{};
        return given;
    };
    executor.run({until_two_ran, done, attempt_of, 2, 0, {}, {}, idle_workers::help});
    REQUIRE(source.ran() == 2);
}

/// Operations are cut where somebody is idle, and stay whole while all are busy. `count` is the executor's workers,
/// which must really run at once.
template <class E>
void operations_are_split_for_idle_workers(const E& executor, std::size_t count) {
    constexpr std::uint64_t much = std::uint64_t{1} << 40;
    std::atomic<std::size_t> wrong{0};
    run_tiled(
        executor, 1, [&](std::size_t, workspace& space) { wrong += space.tiles.tiles(much, 1000) != 4 * count; }, {},
        idle_workers::help);
    REQUIRE(wrong == 0);
    for (int round = 0; round < 20; ++round) {
        meeting here(count), asked(count);
        run_tiled(
            executor, count,
            [&](std::size_t, workspace& space) {
                here.wait();
                wrong += space.tiles.tiles(much, 1000) != 1;
                asked.wait();
            },
            {}, idle_workers::help);
    }
    REQUIRE(wrong == 0);
}

/// Claims that another thread makes ready are taken once it rings the job's bell, or this hangs.
template <class E>
void a_bell_from_outside_wakes_sleepers(const E& executor) {
    for (int round = 0; round < 20; ++round) {
        scripted source;
        detail::doorbell bell;
        std::atomic<bool> ended{false};
        const auto next = [&](std::size_t worker, time_point now) -> next_claim {
            const bool last = ended;
            const next_claim answer = source.next(worker, now);
            return std::holds_alternative<finished>(answer) && !last ? next_claim(wait_until{time_point::max()})
                                                                     : answer;
        };
        const auto done = [&](const attempt& what, const outcome& result) { source.done(what, result); };
        const auto attempt_of = [](const claim&, workspace&) { return outcome{}; };
        std::jthread outside([&] {
            for (std::size_t shard = 0; shard < 5; ++shard) {
                source.push_safely({.shard = shard});
                bell.ring();
                if (round % 2 == 0)
                    while (source.ran() != shard + 1) std::this_thread::yield();
            }
            ended = true;
            bell.ring();
        });
        executor.run({next, done, attempt_of, 3, 0, {}, {}, idle_workers::rest, &bell});
        outside.join();
        REQUIRE(source.attempts.size() == 5);
    }
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
    every_tile_once(executor);
    tiles_pass_exceptions_on(executor);
    tiles_are_stopped(executor);
    waiting_for_tiles_takes_no_shard(executor);
    a_bell_from_outside_wakes_sleepers(executor);
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
