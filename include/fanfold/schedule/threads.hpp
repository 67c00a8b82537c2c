// fanfold/schedule/threads.hpp - threads by hand: started for the job, each with its share of the shards, then joined.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <cstddef>      // std::size_t
#include <exception>    // std::exception
#include <mutex>        // std::mutex
#include <string_view>  // std::string_view
#include <thread>       // std::jthread
#include <vector>       // std::vector

#include "../context/floating_point.hpp"
#include "../placement/affinity.hpp"
#include "../placement/places.hpp"
#include "../placement/workspaces.hpp"
#include "executor.hpp"
#include "task.hpp"
#include "tile_crew.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct threads_options {
    std::size_t workers = 0;  ///< the caller included; 0: the CPUs that this process may use
    pinning pin = pinning::nodes;
};

namespace detail {

/// False when there are no more threads to be had, or no memory for them.
template <class Thread, class Part>
[[nodiscard]] bool start_thread(std::vector<Thread>& threads, Part part) {
    try {
        threads.emplace_back(part);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

/// Threads that never have a shard: started when an operation is first shared, joined at the end of the job.
template <class Thread>
class basic_helper_threads {
public:
    basic_helper_threads(run_state& state, std::size_t workers, std::size_t helpers)
        : crew(*this, state, state.tile_width(workers), workers), state_(state), helpers_(helpers) {}

    void call(std::size_t) {
        const std::lock_guard lock(mutex_);
        for (; helpers_ != 0; --helpers_)
            if (!start_thread(threads_, [this] { state_.guard([this] { crew.help_to_the_end(); }); })) {
                crew.lose(helpers_);
                helpers_ = 1;
            }
    }
    template <class F>
    static void apart(const F& tiles) {
        tiles();
    }

    tile_crew<basic_helper_threads> crew;

private:
    run_state& state_;
    std::mutex mutex_;
    std::size_t helpers_;  ///< not yet started
    std::vector<Thread> threads_;
};

}  // namespace detail

/// Worker w starts with the w-th of `workers` consecutive shares of the shards, then takes what others have left.
/// The calling thread is worker 0. No thread outlives an infer; those of submit and servers end with the executor.
/// Workers that have no shard sleep until an operation is split into tiles, and take some; those that never had one are
/// started when that first happens.
/// On a machine of several NUMA nodes workers keep to the CPUs of theirs during a job, the calling thread too, and use
/// memory that was first touched there.
///
/// cost     about 20 us a thread and job
/// errors   fewer threads than asked for when the system gives no more: their shares are taken by the others, and
///          operations are not split for them
class threads_executor {
public:
    template <class = void>
    explicit threads_executor(threads_options options = {})
        : threads_executor(options, detail::machine_for(options.pin)) {}
    /// As if on `machine`.
    template <class = void>
    threads_executor(const threads_options& options, const topology& machine)
        : workers_(options.workers != 0 ? options.workers : machine.usable_cpus()),
          places_(worker_places(machine, workers_, options.pin)) {}

    [[nodiscard]] std::size_t workers() const noexcept { return workers_; }
    [[nodiscard]] static std::string_view name() noexcept { return "threads"; }
    [[nodiscard]] static claim_order order() noexcept { return claim_order::own_share_first; }

    template <class Later = void, class Thread = std::jthread>
    void run(const work& job) const {
        detail::basic_run_state<Later> state(job);
        const detail::basic_stop_bell<Later> waker(state);
        const std::size_t others = std::min(workers_, std::max<std::size_t>(job.parallelism, 1)) - 1;
        {
            std::vector<Thread> threads;
            threads.reserve(others);
            detail::basic_helper_threads<Thread> helpers(state, workers_, workers_ - 1 - others);
            auto& crew = helpers.crew;
            const auto take_part = [&](std::size_t worker) {
                state.guard([&] {
                    const affinity_scope kept(places_[worker].cpus);
                    const workspace_store::loan space = spaces_.lend(job.workspace_bytes, places_[worker].node);
                    state.equip(*space);
                    if (crew.loop().width() > 1) (*space).tiles = crew.loop();
                    state.work_to_the_end(worker, *space, [&](const auto& sleep) { crew.rest(sleep); });
                });
                crew.leave();
                state.bell().ring();
                state.guard([&] { crew.help_to_the_end(); });
            };
            crew.join();
            for (std::size_t worker = 1; worker <= others; ++worker) {
                crew.join();
                if (detail::start_thread(threads, [&take_part, worker] { take_part(worker); })) continue;
                crew.leave();
                crew.lose(others - worker + 1);
                break;
            }
            take_part(0);
            threads.clear();  // joins
        }
        state.rethrow();
    }

    /// Runs `what` on a thread that is started for it, or on one that an earlier task had; they end with the executor.
    template <class = void>
    void post(task what) const {
        tasks_.post(std::move(what));
    }
    [[nodiscard]] workspace_store& spaces() const noexcept { return spaces_; }

private:
    std::size_t workers_;
    std::vector<worker_place> places_;
    mutable workspace_store spaces_;
    mutable detail::task_threads tasks_{workers_};
};
static_assert(executor<threads_executor>);

}  // namespace fanfold::inline FANFOLD_ABI
