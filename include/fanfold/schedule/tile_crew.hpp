// fanfold/schedule/tile_crew.hpp - workers without a shard take tiles of the operations of others.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::min
#include <atomic>              // std::atomic
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <mutex>               // std::mutex
#include <vector>              // std::vector

#include "../context/floating_point.hpp"
#include "executor.hpp"
#include "shared_tiles.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Who shares the operations of one job. `host.call(missing)` is asked to start or wake that many more who could help;
/// `host.apart(f)` runs f(), tiles in it, on a thread that must not take up anything else meanwhile.
///
/// threads  every worker of the job may call all members
template <class Host>
class tile_crew {
public:
    /// At most `width` take part in an operation; `workers` have no shard to begin with.
    tile_crew(Host& host, run_state& state, std::size_t width, std::size_t workers)
        : host_(host), state_(state), width_(width), idle_(workers) {}
    tile_crew(const tile_crew&) = delete;
    tile_crew& operator=(const tile_crew&) = delete;
    ~tile_crew() = default;

    /// Serial when there is nobody who could help.
    [[nodiscard]] tile_loop loop() const noexcept {
        if (width_ < 2) return {};
        const stop& stopping = state_.job().stop;
        return {&share_tiles, this, width_, &idle_, stopping.possible() ? &stopping : nullptr};
    }

    /// One more worker that may have shards; `leave` when it will have none any more.
    void join() noexcept {
        working_.fetch_add(1);
        idle_.fetch_sub(1, std::memory_order_relaxed);
    }
    void leave() noexcept {
        idle_.fetch_add(1, std::memory_order_relaxed);
        working_.fetch_sub(1);
    }
    /// So many could not be started, and never will be: operations are not split for them.
    void lose(std::size_t workers) noexcept { idle_.fetch_sub(workers, std::memory_order_relaxed); }
    [[nodiscard]] bool working() const noexcept { return working_.load() != 0; }

    /// Takes part in an operation of somebody else; false when there is none.
    [[nodiscard]] bool help() {
        if (open_count_.load() == 0) return false;
        operation* of = nullptr;
        std::size_t slot = 0;
        {
            const std::lock_guard lock(mutex_);
            while (!open_.empty() && open_.back()->tiles.exhausted()) close(open_.back());
            if (open_.empty()) return false;
            of = open_.back();
            slot = of->slots++;
            if (of->slots == of->most_slots) close(of);
            ++of->inside;
        }
        host_.apart([&] {
            const floating_point_scope environment;
            of->tiles.take_part(slot);
        });
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

    /// Somebody will `attend`, so the next operation need not call for them; or, after all, will not.
    void expect() {
        const std::lock_guard lock(mutex_);
        ++attending_;
    }
    void expect_no_more() {
        const std::lock_guard lock(mutex_);
        --attending_;
    }
    /// Helps until there is no operation in which one could take part.
    void attend() {
        for (;;) {
            while (help()) {
            }
            const std::lock_guard lock(mutex_);
            if (!open_.empty()) continue;  // shared since, counting on us
            --attending_;
            return;
        }
    }
    /// Helps for as long as somebody may have shards.
    void help_to_the_end() {
        while (width_ > 1 && working()) {
            doorbell::sleeper here(state_.bell());
            if (working() && !help()) here.sleep(time_point::max());
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
        const_cast<tile_crew*>(static_cast<const tile_crew*>(self))->share(count, each);
    }
    void share(std::size_t count, tile_loop::body each) {
        operation here{{count, each, state_.job().stop}, std::min(width_, count)};
        std::size_t missing = here.most_slots - 1;
        {
            const std::lock_guard lock(mutex_);
            open_.push_back(&here);
            open_count_.store(open_.size());
            missing -= std::min(missing, attending_);
        }
        if (missing != 0) host_.call(missing);
        state_.bell().ring();
        host_.apart([&] { here.tiles.take_part(0); });
        {
            std::unique_lock lock(mutex_);
            close(&here);
            left_.wait(lock, [&] { return here.inside == 0; });
        }
        here.tiles.rethrow();
    }
    /// Nobody else may take part.
    void close(operation* one) {
        std::erase(open_, one);
        open_count_.store(open_.size());
    }

    Host& host_;
    run_state& state_;
    std::size_t width_;
    std::atomic<std::size_t> idle_;  ///< who has no shard, those not yet started included
    std::atomic<std::size_t> working_{0};
    std::mutex mutex_;
    std::condition_variable left_;
    std::vector<operation*> open_;            ///< in which somebody may yet take part
    std::atomic<std::size_t> open_count_{0};  ///< seen without the lock
    std::size_t attending_ = 0;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
