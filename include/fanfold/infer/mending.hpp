// fanfold/infer/mending.hpp - what becomes of rows that failed: tried again, halved, or given up.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::unique, std::find, std::min
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "bisect.hpp"
#include "options.hpp"
#include "pairs.hpp"
#include "piece_queue.hpp"
#include "retry_tokens.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A fault that stays; `over`: why its rows are not tried again, where that is to be said.
template <class = void>
void stays(std::vector<fault>& all, fault f, const char* over) {
    if (*over != 0) f.message.append(" (not tried again: ").append(over).append(")");
    all.push_back(std::move(f));
}

/// threads  under the job's lock, but for `is_late`
template <class Slot>
class basic_mending {
public:
    using queue = basic_piece_queue<typename piece_by<Slot>::type>;

    basic_mending(const options& how, shards_are divided, const stop& stopping, basic_worker_slots<Slot>& slots,
                  queue& all)
        : how_(how),
          divided_(divided),
          stop_(stopping),
          slots_(slots),
          pieces_(all),
          tokens_(how.retry.budget),
          random_(how.retry.seed) {
        if (how.breaker) breaker_.emplace(*how.breaker);
    }

    [[nodiscard]] std::optional<basic_breaker_state<Slot>>& breaker() noexcept { return breaker_; }
    [[nodiscard]] bool is_late(const attempt& ended, const outcome& result) const {
        return !result.answered() && how_.time_limit && ended.ended - ended.started >= *how_.time_limit &&
               result.faults.front().kind == fault_kind::timed_out;
    }
    /// After this an attempt at rows that were first tried then is too late.
    [[nodiscard]] time_point last_start(time_point began) const {
        const time_point last =
            how_.retry.deadline > time_point::max() - began ? time_point::max() : began + how_.retry.deadline;
        return std::min(last, stop_.deadline().value_or(time_point::max()));
    }

    /// Pushes what is tried again; returns the faults that stay. `began`: when these rows were first tried; `claimed`:
    /// how many shards have been.
    std::vector<fault> mend(const attempt& ended, outcome& result, standing place, time_point began,
                            std::size_t claimed) {
        if (is_late(ended, result) && !stop_.reason()) result.faults = {too_late(ended)};
        std::vector<fault> faults = result.faults;
        std::vector<fault_class> classes;
        for (const fault& f : faults) classes.push_back(how_.retry.classify(f));
        const bool transient = std::find(classes.begin(), classes.end(), fault_class::transient) != classes.end();
        if (breaker_) tell_breaker(ended, faults, transient, place, claimed);
        if (place == standing::lost) return {};
        if (faults.empty() || stop_.reason()) return faults;
        const bool whole = ended.what.piece == whole_shard;
        piece from = whole ? piece{} : pieces_[ended.what.piece];
        if (whole) {
            from.what = ended.what;
            from.last_start = last_start(began);
        }
        const row_set all = pieces_.rows(ended.what);
        const failed_attempt what{from, ended, claimed};
        if (from.ballot != no_ballot) return transient ? again(what, {}, std::move(faults), from.rows) : faults;
        from.opens = false;
        std::size_t named = 0;
        for (const fault& f : faults) named += f.rows.size();
        if (place == standing::last && named < all.rows()) {  // a verifier passed the others, and they are nowhere
            piece next{queue::numbers(all), std::move(faults), ended.what, from.tries, {}, from.last_start};
            next.what.kind = attempt_kind::retry;
            push(std::move(next), ended.ended);
            return {};
        }
        if (transient && divided_ == shards_are::whole) return again(what, {}, std::move(faults), queue::numbers(all));
        std::vector<fault> stay;
        std::vector<fault> again_faults;
        std::vector<std::size_t> again_rows;
        for (std::size_t i = 0; i < faults.size(); ++i) {
            fault& f = faults[i];
            if (classes[i] == fault_class::permanent) {
                halve(what, std::move(f), stay, "");
                continue;
            }
            again_rows.insert(again_rows.end(), f.rows.begin(), f.rows.end());
            again_faults.push_back(std::move(f));
        }
        if (again_faults.empty()) return stay;
        std::sort(again_rows.begin(), again_rows.end());
        again_rows.erase(std::unique(again_rows.begin(), again_rows.end()), again_rows.end());
        return again(what, std::move(stay), std::move(again_faults), std::move(again_rows));
    }

private:
    struct failed_attempt {
        const piece& from;
        const attempt& ended;
        std::size_t claimed;
    };

    void push(piece one, time_point ready) {
        slots_.expect_one_more();
        pieces_.push(std::move(one), ready);
    }

    void tell_breaker(const attempt& ended, const std::vector<fault>& faults, bool transient, standing place,
                      std::size_t claimed) {
        const std::size_t attempts = claimed + pieces_.size();
        if (place == standing::lost && !faults.empty())
            breaker_->give_back();  // it was stopped, which says nothing
        else if (transient)
            breaker_->failed(ended.started, ended.ended, attempts);
        else
            breaker_->passed(ended.started, ended.ended, attempts);
    }

    /// Tries rows again that failed for transient reasons; where that is over, halves or gives up what failed.
    std::vector<fault> again(const failed_attempt& what, std::vector<fault> stay, std::vector<fault> faults,
                             std::vector<std::size_t> rows) {
        const piece& from = what.from;
        const time_point now = what.ended.ended;
        const bool searching = from.what.kind == attempt_kind::part && rows.size() > 1;
        const char* over = "";
        if (!searching && from.tries < how_.retry.max_attempts) {
            const duration delay = backoff(how_.retry, from.tries, from.delay, random_);
            tokens_.earn(now, what.claimed);
            if (delay > from.last_start - now) {
                over = "the deadline comes before its next attempt";
            } else if (!tokens_.spend(now)) {
                over = "the budget of retries is spent";
            } else {
                piece next{std::move(rows), std::move(faults), from.what, from.tries + 1, delay, from.last_start};
                next.what.kind = from.what.kind == attempt_kind::part ? attempt_kind::part : attempt_kind::retry;
                next.ballot = from.ballot;
                if (next.ballot != no_ballot) next.what.kind = attempt_kind::check;
                next.what.attempt = what.ended.what.attempt + 1;
                next.what.avoid = what.ended.worker;
                push(std::move(next), now + delay);
                return stay;
            }
        }
        for (fault& f : faults) halve(what, std::move(f), stay, over);
        return stay;
    }

    /// Gives up what one fault names or, where it may be some of the rows alone, tries its halves at once.
    void halve(const failed_attempt& what, fault f, std::vector<fault>& stay, const char* over) {
        const piece& from = what.from;
        const bool search = how_.give_up == give_up::rows && divided_ == shards_are::divisible &&
                            from.ballot == no_ballot && f.kind != fault_kind::damaged;
        if (!search || f.rows.size() < 2 || *over != 0) return stays(stay, std::move(f), over);
        for (const row_range half : halves({0, f.rows.size()})) {
            const auto first = f.rows.begin() + static_cast<std::ptrdiff_t>(half.first);
            piece next{{first, first + static_cast<std::ptrdiff_t>(half.rows)}, {f}, from.what, 1, {}, from.last_start};
            next.faults.front().rows = next.rows;
            next.what.kind = attempt_kind::part;
            next.what.attempt = what.ended.what.attempt + 1;
            next.what.avoid = no_worker;
            push(std::move(next), what.ended.ended);
        }
    }

    [[nodiscard]] fault too_late(const attempt& ended) const {
        const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(*how_.time_limit).count();
        return {fault_kind::timed_out, "the attempt took longer than its limit of " + std::to_string(limit) + " us",
                queue::numbers(pieces_.rows(ended.what)), ended.what.attempt};
    }

    const options& how_;
    shards_are divided_;
    const stop& stop_;
    basic_worker_slots<Slot>& slots_;
    queue& pieces_;
    std::optional<basic_breaker_state<Slot>> breaker_;
    retry_tokens tokens_;
    random_bits random_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
