// fanfold/serve/request_queue.hpp - what becomes of single requests, and when: every decision of a batcher, no thread.
//   in    requests as they come, workers as they become free, the time      out   batches, refusals, expiries
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t, std::uint32_t
#include <optional>   // std::optional
#include <utility>    // std::swap
#include <vector>     // std::vector

#include "../context/clock.hpp"

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
/// Requests whose deadline has passed are never handed over; those that can hardly be in time any more, by one and a half
/// times what batches took of late, wait until there are no others: a batch is not made longer for them.
///
/// cost     O(log n) a request for each step of its way; memory for as many as ever waited at once
/// threads  one user at a time
/// source   the batch size as in Clipper (Crankshaw et al. 2017): one more while batches take less than half the latency
///          target, since a request may wait for one batch and be in the next; a tenth less when one takes longer. Until
///          that happens first, twice as many, as TCP begins (RFC 5681)
template <class>
class basic_request_queue {
public:
    using ticket = std::uint32_t;
    struct request {
        std::size_t rows = 1;
        std::size_t like = 0;  ///< only requests with the same number are joined; small numbers
        int priority = 0;
        time_point deadline = time_point::max();
    };

    explicit basic_request_queue(queue_options options)
        : options_(options), limit_(options.latency_target == duration{} ? static_cast<double>(options.max_rows) : 1) {}

    /// A ticket, or nothing when there is no room; who had to make room is appended to `dropped`.
    [[nodiscard]] std::optional<ticket> submit(time_point now, const request& r, std::vector<ticket>& dropped) {
        const time_point rank = now - r.priority * options_.aging;
        while (queued_rows_ + r.rows > options_.max_queued_rows) {
            if (options_.full == when_full::refuse || last_.empty() || entries_[last_.front()].rank <= rank)
                return std::nullopt;
            dropped.push_back(last_.front());
            remove(last_.front());
        }
        const ticket t = make();
        entry& e = entries_[t];
        e.asked = r;
        e.rank = rank;
        e.number = ++count_;
        e.due = now + options_.max_delay;
        if (r.deadline != time_point::max()) e.due = std::min(e.due, std::max(now, r.deadline - 2 * usual_));
        e.queued = true;
        e.late = false;
        if (r.like >= lanes_.size()) lanes_.resize(r.like + 1);
        push(lanes_[r.like].first, by_rank, t);
        if (waits_for_company()) push(lanes_[r.like].due, by_due, t);
        if (r.deadline != time_point::max()) push(deadlines_, by_deadline, t);
        if (options_.full != when_full::refuse) push(last_, by_last, t);
        lanes_[r.like].rows += r.rows;
        queued_rows_ += r.rows;
        return t;
    }

    /// Appends those whose deadline has come; they leave the line.
    void expire(time_point now, std::vector<ticket>& expired) {
        while (!deadlines_.empty() && entries_[deadlines_.front()].asked.deadline <= now) {
            expired.push_back(deadlines_.front());
            remove(deadlines_.front());
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
            if (due(l, now) && (from == nullptr || before(by_rank, head(l), head(*from)))) from = &l;
        if (from == nullptr) return;
        std::size_t rows = 0;
        const auto fits = [&](ticket t) { return rows == 0 || rows + entries_[t].asked.rows <= limit(); };
        while (!from->first.empty() && fits(from->first.front())) {
            const ticket t = from->first.front();
            if (entries_[t].asked.deadline - usual_ - usual_ / 2 <= now) {
                erase(from->first, by_rank, t);
                entries_[t].late = true;
                push(from->late, by_rank, t);
                continue;
            }
            rows += entries_[t].asked.rows;
            batch.push_back(t);
            remove(t);
        }
        const std::size_t on_time = rows;
        while (on_time == 0 && !from->late.empty() && fits(from->late.front())) {
            const ticket t = from->late.front();
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
        time_point next = deadlines_.empty() ? time_point::max() : entries_[deadlines_.front()].asked.deadline;
        for (const lane& l : lanes_)
            if (worker_is_free && l.rows != 0)
                next = waits_for_company() ? std::min(next, entries_[l.due.front()].due) : time_point::min();
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
    enum order : std::size_t { by_rank, by_due, by_deadline, by_last, orders };
    using heap = std::vector<ticket>;

    struct entry {
        request asked;
        time_point rank;
        time_point due;
        std::uint64_t number = 0;
        bool queued = false;
        bool late = false;                     // in its lane's `late`
        std::array<std::size_t, orders> at{};  // where it is in each heap
    };
    struct lane {
        heap first;
        heap late;
        heap due;  // where requests wait for company
        std::size_t rows = 0;
    };

    [[nodiscard]] bool waits_for_company() const noexcept { return options_.max_delay != duration{}; }
    [[nodiscard]] bool due(const lane& l, time_point now) const {
        if (l.rows == 0) return false;
        return !waits_for_company() || l.rows >= limit() || entries_[l.due.front()].due <= now;
    }
    [[nodiscard]] static ticket head(const lane& l) { return l.first.empty() ? l.late.front() : l.first.front(); }

    [[nodiscard]] bool before(order by, ticket a, ticket b) const {
        const entry &x = entries_[a], &y = entries_[b];
        const auto earlier = [&](time_point one, time_point other) {
            return one != other ? one < other : x.number < y.number;
        };
        switch (by) {
            case by_due: return earlier(x.due, y.due);
            case by_deadline: return earlier(x.asked.deadline, y.asked.deadline);
            case by_last: return a != b && !earlier(x.rank, y.rank);
            default: return earlier(x.rank, y.rank);
        }
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
        erase(e.late ? l.late : l.first, by_rank, t);
        if (waits_for_company()) erase(l.due, by_due, t);
        if (e.asked.deadline != time_point::max()) erase(deadlines_, by_deadline, t);
        if (options_.full != when_full::refuse) erase(last_, by_last, t);
        e.queued = false;
        l.rows -= e.asked.rows;
        queued_rows_ -= e.asked.rows;
    }

    void place(heap& in, order by, std::size_t at, ticket t) {
        in[at] = t;
        entries_[t].at[by] = at;
    }
    void rise(heap& in, order by, std::size_t at) {
        const ticket t = in[at];
        for (; at != 0 && before(by, t, in[(at - 1) / 2]); at = (at - 1) / 2) place(in, by, at, in[(at - 1) / 2]);
        place(in, by, at, t);
    }
    void sink(heap& in, order by, std::size_t at) {
        const ticket t = in[at];
        for (std::size_t child = 0; (child = 2 * at + 1) < in.size(); at = child) {
            if (child + 1 < in.size() && before(by, in[child + 1], in[child])) ++child;
            if (!before(by, in[child], t)) break;
            place(in, by, at, in[child]);
        }
        place(in, by, at, t);
    }
    void push(heap& in, order by, ticket t) {
        in.push_back(t);
        rise(in, by, in.size() - 1);
    }
    void erase(heap& in, order by, ticket t) {
        const std::size_t at = entries_[t].at[by];
        const ticket last = in.back();
        in.pop_back();
        if (last == t) return;
        place(in, by, at, last);
        rise(in, by, at);
        sink(in, by, entries_[last].at[by]);
    }

    queue_options options_;
    double limit_;
    bool begins_ = true;  // no batch has taken too long yet
    duration usual_{};  ///< what slower batches took of late
    std::vector<entry> entries_;
    std::vector<ticket> free_;
    std::vector<lane> lanes_;
    heap deadlines_;
    heap last_;
    std::size_t queued_rows_ = 0;
    std::uint64_t count_ = 0;
};
using request_queue = basic_request_queue<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
