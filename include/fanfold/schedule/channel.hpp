// fanfold/schedule/channel.hpp - a bounded queue between threads: who is too fast waits, nothing is lost.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::min
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <mutex>               // std::mutex
#include <optional>            // std::optional
#include <stdexcept>           // std::invalid_argument
#include <stop_token>          // std::stop_token
#include <utility>             // std::move
#include <vector>              // std::vector

#include "doorbell.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class channel_status {
    passed,
    would_wait,  ///< full, or empty, and the caller would not wait
    closed,      ///< nothing goes in any more; what is in still comes out
    stopped,     ///< the caller's stop token was set while it waited
};

/// Values go in and come out in order, at most `capacity` of them inside. Any number of threads at either end.
///
/// cost     a lock each; a sleeper is woken only where there is one. All memory is allocated at construction
/// errors   throws std::invalid_argument for a capacity of 0
/// threads  all members may be called at once; it must outlive every call
template <class T>
class channel {
public:
    explicit channel(std::size_t capacity) : slots_(capacity) {
        if (capacity == 0) throw std::invalid_argument("channel: a capacity of 0 lets nothing through");
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return count_;
    }

    /// Waits while the channel is full. The value is moved from when it passed, and only then.
    channel_status push(T&& value, const std::stop_token& stop = {}) {
        std::unique_lock lock(mutex_);
        const auto ready = [this] { return closed_ || count_ < slots_.size(); };
        if (!wait(lock, room_, stop, ready)) return channel_status::stopped;
        return put(value);
    }
    channel_status push(const T& value, const std::stop_token& stop = {}) { return push(T(value), stop); }
    /// Never waits.
    channel_status try_push(T&& value) {
        const std::lock_guard lock(mutex_);
        if (!closed_ && count_ == slots_.size()) return channel_status::would_wait;
        return put(value);
    }

    /// Waits while the channel is empty; nothing when it is closed and empty, or when `stop` is set meanwhile.
    [[nodiscard]] std::optional<T> pop(const std::stop_token& stop = {}) {
        std::unique_lock lock(mutex_);
        if (!wait(lock, values_, stop, [this] { return closed_ || count_ != 0; }) || count_ == 0) return std::nullopt;
        std::optional<T> value(std::move(*slots_[first_]));
        drop(1);
        return value;
    }
    /// Appends up to `most` values to `into`; never waits. `closed` once nothing is there and nothing will come.
    channel_status try_pop(std::vector<T>& into, std::size_t most = 1) {
        const std::lock_guard lock(mutex_);
        if (count_ == 0) return closed_ ? channel_status::closed : channel_status::would_wait;
        const std::size_t taken = std::min(most, count_);
        for (std::size_t i = 0; i < taken; ++i) into.push_back(std::move(*slots_[(first_ + i) % slots_.size()]));
        drop(taken);
        return channel_status::passed;
    }

    /// Whoever waits is woken. Closing again does nothing.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        room_.notify_all();
        values_.notify_all();
        ring();
    }
    [[nodiscard]] bool closed() const {
        const std::lock_guard lock(mutex_);
        return closed_;
    }

    /// While it lives, `bell` is rung whenever a value went in or came out, or the channel was closed.
    class watch {
    public:
        watch(channel& of, detail::doorbell& bell) : of_(of), bell_(bell) {
            const std::lock_guard lock(of_.mutex_);
            of_.watchers_.push_back(&bell_);
        }
        ~watch() {
            const std::lock_guard lock(of_.mutex_);
            for (auto& watcher : of_.watchers_)
                if (watcher == &bell_) {
                    watcher = of_.watchers_.back();
                    of_.watchers_.pop_back();
                    break;
                }
        }
        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;

    private:
        channel& of_;
        detail::doorbell& bell_;
    };

private:
    struct side {
        std::condition_variable condition;
        std::size_t waiting = 0;
        void notify_all() { condition.notify_all(); }
    };

    /// False when the token was set before `ready` was true.
    template <class Ready>
    bool wait(std::unique_lock<std::mutex>& lock, side& here, const std::stop_token& stop, const Ready& ready) {
        if (ready()) return true;
        if (!stop.stop_possible()) {
            ++here.waiting;
            here.condition.wait(lock, ready);
            --here.waiting;
            return true;
        }
        lock.unlock();  // the callback takes it, perhaps right away
        const auto wake = [this, &here] {
            { const std::lock_guard stopped(mutex_); }
            here.condition.notify_all();
        };
        {
            const std::stop_callback waker(stop, wake);
            lock.lock();
            ++here.waiting;
            here.condition.wait(lock, [&] { return ready() || stop.stop_requested(); });
            --here.waiting;
            lock.unlock();  // ending the callback may wait for one that runs
        }
        lock.lock();
        return ready();
    }

    channel_status put(T& value) {
        if (closed_) return channel_status::closed;
        slots_[(first_ + count_) % slots_.size()].emplace(std::move(value));
        ++count_;
        if (values_.waiting != 0) values_.condition.notify_one();
        ring();
        return channel_status::passed;
    }
    void drop(std::size_t taken) {
        for (std::size_t i = 0; i < taken; ++i) slots_[(first_ + i) % slots_.size()].reset();
        first_ = (first_ + taken) % slots_.size();
        count_ -= taken;
        if (room_.waiting != 0) taken == 1 ? room_.condition.notify_one() : room_.condition.notify_all();
        ring();
    }
    void ring() {
        for (detail::doorbell* bell : watchers_) bell->ring();
    }

    mutable std::mutex mutex_;
    side room_;
    side values_;
    std::vector<std::optional<T>> slots_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool closed_ = false;
    std::vector<detail::doorbell*> watchers_;
};

}  // namespace fanfold::inline FANFOLD_ABI
