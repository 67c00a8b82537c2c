// fanfold/infer/copies.hpp - copies of rows to compare: who may compute them, and how long they wait for whom.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::binary_search, std::max
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <string>     // std::string
#include <utility>    // std::exchange
#include <vector>     // std::vector

#include "../context/stop.hpp"
#include "piece_queue.hpp"
#include "recheck.hpp"
#include "worker_slots.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Before these rows had been compared or looked at again, the job ended.
template <class = void>
[[nodiscard]] fault unfinished(const stop& why, std::vector<std::size_t> rows, unsigned attempts) {
    const stopped_error ended_by(why.reason().value_or(stop_reason::requested));
    return {ended_by.reason() == stop_reason::deadline ? fault_kind::timed_out : fault_kind::stopped,
            std::string(ended_by.what()) + " before copies of these rows were compared", std::move(rows), attempts};
}

/// threads  under the job's lock, but for `on`, `compares` and `is_quarantined`
template <class Slot>
class basic_copies {
public:
    using recheck = basic_recheck<Slot>;
    using queue = basic_piece_queue<typename piece_by<Slot>::type>;

    basic_copies(const recheck_rules& rules, std::size_t useful, std::size_t workers, const stop& stopping,
                 basic_worker_slots<Slot>& slots, queue& all)
        : stop_(stopping), slots_(slots), pieces_(all), on_(rules.replicas != 0) {
        if (on_) votes_.emplace(rules, useful, workers);
    }

    [[nodiscard]] bool on() const noexcept { return on_; }
    /// Whether an attempt's answers are compared with others'.
    [[nodiscard]] bool compares(const claim& what, recheck_reason reason) const noexcept {
        return on_ && (what.kind == attempt_kind::check || reason == recheck_reason::suspicious ||
                       votes_->samples(what.shard));
    }
    [[nodiscard]] bool is_quarantined(std::size_t worker) const noexcept { return on_ && votes_->quarantined(worker); }
    [[nodiscard]] recheck& votes() { return *votes_; }

    /// Until when a worker in quarantine is to wait: others do what there is. None: it is needed after all.
    [[nodiscard]] std::optional<time_point> kept_off(std::size_t worker, time_point now) {
        if (!is_quarantined(worker)) return std::nullopt;
        const std::size_t sum = slots_.settled();
        bool working = false;
        for (std::size_t s = 0; s < slots_.size(); ++s) working |= s != worker && !votes_->quarantined(s) && is_busy(s);
        Slot& here = slots_[worker];
        if (std::exchange(here.last_sum, sum) != sum || working) here.last_change = now;
        if (slots_.all_settled() || now >= here.last_change + patience) return std::nullopt;
        return here.last_change + patience;
    }
    /// Whether a copy that has been ready since then may go to this worker; `alone`: it has nothing else to do.
    [[nodiscard]] bool suits(const piece& copy, time_point ready, std::size_t worker, time_point now,
                             bool alone) const {
        if (votes_->may_take(copy.ballot, worker)) return true;
        return alone && now >= left_to_others(copy.ballot, ready);
    }
    /// When a worker that found nothing is to ask again.
    [[nodiscard]] wait_until come(time_point now) const {
        wait_until soonest{time_point::max()};
        pieces_.each_waiting([&](const piece& one, time_point ready) {
            if (ready > now || one.ballot == no_ballot) {
                soonest.when = std::min(soonest.when, ready);
                return;
            }
            soonest.for_others = true;
            soonest.when = std::min(soonest.when, left_to_others(one.ballot, ready));
        });
        return soonest;
    }

    /// An attempt has passed whose answers are compared: copies of its rows are asked for.
    void open(const attempt& passed) {
        const claim& what = passed.what;
        const Slot& here = slots_[passed.worker];
        std::vector<std::size_t> rows;
        if (what.piece != whole_shard) rows = pieces_[what.piece].rows;
        const std::size_t more = votes_->open(what.shard, std::move(rows), passed.worker, here.digest, here.reason);
        for (std::size_t copy = 0; copy < more; ++copy)
            push(votes_->last(), what.attempt + 1 + static_cast<unsigned>(copy), passed.ended);
    }
    /// Rows that no fault names are computed again without the others.
    void open_rest(const attempt& ended, const outcome& result, time_point last_start) {
        std::vector<std::size_t> named;
        for (const fault& f : result.faults) named.insert(named.end(), f.rows.begin(), f.rows.end());
        std::sort(named.begin(), named.end());
        piece rest;
        for (const std::size_t row : queue::numbers(pieces_.rows(ended.what)))
            if (!std::binary_search(named.begin(), named.end(), row)) rest.rows.push_back(row);
        if (rest.rows.empty()) return;
        rest.what = {.shard = ended.what.shard, .attempt = ended.what.attempt + 1, .kind = attempt_kind::check};
        rest.last_start = last_start;
        rest.opens = true;
        slots_.expect_one_more();
        pieces_.push(std::move(rest), ended.ended);
    }
    /// After the end of a copy.
    void go_on(std::size_t ballot, time_point now, std::vector<fault>& stay) {
        using next = typename recheck::next;
        const next what = votes_->ended(ballot, now);
        if (what == next::one_more) push(ballot, votes_->copies(ballot), now);
        if (what != next::undecided) return;
        fault f = stop_.reason() ? unfinished(stop_, {}, 1) : votes_->reason(ballot);
        f.rows = queue::numbers(rows(ballot));
        stay.push_back(std::move(f));
    }
    /// At the end of the job: what nothing has decided.
    void give_up(std::vector<fault>& all) {
        if (on_) votes_->close([&](std::size_t of) { all.push_back(unfinished(stop_, queue::numbers(rows(of)), 1)); });
    }

private:
    /// How long a copy waits for another worker than those that have computed its rows, when none of them is at work:
    /// an executor may have fewer threads to give than it has workers.
    static constexpr duration patience = std::chrono::milliseconds(100);

    [[nodiscard]] bool is_busy(std::size_t worker) const {
        return slots_[worker].left.load(std::memory_order_relaxed) == Slot::busy;
    }
    [[nodiscard]] row_set rows(std::size_t ballot) const {
        return pieces_.rows(votes_->shard(ballot), votes_->rows(ballot));
    }
    /// Until when those who have computed its rows leave a copy to others.
    [[nodiscard]] time_point left_to_others(std::size_t ballot, time_point ready) const {
        duration::rep last = ready.time_since_epoch().count();
        for (std::size_t w = 0; w < slots_.size(); ++w)
            if (votes_->may_take(ballot, w)) last = std::max(last, slots_[w].left.load(std::memory_order_relaxed));
        return last == Slot::busy ? time_point::max() : time_point(duration(last)) + patience;
    }
    void push(std::size_t ballot, unsigned number, time_point now) {
        piece copy{votes_->rows(ballot), {}, {.shard = votes_->shard(ballot)}, 1, {}, time_point::max(), ballot};
        copy.what.kind = attempt_kind::check;
        copy.what.attempt = number;
        slots_.expect_one_more();
        pieces_.push(std::move(copy), now);
    }

    const stop& stop_;
    basic_worker_slots<Slot>& slots_;
    queue& pieces_;
    bool on_;
    std::optional<recheck> votes_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
