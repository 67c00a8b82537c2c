// fanfold/schedule/shared_tiles.hpp - the tiles of one operation, taken by the threads that take part in it.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <exception>  // std::exception_ptr
#include <mutex>      // std::mutex
#include <utility>    // std::move

#include "../context/stop.hpp"
#include "../context/tile_loop.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Tiles are handed out in order, one atomic increment each; the stop is polled before each. After an exception no more
/// are handed out.
class shared_tiles {
public:
    shared_tiles(std::size_t count, tile_loop::body each, const stop& stopping)
        : count_(count), each_(each), stop_(stopping) {}

    /// Runs tiles until none is left to take. Each thread that takes part has a slot of its own.
    void take_part(std::size_t slot) noexcept {
        try {
            for (std::size_t tile = 0; (tile = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
                stop_.check();
                each_(tile, slot);
            }
        } catch (...) {
            fail(std::current_exception());
        }
    }
    [[nodiscard]] bool exhausted() const noexcept { return next_.load(std::memory_order_relaxed) >= count_; }
    /// Called when nobody takes part any more.
    void rethrow() const {
        if (error_ != nullptr) std::rethrow_exception(error_);
    }

private:
    void fail(std::exception_ptr error) noexcept {
        next_.store(count_, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        if (error_ == nullptr) error_ = std::move(error);
    }

    std::size_t count_;
    tile_loop::body each_;
    const stop& stop_;
    std::atomic<std::size_t> next_{0};
    std::mutex mutex_;
    std::exception_ptr error_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
