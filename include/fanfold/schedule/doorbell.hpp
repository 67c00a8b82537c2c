// fanfold/schedule/doorbell.hpp - wakes workers that have nothing ready: by an attempt's end, a time, or from outside.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>              // std::atomic
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <mutex>               // std::mutex

#include "../context/clock.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Lets workers with nothing ready sleep until an attempt ends, a time comes or the job is stopped. Ringing costs one
/// load while nobody sleeps.
template <class>
class basic_doorbell {
public:
    /// Announces a sleeper. Ask the source once more after this and before `sleep`, or a ring may be missed.
    class sleeper {
    public:
        explicit sleeper(basic_doorbell& bell) : bell_(bell) {
            bell_.sleepers_.fetch_add(1);
            const std::lock_guard lock(bell_.mutex_);
            heard_ = bell_.rings_;
        }
        ~sleeper() { bell_.sleepers_.fetch_sub(1); }
        sleeper(const sleeper&) = delete;
        sleeper& operator=(const sleeper&) = delete;

        void sleep(time_point until) {
            std::unique_lock lock(bell_.mutex_);
            const auto rung = [this] { return bell_.rings_ != heard_; };
            if (until == time_point::max())
                bell_.condition_.wait(lock, rung);
            else
                bell_.condition_.wait_until(lock, until, rung);
        }

    private:
        basic_doorbell& bell_;
        std::size_t heard_;
    };

    void ring() {
        if (sleepers_.load() == 0) return;
        {
            const std::lock_guard lock(mutex_);
            ++rings_;
        }
        condition_.notify_all();
    }

private:
    std::atomic<std::size_t> sleepers_{0};
    std::mutex mutex_;
    std::condition_variable condition_;
    std::size_t rings_ = 0;
};
using doorbell = basic_doorbell<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
