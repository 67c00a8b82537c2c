// fanfold/schedule/executor.hpp - what an executor is given and must do; the loop that all of them share.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>       // std::atomic
#include <concepts>     // std::convertible_to
#include <cstddef>      // std::size_t
#include <exception>    // std::exception_ptr
#include <mutex>        // std::mutex
#include <string_view>  // std::string_view
#include <utility>      // std::exchange, std::move
#include <variant>      // std::get_if

#include "../context/clock.hpp"
#include "../context/workspace.hpp"
#include "../core/function_ref.hpp"
#include "claim.hpp"
#include "doorbell.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What workers without a shard do while others compute.
enum class idle_workers {
    help_few_shards,  ///< take tiles of the operations of those others, in a job of fewer shards than workers
    help,             ///< in every job, so at the end of a long one, too
    rest,
};

/// One job, as an executor sees it. Everything is borrowed for the length of `run`.
struct work {
    function_ref<next_claim(std::size_t worker, time_point now)> next;
    function_ref<void(const attempt& ended, outcome&& result)> done;
    function_ref<outcome(const claim& what, workspace& space)> run_attempt;
    std::size_t parallelism = 1;      ///< more workers than this would find nothing to do
    std::size_t workspace_bytes = 0;  ///< for each worker
    fanfold::stop stop;               ///< goes into every workspace; wakes workers that wait
    event_sink events;                ///< goes into every workspace
    idle_workers idle = idle_workers::help_few_shards;
    detail::doorbell* bell = nullptr;  ///< rung by whoever makes claims ready from outside; else the run has its own
};

/// How an executor likes shards handed out.
enum class claim_order {
    shared,           ///< any worker takes the next shard: whoever is idle
    own_share_first,  ///< each worker its own consecutive share, then what others have left
};

/// Runs jobs. When `run` returns, the source has said `finished`, every claim it gave was run and reported to `done`,
/// what the attempts wrote can be read by the caller, and nothing of the job runs any more. It may put a tile loop into
/// the workspaces where `idle` asks for help.
///   on success   returns
///   on throw     attempts turn exceptions into outcomes; one that `next` or `done` throws ends the job and is rethrown
///   on stop      the source sees it and finishes; attempts in flight are waited for
///   threads      several jobs may run at once on one executor
template <class E>
concept executor = requires(const E& e, const work& job) {
    { e.workers() } -> std::convertible_to<std::size_t>;
    { e.name() } -> std::convertible_to<std::string_view>;
    { e.order() } -> std::same_as<claim_order>;
    e.run(job);
};

/// What time it is for an executor's jobs: its own time() where it has one, else the machine's.
template <executor E>
[[nodiscard]] fanfold::clock clock_of(const E& executor) {
    if constexpr (requires { executor.time(); })
        return executor.time();
    else
        return {};
}

namespace detail {

/// The state that the workers of one `run` share.
template <class>
class basic_run_state {
public:
    explicit basic_run_state(const work& job) : job_(job) {}

    [[nodiscard]] const work& job() const noexcept { return job_; }
    [[nodiscard]] doorbell& bell() noexcept { return job_.bell != nullptr ? *job_.bell : own_bell_; }

    /// Asks the source once.
    [[nodiscard]] next_claim ask(std::size_t worker, time_point now = std::chrono::steady_clock::now()) {
        if (failed_.load(std::memory_order_relaxed)) return finished{};
        return job_.next(worker, now);
    }

    /// Runs `next`, if it is a claim, and what is ready after it; then says why nothing is.
    [[nodiscard]] next_claim drain(next_claim next, std::size_t worker, workspace& space) {
        const auto* what = std::get_if<claim>(&next);
        if (what == nullptr) return next;
        time_point now = execute(*what, worker, space, std::chrono::steady_clock::now());
        for (;;) {
            const next_claim following = ask(worker, now);  // not copied: that waits for what was just written
            what = std::get_if<claim>(&following);
            if (what == nullptr) return following;
            now = execute(*what, worker, space, now);
        }
    }

    /// Drains, and rests while nothing is ready, until the source has finished. `rest(sleep)` calls `sleep()`, or is of
    /// use to others instead.
    template <class Rest>
    void work_to_the_end(std::size_t worker, workspace& space, const Rest& rest) {
        next_claim last = drain(ask(worker), worker, space);
        while (!std::holds_alternative<finished>(last)) {
            next_claim next = finished{};
            {
                doorbell::sleeper here(bell());
                next = ask(worker);
                if (const auto* until = std::get_if<wait_until>(&next)) {
                    rest([&] { here.sleep(until->when); });
                    next = ask(worker);
                }
            }
            last = drain(next, worker, space);
        }
        bell().ring();  // whoever sleeps may leave as well
    }
    void work_to_the_end(std::size_t worker, workspace& space) {
        work_to_the_end(worker, space, [](const auto& sleep) { sleep(); });
    }

    /// An exception that leaves `part` ends the job.
    void guard(function_ref<void()> part) noexcept {
        try {
            part();
        } catch (...) {
            fail(std::current_exception());
        }
    }

    void rethrow() const {
        if (error_ != nullptr) std::rethrow_exception(error_);
    }

    /// How many of `workers` may share an operation.
    [[nodiscard]] std::size_t tile_width(std::size_t workers) const noexcept {
        const bool few = job_.parallelism < workers && job_.idle == idle_workers::help_few_shards;
        return few || job_.idle == idle_workers::help ? workers : 1;
    }

    void equip(workspace& space) const {
        space.stop = job_.stop;
        if (space.stop.possible()) space.tiles = tile_loop(space.stop);
        space.events = job_.events;
    }

private:
    time_point execute(const claim& what, std::size_t worker, workspace& space, time_point started) {
        outcome result = job_.run_attempt(what, space);
        const time_point ended = std::chrono::steady_clock::now();
        job_.done({what, worker, started, ended}, std::move(result));
        bell().ring();
        return ended;
    }

    void fail(std::exception_ptr error) {
        {
            const std::lock_guard lock(mutex_);
            if (error_ == nullptr) error_ = std::move(error);
        }
        failed_.store(true);
        bell().ring();
    }

    const work& job_;
    doorbell own_bell_;
    std::mutex mutex_;
    std::atomic<bool> failed_{false};
    std::exception_ptr error_;
};
using run_state = basic_run_state<void>;

/// Rings when the job's stop token is set, so that sleepers ask again.
template <class>
class basic_stop_bell {
public:
    explicit basic_stop_bell(run_state& state) : callback_(state.job().stop.token(), ringer{&state.bell()}) {}

private:
    struct ringer {
        doorbell* bell;
        void operator()() const { bell->ring(); }
    };
    std::stop_callback<ringer> callback_;
};
using stop_bell = basic_stop_bell<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
