// fanfold/schedule/entrance.hpp - threads that come to a job in their own time, or too late.
// SPDX-License-Identifier: MIT
#pragma once
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <mutex>               // std::mutex

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Who has entered is waited for when the job ends; who comes later is turned away, so nobody who may be waiting for
/// something else is. It outlives the job, as long as somebody may come.
class entrance {
public:
    /// False when the job has ended: nothing of it may be touched then. Else `leave` follows.
    [[nodiscard]] bool enter() {
        const std::lock_guard lock(mutex_);
        if (closed_) return false;
        ++inside_;
        return true;
    }
    void leave() {
        const std::lock_guard lock(mutex_);
        if (--inside_ == 0) empty_.notify_all();
    }
    /// Returns when all have left.
    void close() {
        std::unique_lock lock(mutex_);
        closed_ = true;
        empty_.wait(lock, [this] { return inside_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable empty_;
    bool closed_ = false;
    std::size_t inside_ = 0;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
