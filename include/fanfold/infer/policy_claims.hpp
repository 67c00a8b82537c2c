// fanfold/infer/policy_claims.hpp - the claims of infer: every shard once and, where options ask for it, retries,
// halves of what fails, second attempts beside slow ones, and copies to compare. All are decided under one lock; one
// number, the time of the next decision, keeps a clean shard out of it.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <atomic>      // std::atomic
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <mutex>       // std::mutex
#include <optional>    // std::optional
#include <stop_token>  // std::stop_source
#include <utility>     // std::move
#include <vector>      // std::vector

#include "../schedule/counter_claims.hpp"
#include "copies.hpp"
#include "mending.hpp"
#include "options.hpp"
#include "pairs.hpp"
#include "piece_queue.hpp"
#include "recheck.hpp"
#include "rows.hpp"
#include "worker_slots.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Decides by each attempt's end what is claimed next. All time comes with the calls, so that tests invent it.
///
/// cost     without policies the counter and one branch a call; with some, a load and a store on the worker's own cache
///          line besides, and a compare-exchange on the shard's byte where shards are hedged; a lock for what fails
/// threads  all members may be called at once; `worker` is below the number given
template <class Slot>
class basic_policy_claims {
    using queue = basic_piece_queue<typename piece_by<Slot>::type>;

public:
    basic_policy_claims(const plan& shards, const options& how, shards_are divided, claim_order order,
                        std::size_t useful, std::size_t workers, fanfold::stop stopping,
                        const recheck_rules& rules = {})
        : plan_(shards),
          how_(how),
          stop_(stopping),
          counter_(shards.shards(), order, useful, std::move(stopping)),
          slots_(shards.shards()),
          pieces_(shards),
          pairs_(how.hedge, workers, shards.shards(), slots_),
          copies_(rules, useful, workers, stop_, slots_, pieces_),
          mending_(how, divided, stop_, slots_, pieces_),
          active_(how.retry.max_attempts > 1 || how.give_up == give_up::rows || pairs_.on() || how.breaker ||
                  how.time_limit || copies_.on()) {
        if (active_) slots_.open(workers);
        if (pairs_.on() || how.breaker) attention_ = 0;
    }

    /// Attempts at some of a shard's rows may come.
    [[nodiscard]] pieces of_shards() const noexcept { return active_ ? pieces::any : pieces::none; }
    /// Attempts at the same rows may run at the same time.
    [[nodiscard]] writing where() const noexcept { return pairs_.on() ? writing::apart : writing::in_place; }

    [[nodiscard]] next_claim next(std::size_t worker, time_point now) {
        if (!active_) return counter_.next(worker, now);
        const bool rests = (pairs_.on() && now < slots_[worker].rests_until) || copies_.is_quarantined(worker);
        if (!rests && now.time_since_epoch().count() < attention_.load(std::memory_order_relaxed)) {
            const next_claim fresh = counter_.next(worker, now);
            if (const auto* what = std::get_if<claim>(&fresh)) return given(*what, worker, now);
        }
        return attend(worker, now);
    }

    /// The rows of a claim that `next` gave; valid to the end of the job.
    [[nodiscard]] row_set rows(const claim& what) {
        return what.piece == whole_shard ? row_set(plan_, what.shard) : rows_of_piece(what);
    }

    /// `commits` has a say: not every attempt that passes counts.
    [[nodiscard]] bool decides() const noexcept { return pairs_.on() || copies_.on(); }
    /// Whether an attempt's answers are compared with others'; then `commits` wants their digest.
    [[nodiscard]] bool compares(const claim& what, recheck_reason reason = recheck_reason::sampled) const noexcept {
        return copies_.compares(what, reason);
    }

    /// Puts what ends this attempt early into its workspace.
    void limit(const claim& what, workspace& space) const {
        if (!pairs_.on() && !how_.time_limit) return;
        const Slot& here = slots_[what.worker];
        const time_point started{duration(here.started.load(std::memory_order_relaxed))};
        space.stop.limit_attempt(pairs_.on() ? here.stopper.get_token() : std::stop_token(),
                                 how_.time_limit ? started + *how_.time_limit : time_point::max());
    }

    /// Whether the attempt's answers are the ones that count.
    [[nodiscard]] bool commits(const claim& what, const outcome& checked, std::uint64_t digest = 0,
                               recheck_reason reason = recheck_reason::sampled) {
        if (pairs_.on() && what.piece == whole_shard && !pairs_.commits_alone(what.shard)) {
            const std::lock_guard lock(mutex_);
            if (!pairs_.commits_of_two(what, checked)) return false;
        }
        if (!compares(what, reason)) return true;
        Slot& here = slots_[what.worker];
        here.digest = digest;
        here.reason = reason;
        if (what.piece == whole_shard || !checked.answered()) return false;
        const std::lock_guard lock(mutex_);
        const std::size_t ballot = pieces_.ballot_of(what);
        return here.decided = ballot != no_ballot && copies_.votes().cast(ballot, what.worker, digest);
    }

    /// What an attempt's end means for the job.
    struct verdict {
        std::vector<fault> stay;
        bool counts = true;  ///< rows that its faults do not name are at their places
    };
    [[nodiscard]] verdict done(const attempt& ended, outcome& result) {
        if (!active_) return result.answered() ? verdict() : verdict{result.faults};
        const bool noticed = ended.what.piece != whole_shard || tripped_.load(std::memory_order_relaxed) ||
                             mending_.is_late(ended, result) || compares(ended.what, slots_[ended.worker].reason);
        if (result.answered() && !noticed && !pairs_.is_paired(ended.what.shard)) {
            if (pairs_.on()) {
                Slot& here = slots_[ended.worker];
                here.running.store(whole_shard, std::memory_order_relaxed);
                here.times.add(ended.ended - ended.started);
            }
            slots_.settle(ended.worker, ended.ended);
            return {};
        }
        std::stop_source loser(std::nostopstate);
        verdict all;
        {
            const std::lock_guard lock(mutex_);
            all = judge(ended, result, loser);
            look_again();
        }
        slots_.settle(ended.worker, ended.ended);
        loser.request_stop();
        return all;
    }

    /// What waited for another attempt when the job ended, and what waited too long.
    [[nodiscard]] std::vector<fault> given_up() {
        pieces_.each_waiting([&](const piece& left, time_point) {
            if (left.ballot != no_ballot) return;
            if (left.opens)
                expired_.push_back(unfinished(stop_, queue::numbers(pieces_.rows(left.what)), left.what.attempt));
            else
                expired_.insert(expired_.end(), left.faults.begin(), left.faults.end());
        });
        pieces_.forget_waiting();
        copies_.give_up(expired_);
        return std::move(expired_);
    }
    /// What copies told, when the job has ended.
    void tell(timeline& events) {
        if (!copies_.on()) return;
        const check_counts sums = events.checks;
        events.checks = copies_.votes().counts();
        events.checks.products = sums.products;
        events.checks.suspicious = sums.suspicious;
        events.lies = copies_.votes().take_lies();
    }

private:
    [[nodiscard, gnu::noinline]] row_set rows_of_piece(const claim& what) {
        const std::lock_guard lock(mutex_);
        const row_set set = pieces_.rows(what);
        return pieces_.ballot_of(what) == no_ballot ? set : set.apart();
    }
    claim given(claim what, std::size_t worker, time_point now) {
        what.worker = worker;
        Slot& here = slots_[worker];
        if (copies_.on()) {
            here.left.store(Slot::busy, std::memory_order_relaxed);
            here.decided = false;
            here.reason = recheck_reason::sampled;
        }
        if (!pairs_.on() && !how_.time_limit) return what;
        here.started.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        here.running.store(what.kind == attempt_kind::first ? what.shard : whole_shard, std::memory_order_relaxed);
        return what;
    }

    /// `next` where more than the counter has a say.
    next_claim attend(std::size_t worker, time_point now) {
        const std::lock_guard lock(mutex_);
        if (stop_.due()) return finished{};
        if (const auto until = copies_.kept_off(worker, now)) return wait_until{*until, true};
        auto& breaker = mending_.breaker();
        if (breaker && !breaker->allows(now)) {
            if (slots_.all_settled()) return finished{};
            return wait_until{breaker->reopens()};
        }
        const next_claim found = choose(worker, now);
        if (breaker && !std::holds_alternative<claim>(found)) breaker->give_back();
        look_again();
        if (const auto* what = std::get_if<claim>(&found)) return given(*what, worker, now);
        return found;
    }
    next_claim choose(std::size_t worker, time_point now) {
        if (pairs_.on() && now < slots_[worker].rests_until && !slots_.all_settled())
            return wait_until{slots_[worker].rests_until};
        if (const auto again = take_ready(worker, now, take::others)) return *again;
        if (now >= pairs_.look_at())
            if (const auto second = pairs_.pair_up(worker, now, counter_.claimed())) return *second;
        const next_claim fresh = counter_.next(worker, now);
        if (std::holds_alternative<claim>(fresh) || slots_.all_settled()) return fresh;
        if (const auto again = take_ready(worker, now, take::any)) return *again;
        wait_until soonest{pieces_.soonest()};
        if (copies_.on()) soonest = copies_.come(now);
        if (pairs_.on() && pairs_.may_pair(counter_.claimed())) soonest.when = std::min(soonest.when, pairs_.look_at());
        return soonest;
    }
    /// The time from which `next` must come here.
    void look_again() {
        const time_point soonest = std::min(pieces_.soonest(), pairs_.look_at());
        const bool tripped = mending_.breaker() && !mending_.breaker()->closed();
        tripped_.store(tripped, std::memory_order_relaxed);
        attention_.store(tripped ? 0 : soonest.time_since_epoch().count(), std::memory_order_relaxed);
    }

    enum class take {
        others,  ///< not what had better go to another worker
        any,
    };
    /// The piece that has been ready for longest.
    std::optional<claim> take_ready(std::size_t worker, time_point now, take which) {
        using fate = typename queue::fate;
        const std::size_t most = which == take::any ? static_cast<std::size_t>(-1) : 64;
        const piece* found = pieces_.take(now, most, [&](piece& one, time_point ready) {
            if (now > one.last_start && !one.opens) {
                for (fault& f : one.faults) stays(expired_, std::move(f), "the deadline of its retries has passed");
                slots_.expect_one_less();
                return fate::drop;
            }
            const bool fits = one.ballot == no_ballot ? which == take::any || one.what.avoid != worker
                                                      : copies_.suits(one, ready, worker, now, which == take::any);
            return fits ? fate::take : fate::wait;
        });
        if (found == nullptr) return std::nullopt;
        if (found->ballot != no_ballot) copies_.votes().take(found->ballot, worker);
        return found->what;
    }

    verdict judge(const attempt& ended, outcome& result, std::stop_source& loser) {
        const time_point began = pairs_.began(ended);
        const standing place = pairs_.stands(ended, loser);
        const bool counts = place == standing::lone || place == standing::won;
        Slot& here = slots_[ended.worker];
        const bool compared = counts && compares(ended.what, here.reason);
        if (compared && pairs_.on() && ended.what.kind == attempt_kind::first && result.answered())
            here.times.add(ended.ended - ended.started);
        if (pairs_.on()) here.running.store(whole_shard, std::memory_order_relaxed);
        verdict all{mending_.mend(ended, result, place, began, counter_.claimed()), compared ? here.decided : counts};
        if (compared) review(ended, result, began, all.stay);
        return all;
    }
    /// An attempt whose answers are compared: the first that passes asks for copies, and enough equal ones count.
    void review(const attempt& ended, const outcome& result, time_point began, std::vector<fault>& stay) {
        const std::size_t ballot = pieces_.ballot_of(ended.what);
        if (ballot != no_ballot) {
            if (!result.answered() && stay.empty()) return;  // it is tried again
            if (!result.answered()) copies_.votes().failed(ballot, std::exchange(stay, {}));
            copies_.go_on(ballot, ended.ended, stay);
        } else if (result.answered()) {
            copies_.open(ended);
        } else {
            copies_.open_rest(
                ended, result,
                ended.what.piece == whole_shard ? mending_.last_start(began) : pieces_[ended.what.piece].last_start);
        }
    }

    const plan& plan_;
    const options& how_;
    fanfold::stop stop_;
    basic_counter_claims<Slot> counter_;
    basic_worker_slots<Slot> slots_;
    std::atomic<duration::rep> attention_{
        time_point::max().time_since_epoch().count()};  ///< before it the counter is all
    std::atomic<bool> tripped_{false};                  ///< the breaker is not closed

    std::mutex mutex_;
    queue pieces_;
    basic_pairs<Slot> pairs_;
    basic_copies<Slot> copies_;
    basic_mending<Slot> mending_;
    bool active_;
    std::vector<fault> expired_;
};
using policy_claims = basic_policy_claims<worker_slot>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
