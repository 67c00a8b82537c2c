// fanfold/serve/request_queue.hpp - what becomes of single requests, and when: every decision of a batcher, no thread.
//   in    requests as they come, workers as they become free, the time      out   batches, refusals, expiries
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t, std::uint32_t
#include <optional>   // std::optional
#include <vector>     // std::vector

#include "../context/clock.hpp"
#include "ticket_order.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What happens to a request that comes when the queue is full.
enum class when_full {
    refuse,             ///< it is refused at once
    drop_lowest_first,  ///< whoever is last in line goes, the newcomer itself or one that waits
};

/// How requests are queued and joined.
struct queue_options {
    std::size_t max_rows = 64;  ///< of a batch, and of a piece of a request
    duration max_delay{};       ///< how long the oldest waits for company while a worker is free; 0: not at all
    std::size_t max_queued_rows = 4096;  ///< that wait; more are refused
    when_full full = when_full::refuse;
    duration aging = std::chrono::milliseconds(100);  ///< waiting this long is worth one step of priority
    duration latency_target{};  ///< batches are made as large as this allows, max_rows at most; 0: always max_rows
};

namespace detail {

/// Requests in line. First comes who has waited longest, with each step of priority worth `aging` of waiting: so nobody
/// starves. A batch is formed when a worker asks: the first in line and those behind it that can be joined with it.
/// Requests whose deadline has passed are never handed over; those that can hardly be in time any more, by one and a
/// half times what batches took of late, wait until there are no others: a batch is not made longer for them.
///
/// cost     O(1) a request for each step of its way where ranks and deadlines come nearly in order, O(log n) otherwise,
///          O(n) where several have to go for one; memory for as many as ever waited at once
/// threads  one user at a time
/// source   the batch size as in Clipper (Crankshaw et al. 2017): one more while batches take less than half the
///          latency target, since a request may wait for one batch and be in the next; a tenth less when one takes
///          longer. Until that happens first, twice as many, as TCP begins (RFC 5681)
template <class>
class basic_request_queue {
public:
    using ticket = ticket_order::ticket;
    struct request {
        std::size_t rows = 1;
        std::size_t like = 0;  ///< only requests with the same number are joined; small numbers
        int priority = 0;
        time_point deadline = time_point::max();
    };

    explicit basic_request_queue(queue_options options)
        : options_(options), limit_(options.latency_target == duration{} ? static_cast<double>(options.max_rows) : 1) {}

    /// Whether so many rows of one priority can come now, though those who are last in line go where `full` says so.
    [[nodiscard]] bool room_for(std::size_t rows, int priority, time_point now) const {
        if (queued_rows_ + rows <= options_.max_queued_rows) return true;
        const time_point newcomer = backwards(rank_of(priority, now));
        const auto goes = [&](const ticket_order::place& p) { return p.when < newcomer; };
        if (options_.full == when_full::refuse || last_.empty() || !goes(last_.front())) return false;
        std::size_t missing = queued_rows_ + rows - options_.max_queued_rows;
        missing -= std::min(missing, entries_[last_.front().who].asked.rows);
        if (missing == 0) return true;
        std::size_t others = 0;
        last_.for_each([&](const ticket_order::place& p) {
            if (goes(p) && p.who != last_.front().who) others += entries_[p.who].asked.rows;
        });
        return others >= missing;
    }
    /// A ticket, or nothing when there is no room; who had to make room is appended to `dropped`.
    [[nodiscard]] std::optional<ticket> submit(time_point now, const request& r, std::vector<ticket>& dropped) {
        if (!room_for(r.rows, r.priority, now)) return std::nullopt;
        const time_point rank = rank_of(r.priority, now);
        while (queued_rows_ + r.rows > options_.max_queued_rows) {
            dropped.push_back(last_.front().who);
            remove(last_.front().who);
        }
        const ticket t = make();
        entries_[t] = {.asked = r, .queued = true};
        const std::uint64_t number = ++count_;
        const bool expires = r.deadline != time_point::max();
        if (r.like >= lanes_.size()) lanes_.resize(r.like + 1);
        lane& l = lanes_[r.like];
        l.first.push({rank, number, t}, at_rank_);
        if (waits_for_company()) {
            time_point due = now + options_.max_delay;
            if (expires) due = std::min(due, std::max(now, r.deadline - 2 * usual_));
            l.due.push({due, number, t}, at_due_);
        }
        if (expires) deadlines_.push({r.deadline, number, t}, at_deadline_);
        if (options_.full != when_full::refuse) last_.push({backwards(rank), ~number, t}, at_last_);
        l.rows += r.rows;
        queued_rows_ += r.rows;
        return t;
    }

    /// Appends those whose deadline has come; they leave the line.
    void expire(time_point now, std::vector<ticket>& expired) {
        while (!deadlines_.empty() && deadlines_.front().when <= now) {
            expired.push_back(deadlines_.front().who);
            remove(expired.back());
        }
    }
    /// Whether it was still in line.
    bool cancel(ticket t) {
        if (!entries_[t].queued) return false;
        remove(t);
        return true;
    }
    /// Everybody.
    void clear(std::vector<ticket>& all) {
        for (ticket t = 0; t < entries_.size(); ++t)
            if (cancel(t)) all.push_back(t);
    }
    /// A ticket that has left the line may be given to somebody else from now on.
    void release(ticket t) { free_.push_back(t); }

    /// Appends the next batch for a worker that is free; nothing where nobody is due yet.
    void take(time_point now, std::vector<ticket>& batch) {
        lane* from = nullptr;
        for (lane& l : lanes_)
            if (due(l, now) && (from == nullptr || head(l) < head(*from))) from = &l;
        if (from == nullptr) return;
        std::size_t rows = 0;
        const auto fits = [&](ticket t) { return rows == 0 || rows + entries_[t].asked.rows <= limit(); };
        while (!from->first.empty() && fits(from->first.front().who)) {
            const ticket t = from->first.front().who;
            if (entries_[t].asked.deadline - usual_ - usual_ / 2 <= now) {
                const ticket_order::place rank = from->first.front();
                from->first.erase(t, at_rank_);
                from->late.push(rank, at_rank_);
                entries_[t].late = true;
                continue;
            }
            rows += entries_[t].asked.rows;
            batch.push_back(t);
            remove(t);
        }
        const std::size_t on_time = rows;
        while (on_time == 0 && !from->late.empty() && fits(from->late.front().who)) {
            const ticket t = from->late.front().who;
            if (entries_[t].asked.deadline <= now) break;  // `expire` will name it
            rows += entries_[t].asked.rows;
            batch.push_back(t);
            remove(t);
        }
    }
    [[nodiscard]] bool due(time_point now) const {
        for (const lane& l : lanes_)
            if (due(l, now)) return true;
        return false;
    }
    /// When to look again, with a worker free or none: the next deadline, or when somebody has waited for company long
    /// enough.
    [[nodiscard]] time_point next_time(bool worker_is_free) const {
        time_point next = deadlines_.empty() ? time_point::max() : deadlines_.front().when;
        for (const lane& l : lanes_)
            if (worker_is_free && l.rows != 0)
                next = waits_for_company() ? std::min(next, l.due.front().when) : time_point::min();
        return next;
    }

    /// A batch took that long.
    void finished(std::size_t rows, duration took) {
        usual_ = usual_ == duration{} ? took : usual_ + (took - usual_) / (took > usual_ ? 2 : 32);
        if (options_.latency_target == duration{}) return;
        if (took > options_.latency_target / 2) {
            limit_ = std::max(1.0, limit_ * 0.9);
            begins_ = false;
        } else if (rows >= limit()) {
            limit_ = std::min(static_cast<double>(options_.max_rows), begins_ ? limit_ * 2 : limit_ + 1);
        }
    }

    [[nodiscard]] bool nobody_like(std::size_t like) const { return like >= lanes_.size() || lanes_[like].rows == 0; }
    [[nodiscard]] std::size_t queued_rows() const noexcept { return queued_rows_; }
    [[nodiscard]] std::size_t limit() const noexcept { return static_cast<std::size_t>(limit_); }
    [[nodiscard]] duration usual() const noexcept { return usual_; }

private:
    struct entry {
        request asked = {};
        bool queued = false;
        bool late = false;  // in its lane's `late`
    };
    struct lane {
        ticket_order first;  // by rank
        ticket_order late;   // by rank, too
        ticket_order due;    // where requests wait for company
        std::size_t rows = 0;
    };

    [[nodiscard]] time_point rank_of(int priority, time_point now) const { return now - priority * options_.aging; }
    [[nodiscard]] static time_point backwards(time_point rank) noexcept { return time_point(-rank.time_since_epoch()); }
    [[nodiscard]] bool waits_for_company() const noexcept { return options_.max_delay != duration{}; }
    [[nodiscard]] bool due(const lane& l, time_point now) const {
        if (l.rows == 0) return false;
        return !waits_for_company() || l.rows >= limit() || l.due.front().when <= now;
    }
    [[nodiscard]] static const ticket_order::place& head(const lane& l) {
        return l.first.empty() ? l.late.front() : l.first.front();
    }

    [[nodiscard]] ticket make() {
        if (free_.empty()) {
            entries_.emplace_back();
            return static_cast<ticket>(entries_.size() - 1);
        }
        const ticket t = free_.back();
        free_.pop_back();
        return t;
    }
    void remove(ticket t) {
        entry& e = entries_[t];
        lane& l = lanes_[e.asked.like];
        (e.late ? l.late : l.first).erase(t, at_rank_);
        if (waits_for_company()) l.due.erase(t, at_due_);
        if (e.asked.deadline != time_point::max()) deadlines_.erase(t, at_deadline_);
        if (options_.full != when_full::refuse) last_.erase(t, at_last_);
        e.queued = false;
        l.rows -= e.asked.rows;
        queued_rows_ -= e.asked.rows;
    }

    queue_options options_;
    double limit_;
    bool begins_ = true;  // no batch has taken too long yet
    duration usual_{};    ///< what slower batches took of late
    std::vector<entry> entries_;
    std::vector<ticket> free_;
    std::vector<lane> lanes_;
    ticket_order deadlines_;
    ticket_order last_;  // by rank, backwards: who is last in line first
    ticket_order::positions at_rank_, at_due_, at_deadline_, at_last_;
    std::size_t queued_rows_ = 0;
    std::uint64_t count_ = 0;
};
using request_queue = basic_request_queue<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
