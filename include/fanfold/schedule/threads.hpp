// fanfold/schedule/threads.hpp - threads by hand: started for the job, each with its share of the shards, then joined.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::min, std::max
#include <atomic>              // std::atomic
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <exception>           // std::exception
#include <mutex>               // std::mutex
#include <string_view>         // std::string_view
#include <thread>              // std::jthread
#include <vector>              // std::vector

#include "../context/floating_point.hpp"
#include "../placement/affinity.hpp"
#include "../placement/places.hpp"
#include "../placement/workspaces.hpp"
#include "executor.hpp"
#include "shared_tiles.hpp"
#include "task.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct threads_options {
    std::size_t workers = 0;  ///< the caller included; 0: the CPUs that this process may use
    pinning pin = pinning::nodes;
};

namespace detail {

/// False when there are no more threads to be had. The vector has room for it.
template <class Thread, class Part>
[[nodiscard]] bool start_thread(std::vector<Thread>& threads, Part part) {
    try {
        threads.emplace_back(part);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

/// Threads without a shard that take tiles of the operations of others.
///
/// threads  every worker of the job may call all members
template <class Thread>
class basic_tile_crew {
public:
    /// `helpers` threads are started when the first operation is shared, and joined at the end.
    basic_tile_crew(run_state& state, std::size_t width, std::size_t helpers)
        : state_(state), width_(width), helpers_(helpers), idle_(helpers) {}

    /// Serial when there is nobody who could help.
    [[nodiscard]] tile_loop loop() const noexcept {
        if (width_ < 2) return {};
        const stop& stopping = state_.job().stop;
        return {&share_tiles, this, width_, &idle_, stopping.possible() ? &stopping : nullptr};
    }

    /// Takes part in an operation of somebody else; false when there is none.
    bool help() {
        if (width_ < 2) return false;
        operation* of = nullptr;
        std::size_t slot = 0;
        {
            const std::lock_guard lock(mutex_);
            for (operation* one : open_)
                if (one->slots < one->most_slots && !one->tiles.exhausted()) of = one;
            if (of == nullptr) return false;
            slot = of->slots++;
            ++of->inside;
        }
        {
            const floating_point_scope environment;
            of->tiles.take_part(slot);
        }
        const std::lock_guard lock(mutex_);
        if (--of->inside == 0) left_.notify_all();
        return true;
    }

    /// Helps, or sleeps, while there is no shard for this worker.
    template <class Sleep>
    void rest(const Sleep& sleep) {
        idle_.fetch_add(1, std::memory_order_relaxed);
        if (!help()) sleep();
        idle_.fetch_sub(1, std::memory_order_relaxed);
    }

    /// One more worker that may have shards; `leave` when it will have none any more.
    void join() noexcept { working_.fetch_add(1); }
    void leave() {
        idle_.fetch_add(1, std::memory_order_relaxed);
        working_.fetch_sub(1);
        state_.bell().ring();
    }
    /// Helps for as long as somebody may have shards.
    void help_to_the_end() {
        while (width_ > 1 && working_.load() != 0) {
            doorbell::sleeper here(state_.bell());
            if (working_.load() != 0 && !help()) here.sleep(time_point::max());
        }
    }

private:
    struct operation {
        shared_tiles tiles;
        std::size_t most_slots = 0;  // as tile_loop::slots tells the operation
        std::size_t slots = 1;       // given to those who take part
        std::size_t inside = 0;      // helpers
    };

    static void share_tiles(const void* self, std::size_t count, tile_loop::body each) {
        const_cast<basic_tile_crew*>(static_cast<const basic_tile_crew*>(self))->share(count, each);
    }
    void share(std::size_t count, tile_loop::body each) {
        operation here{{count, each, state_.job().stop}, std::min(width_, count)};
        {
            const std::lock_guard lock(mutex_);
            start_helpers();
            open_.push_back(&here);
        }
        state_.bell().ring();
        here.tiles.take_part(0);
        {
            std::unique_lock lock(mutex_);
            std::erase(open_, &here);
            left_.wait(lock, [&] { return here.inside == 0; });
        }
        here.tiles.rethrow();
    }

    void start_helpers() {
        threads_.reserve(helpers_);
        for (; helpers_ != 0; --helpers_)
            if (!start_thread(threads_, [this] { state_.guard([this] { help_to_the_end(); }); })) helpers_ = 1;
    }

    run_state& state_;
    std::size_t width_;
    std::size_t helpers_;            ///< not yet started
    std::atomic<std::size_t> idle_;  ///< who has no shard, those not yet started included
    std::atomic<std::size_t> working_{0};
    std::mutex mutex_;
    std::condition_variable left_;
    std::vector<operation*> open_;
    std::vector<Thread> threads_;
};
using tile_crew = basic_tile_crew<std::jthread>;

}  // namespace detail

/// Worker w starts with the w-th of `workers` consecutive shares of the shards, then takes what others have left.
/// The calling thread is worker 0. No thread outlives an infer; those of submit and servers end with the executor.
/// Workers that have no shard sleep until an operation is split into tiles, and take some; those that never had one are
/// started when that first happens.
/// On a machine of several NUMA nodes workers keep to the CPUs of theirs during a job, the calling thread too, and use
/// memory that was first touched there.
///
/// cost     about 20 us a thread and job
/// errors   fewer threads than asked for when the system gives no more; their shares are taken by the others
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

    template <class Later = void>
    void run(const work& job) const {
        detail::basic_run_state<Later> state(job);
        const detail::basic_stop_bell<Later> waker(state);
        const std::size_t others = std::min(workers_, std::max<std::size_t>(job.parallelism, 1)) - 1;
        {
            std::vector<std::jthread> threads;
            threads.reserve(others);
            detail::tile_crew crew(state, state.tile_width(workers_), workers_ - 1 - others);
            const auto take_part = [&](std::size_t worker) {
                state.guard([&] {
                    const affinity_scope kept(places_[worker].cpus);
                    const workspace_store::loan space = spaces_.lend(job.workspace_bytes, places_[worker].node);
                    state.equip(*space);
                    if (crew.loop().width() > 1) (*space).tiles = crew.loop();
                    state.work_to_the_end(worker, *space, [&](const auto& sleep) { crew.rest(sleep); });
                });
                crew.leave();
                state.guard([&] { crew.help_to_the_end(); });
            };
            crew.join();
            for (std::size_t worker = 1; worker <= others; ++worker) {
                crew.join();
                if (detail::start_thread(threads, [&take_part, worker] { take_part(worker); })) continue;
                crew.leave();
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
