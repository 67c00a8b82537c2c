// fanfold/evaluate/load.hpp - offers requests at given times whatever becomes of earlier ones, and measures from those
// times: a server that stalls is seen to stall.
//   in    arrival times, what sends a request      out   latencies, throughput, what was refused
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::sort, std::max
#include <atomic>              // std::atomic
#include <concepts>            // std::same_as
#include <condition_variable>  // std::condition_variable
#include <cstddef>             // std::size_t
#include <memory>              // std::unique_ptr
#include <mutex>               // std::mutex
#include <span>                // std::span
#include <thread>              // std::this_thread
#include <vector>              // std::vector

#include "../context/clock.hpp"
#include "report.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class load_end { answered, failed, timed_out, overloaded };

/// What came of one offered load.
struct load_point {
    double offered_per_s = 0;
    std::size_t requests = 0;
    std::size_t answered = 0;
    std::size_t late = 0;  ///< of those answered: after the time that they had
    std::size_t failed = 0;
    std::size_t timed_out = 0;
    std::size_t overloaded = 0;
    double goodput_per_s = 0;  ///< answered in time
    latency latency_us;        ///< of those answered, from the intended start
    latency report_us;         ///< of those timed out: from the end of their time to when that was told
    latency sent_us;  ///< from the intended start to the sending: the generator's own delay, in the others, too
};

/// Where `offer` gets the time from, and how it waits: a virtual one is moved on by who tests.
template <class T>
concept timekeeper = requires(const T& time, time_point until) {
    { time.now() } -> std::same_as<time_point>;
    time.sleep_until(until);
};
struct machine_time {
    [[nodiscard]] static time_point now() { return std::chrono::steady_clock::now(); }
    static void sleep_until(time_point until) { std::this_thread::sleep_until(until); }
};
static_assert(timekeeper<machine_time>);

namespace detail {

/// What is measured of one run.
class load_log {
public:
    load_log(std::size_t requests, fanfold::clock time)
        : entries_(std::make_unique<entry[]>(requests)), open_(requests), time_(time) {}

    void sent(std::size_t request, time_point now) { entries_[request].sent = now; }
    void ended(std::size_t request, load_end how) {
        entries_[request].how = how;
        entries_[request].ended = time_.now();
        if (open_.fetch_sub(1) != 1) return;
        const std::lock_guard lock(mutex_);
        done_ = true;
        all_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        all_.wait(lock, [this] { return done_; });
    }

    [[nodiscard]] load_point figures(std::span<const duration> starts, time_point start, duration allowed) const {
        load_point p;
        p.requests = starts.size();
        std::vector<double> latencies, reports, sent;
        for (std::size_t i = 0; i < starts.size(); ++i) {
            const entry& e = entries_[i];
            const time_point intended = start + starts[i];
            const auto us = [](duration d) { return std::chrono::duration<double, std::micro>(d).count(); };
            sent.push_back(us(e.sent - intended));
            switch (e.how) {
                case load_end::answered:
                    ++p.answered;
                    if (allowed != duration{} && e.ended > intended + allowed) ++p.late;
                    latencies.push_back(us(e.ended - intended));
                    break;
                case load_end::failed: ++p.failed; break;
                case load_end::overloaded: ++p.overloaded; break;
                case load_end::timed_out:
                    ++p.timed_out;
                    reports.push_back(us(e.ended - intended - allowed));
                    break;
            }
        }
        p.latency_us = shares(latencies);
        p.report_us = shares(reports);
        p.sent_us = shares(sent);
        const double lasted = starts.empty() ? 0 : std::chrono::duration<double>(starts.back()).count();
        if (lasted > 0) {
            p.offered_per_s = static_cast<double>(p.requests) / lasted;
            p.goodput_per_s = static_cast<double>(p.answered - p.late) / lasted;
        }
        return p;
    }

private:
    struct entry {
        time_point sent;
        time_point ended;
        load_end how = load_end::failed;
    };

    [[nodiscard]] static latency shares(std::vector<double>& values) {
        std::sort(values.begin(), values.end());
        return {quantile(values, 0.50), quantile(values, 0.95), quantile(values, 0.99), quantile(values, 1.00)};
    }

    std::unique_ptr<entry[]> entries_;
    std::atomic<std::size_t> open_;
    fanfold::clock time_;
    std::mutex mutex_;
    std::condition_variable all_;
    bool done_ = false;
};

}  // namespace detail

/// Says how one offered request ended; called once, from any thread. Copied freely.
class load_request {
public:
    load_request(detail::load_log& log, std::size_t number, time_point intended)
        : log_(&log), number_(number), intended_(intended) {}

    [[nodiscard]] std::size_t number() const noexcept { return number_; }
    [[nodiscard]] time_point intended() const noexcept { return intended_; }
    void ended(load_end how) const { log_->ended(number_, how); }

private:
    detail::load_log* log_;
    std::size_t number_;
    time_point intended_;
};

/// An open loop: calls `send(request)` at each of the times, and does not wait for what was sent before. What it takes
/// is measured from the intended time, so waiting in a generator that was held up counts as well. Returns when every
/// request has ended.
///
/// example  offer(poisson(2000, 10s), 50ms, [&](load_request r) {
///              server.submit(rows(r.number()), {.deadline = r.intended() + 50ms}).then([r](reply got) {
///                  r.ended(got.answered() ? load_end::answered : load_end::failed); }).detach(); });
/// requires `allowed`, the time that a request has, is only for counting: 0 where it has any
/// errors   passes on what `send` throws, after everything sent has ended
/// source   coordinated omission, G. Tene 2013
template <class Send, timekeeper Time = machine_time>
[[nodiscard]] load_point offer(std::span<const duration> starts, duration allowed, Send&& send, const Time& time = {}) {
    const auto read = [](const void* of) { return static_cast<const Time*>(of)->now(); };
    detail::load_log log(starts.size(), {read, &time});
    const time_point start = time.now() + std::chrono::milliseconds(1);
    std::size_t number = 0;
    try {
        for (; number < starts.size(); ++number) {
            const time_point intended = start + starts[number];
            time_point now = time.now();
            if (now < intended) {
                time.sleep_until(intended);
                now = time.now();
            }
            log.sent(number, now);
            send(load_request(log, number, intended));
        }
    } catch (...) {
        for (std::size_t never = number; never < starts.size(); ++never) log.ended(never, load_end::failed);
        log.wait();
        throw;
    }
    if (!starts.empty()) log.wait();
    return log.figures(starts, start, allowed);
}

}  // namespace fanfold::inline FANFOLD_ABI
