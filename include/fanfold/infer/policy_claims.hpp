// fanfold/infer/policy_claims.hpp - the claims of infer: every shard once and, where options ask for it, retries, halves of
// what fails, second attempts beside slow ones, and copies to compare. More than 400 lines: all of them are decided under
// one lock, and one number, the time of the next decision, keeps a clean shard out of it.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>   // std::push_heap, std::min
#include <atomic>      // std::atomic
#include <cstddef>     // std::size_t
#include <memory>      // std::unique_ptr
#include <mutex>       // std::mutex
#include <optional>    // std::optional
#include <stop_token>  // std::stop_source
#include <string>      // std::string
#include <utility>     // std::move
#include <vector>      // std::vector

#include "../schedule/counter_claims.hpp"
#include "bisect.hpp"
#include "options.hpp"
#include "recheck.hpp"
#include "retry_tokens.hpp"
#include "rows.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Decides by each attempt's end what is claimed next. All time comes with the calls, so that tests invent it.
///
/// cost     without policies the counter and one branch a call; with some, a load and a store on the worker's own cache
///          line besides, and a compare-exchange on the shard's byte where shards are hedged; a lock for what fails
/// threads  all members may be called at once; `worker` is below the number given
template <class Later>
class basic_policy_claims {
    using recheck = basic_recheck<Later>;

public:
    using why = typename recheck::why;

    basic_policy_claims(const plan& shards, const options& how, shards_are divided, claim_order order,
                        std::size_t useful, std::size_t workers, fanfold::stop stopping,
                        const recheck_rules& rules = {})
        : plan_(shards),
          how_(how),
          divided_(divided),
          stop_(stopping),
          counter_(shards.shards(), order, useful, std::move(stopping)),
          hedging_(how.hedge && workers > 1),
          checking_(rules.replicas != 0),
          active_(how.retry.max_attempts > 1 || how.give_up == give_up::rows || hedging_ || how.breaker ||
                  how.time_limit || checking_),
          tokens_(how.retry.budget),
          random_(how.retry.seed),
          expected_(shards.shards()) {
        if (how.breaker) breaker_.emplace(*how.breaker);
        if (hedging_) states_ = std::make_unique<std::atomic<state>[]>(shards.shards());
        if (active_) slots_ = std::make_unique<slot[]>(count_ = std::max<std::size_t>(workers, 1));
        if (hedging_ || how.breaker) attention_ = 0;
        if (checking_) recheck_.emplace(rules, useful, workers);
    }

    /// Attempts at some of a shard's rows may come.
    [[nodiscard]] pieces of_shards() const noexcept { return active_ ? pieces::any : pieces::none; }
    /// Attempts at the same rows may run at the same time.
    [[nodiscard]] writing where() const noexcept { return hedging_ ? writing::apart : writing::in_place; }

    [[nodiscard]] next_claim next(std::size_t worker, time_point now) {
        if (!active_) return counter_.next(worker, now);
        const bool rests = (hedging_ && now < slots_[worker].rests_until) || is_quarantined(worker);
        if (!rests && now.time_since_epoch().count() < attention_.load(std::memory_order_relaxed)) {
            const next_claim fresh = counter_.next(worker, now);
            if (const auto* what = std::get_if<claim>(&fresh)) return given(*what, worker, now);
        }
        return attend(worker, now);
    }

    /// The rows of a claim that `next` gave; valid to the end of the job.
    [[nodiscard]] row_set rows(const claim& what) {
        if (what.piece == whole_shard) return {plan_, what.shard};
        const std::lock_guard lock(mutex_);
        const row_set set = set_of(what);
        return pieces_[what.piece]->ballot == no_ballot ? set : set.apart();
    }

    /// `commits` has a say: not every attempt that passes counts.
    [[nodiscard]] bool decides() const noexcept { return hedging_ || checking_; }
    /// Whether an attempt's answers are compared with others'; then `commits` wants their digest.
    [[nodiscard]] bool compares(const claim& what, why reason = why::sampled) const noexcept {
        return checking_ && (what.kind == attempt_kind::check || reason == why::suspicious ||
                             recheck_->samples(what.shard));
    }

    /// Puts what ends this attempt early into its workspace.
    void limit(const claim& what, workspace& space) const {
        if (!hedging_ && !how_.time_limit) return;
        const slot& here = slots_[what.worker];
        const time_point started{duration(here.started.load(std::memory_order_relaxed))};
        space.stop.limit_attempt(hedging_ ? here.stopper.get_token() : std::stop_token(),
                                 how_.time_limit ? started + *how_.time_limit : time_point::max());
    }

    /// Whether the attempt's answers are the ones that count.
    [[nodiscard]] bool commits(const claim& what, const outcome& checked, std::uint64_t digest = 0,
                               why reason = why::sampled) {
        if (!commits_alone(what, checked)) return false;
        if (!compares(what, reason)) return true;
        slot& here = slots_[what.worker];
        here.digest = digest;
        here.reason = reason;
        if (what.piece == whole_shard || !checked.answered()) return false;
        const std::lock_guard lock(mutex_);
        const std::size_t ballot = pieces_[what.piece]->ballot;
        return here.decided = ballot != no_ballot && recheck_->cast(ballot, what.worker, digest);
    }

    /// What an attempt's end means for the job.
    struct verdict {
        std::vector<fault> stay;
        bool counts = true;  ///< rows that its faults do not name are at their places
    };
    [[nodiscard]] verdict done(const attempt& ended, outcome& result) {
        if (!active_) return {result.faults};
        const bool late = !result.answered() && how_.time_limit && ended.ended - ended.started >= *how_.time_limit &&
                          result.faults.front().kind == fault_kind::timed_out;
        const bool noticed = ended.what.piece != whole_shard || tripped_.load(std::memory_order_relaxed) || late ||
                             (checking_ && compares(ended.what, slots_[ended.worker].reason));
        if (result.answered() && !noticed && !(hedging_ && is_paired(ended.what.shard))) {
            slot& here = slots_[ended.worker];
            if (hedging_) {
                here.running.store(whole_shard, std::memory_order_relaxed);
                here.times.add(ended.ended - ended.started);
            }
            settle(here, ended.ended);
            return {};
        }
        std::stop_source loser(std::nostopstate);
        verdict all;
        {
            const std::lock_guard lock(mutex_);
            all = judge(ended, result, late, loser);
            look_again();
        }
        settle(slots_[ended.worker], ended.ended);
        loser.request_stop();
        return all;
    }

    /// What waited for another attempt when the job ended, and what waited too long.
    [[nodiscard]] std::vector<fault> given_up() {
        for (const waiting& one : heap_) {
            piece& left = *pieces_[one.piece];
            if (left.ballot != no_ballot) continue;
            if (left.opens) left.faults = {unfinished(set_of(left.what), left.what.attempt)};
            for (fault& f : left.faults) expired_.push_back(std::move(f));
        }
        heap_.clear();
        if (checking_) recheck_->close([&](std::size_t of) { expired_.push_back(unfinished(set_of_ballot(of), 1)); });
        return std::move(expired_);
    }
    /// What copies told, when the job has ended.
    void tell(timeline& events) {
        if (!checking_) return;
        const check_counts sums = events.checks;
        events.checks = recheck_->counts();
        events.checks.products = sums.products;
        events.checks.suspicious = sums.suspicious;
        events.lies = recheck_->take_lies();
    }

private:
    enum class state : unsigned char { alone, paired, settled };
    enum class standing { lone, won, lost, last };  ///< last: neither attempt of the pair has committed

    /// Rows that are tried again, together.
    struct piece {
        std::vector<std::size_t> rows;  ///< empty: all of the shard's
        std::vector<fault> faults;      ///< why
        claim what;
        unsigned tries = 1;              ///< as retry::max_attempts counts
        duration delay{};                ///< before this attempt
        time_point last_start;           ///< later is too late
        std::size_t ballot = no_ballot;  ///< of which it is a copy
        bool opens = false;              ///< nothing is said against these rows, and nobody has looked at them alone
    };
    struct waiting {
        time_point ready;
        std::size_t piece = 0;
        [[nodiscard]] friend bool operator<(const waiting& a, const waiting& b) {  // the soonest is on top of a heap
            return a.ready != b.ready ? a.ready > b.ready : a.piece > b.piece;
        }
    };
    /// Two attempts at one shard.
    struct pair {
        std::size_t shard = 0;
        std::size_t workers[2] = {no_worker, no_worker};
        time_point began{};  ///< the first of them
        unsigned running = 2;
        std::size_t winner = no_worker;
    };
    /// Written by its worker, read by all.
    struct alignas(buffer_alignment) slot {
        std::atomic<std::size_t> settled{0};            ///< attempts that have ended
        std::atomic<std::size_t> running{whole_shard};  ///< shard of a first attempt, or none
        std::atomic<duration::rep> started{0};
        recent_times times;
        std::stop_source stopper;            ///< written under the lock
        time_point rests_until{};            ///< of its worker alone
        std::atomic<duration::rep> left{0};  ///< when its last attempt ended; none yet: 0, one runs: the largest
        std::uint64_t digest = 0;            ///< of its worker alone, as the next: what the attempt that ends has given
        bool decided = false;                ///< and that it counts
        why reason = why::sampled;
        std::size_t last_sum = static_cast<std::size_t>(-1);  ///< in quarantine, under the lock, as the next
        time_point last_change{};
    };

    static void settle(slot& here, time_point now) {
        here.left.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        here.settled.store(here.settled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    [[nodiscard]] bool is_paired(std::size_t shard) const {
        return states_[shard].load(std::memory_order_acquire) == state::paired;
    }
    [[nodiscard]] pair* pair_of(std::size_t shard) {
        for (pair& both : pairs_)
            if (both.shard == shard) return &both;
        return nullptr;
    }

    claim given(claim what, std::size_t worker, time_point now) {
        what.worker = worker;
        slot& here = slots_[worker];
        if (checking_) {
            here.left.store(busy, std::memory_order_relaxed);
            here.decided = false;
            here.reason = why::sampled;
        }
        if (!hedging_ && !how_.time_limit) return what;
        here.started.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        here.running.store(what.kind == attempt_kind::first ? what.shard : whole_shard, std::memory_order_relaxed);
        return what;
    }

    /// `next` where more than the counter has a say.
    next_claim attend(std::size_t worker, time_point now) {
        const std::lock_guard lock(mutex_);
        if (stop_.reason()) return finished{};
        if (is_quarantined(worker) && others_work(worker, now))
            return wait_until{slots_[worker].last_change + patience, true};
        if (breaker_ && !breaker_->allows(now)) {
            if (all_settled()) return finished{};
            return wait_until{breaker_->reopens()};
        }
        const next_claim found = choose(worker, now);
        if (breaker_ && !std::holds_alternative<claim>(found)) breaker_->give_back();
        look_again();
        if (const auto* what = std::get_if<claim>(&found)) return given(*what, worker, now);
        return found;
    }
    next_claim choose(std::size_t worker, time_point now) {
        if (hedging_ && now < slots_[worker].rests_until && !all_settled())
            return wait_until{slots_[worker].rests_until};
        if (const auto again = take_ready(worker, now, take::others)) return *again;
        if (hedging_ && now >= look_at_)
            if (const auto second = pair_up(worker, now)) return *second;
        const next_claim fresh = counter_.next(worker, now);
        if (std::holds_alternative<claim>(fresh) || all_settled()) return fresh;
        if (const auto again = take_ready(worker, now, take::any)) return *again;
        wait_until soonest{heap_.empty() ? time_point::max() : heap_.front().ready};
        if (checking_) soonest = copies_come(now);
        if (hedging_ && may_pair()) soonest.when = std::min(soonest.when, look_at_);
        return soonest;
    }
    /// The time from which `next` must come here.
    void look_again() {
        time_point soonest = heap_.empty() ? time_point::max() : heap_.front().ready;
        if (hedging_) soonest = std::min(soonest, look_at_);
        const bool tripped = breaker_ && !breaker_->closed();
        tripped_.store(tripped, std::memory_order_relaxed);
        attention_.store(tripped ? 0 : soonest.time_since_epoch().count(), std::memory_order_relaxed);
    }
    [[nodiscard]] bool all_settled() const {
        std::size_t sum = 0;
        for (std::size_t s = 0; s < count_; ++s) sum += slots_[s].settled.load(std::memory_order_acquire);
        return sum == expected_;
    }

    enum class take {
        others,  ///< not what had better go to another worker
        any,
    };
    /// The piece that has been ready for longest.
    std::optional<claim> take_ready(std::size_t worker, time_point now, take which) {
        std::vector<waiting> avoided;
        std::optional<claim> found;
        while (!found && !heap_.empty() && heap_.front().ready <= now && (which == take::any || avoided.size() < 64)) {
            const waiting top = heap_.front();
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
            piece& one = *pieces_[top.piece];
            if (now > one.last_start && !one.opens) {
                for (fault& f : one.faults) stays(expired_, std::move(f), "the deadline of its retries has passed");
                --expected_;
            } else if (!suits(one, top.ready, worker, now, which)) {
                avoided.push_back(top);
            } else {
                found = one.what;
                if (one.ballot != no_ballot) recheck_->take(one.ballot, worker);
            }
        }
        for (const waiting& one : avoided) wait(one);
        return found;
    }
    void wait(waiting one) {
        heap_.push_back(one);
        std::push_heap(heap_.begin(), heap_.end());
    }
    void push(piece one, time_point ready) {
        one.what.piece = pieces_.size();
        pieces_.push_back(std::make_unique<piece>(std::move(one)));
        ++expected_;
        wait({ready, pieces_.size() - 1});
    }

    // copies

    /// How long a copy waits for another worker than those that have computed its rows, when none of them is at work: an
    /// executor may have fewer threads to give than it has workers.
    static constexpr duration patience = std::chrono::milliseconds(100);
    static constexpr duration::rep busy = duration::max().count();

    [[nodiscard]] bool is_quarantined(std::size_t worker) const noexcept {
        return checking_ && recheck_->quarantined(worker);
    }
    /// Whether some worker that is not in quarantine is at work, or was not long ago.
    bool others_work(std::size_t worker, time_point now) {
        std::size_t sum = 0;
        bool working = false;
        for (std::size_t s = 0; s < count_; ++s) {
            sum += slots_[s].settled.load(std::memory_order_acquire);
            working |=
                s != worker && !recheck_->quarantined(s) && slots_[s].left.load(std::memory_order_relaxed) == busy;
        }
        slot& here = slots_[worker];
        if (std::exchange(here.last_sum, sum) != sum || working) here.last_change = now;
        return sum != expected_ && now < here.last_change + patience;
    }
    /// Until when those who have computed its rows leave a copy to others.
    [[nodiscard]] time_point left_to_others(std::size_t ballot, time_point ready) const {
        duration::rep last = ready.time_since_epoch().count();
        for (std::size_t w = 0; w < count_; ++w)
            if (recheck_->may_take(ballot, w)) last = std::max(last, slots_[w].left.load(std::memory_order_relaxed));
        return last == busy ? time_point::max() : time_point(duration(last)) + patience;
    }
    [[nodiscard]] bool suits(const piece& one, time_point ready, std::size_t worker, time_point now, take which) const {
        if (one.ballot == no_ballot) return which == take::any || one.what.avoid != worker;
        if (recheck_->may_take(one.ballot, worker)) return true;
        return which == take::any && now >= left_to_others(one.ballot, ready);
    }
    /// When a worker that found nothing is to ask again.
    [[nodiscard]] wait_until copies_come(time_point now) const {
        wait_until soonest{time_point::max()};
        for (const waiting& one : heap_) {
            const std::size_t ballot = pieces_[one.piece]->ballot;
            if (one.ready > now || ballot == no_ballot) {
                soonest.when = std::min(soonest.when, one.ready);
                continue;
            }
            soonest.for_others = true;
            soonest.when = std::min(soonest.when, left_to_others(ballot, one.ready));
        }
        return soonest;
    }
    void push_copy(std::size_t ballot, unsigned number, time_point now) {
        piece copy{recheck_->rows(ballot), {}, {.shard = recheck_->shard(ballot)}, 1, {}, time_point::max(), ballot};
        copy.what.kind = attempt_kind::check;
        copy.what.attempt = number;
        push(std::move(copy), now);
    }
    /// After the end of a copy.
    void go_on(std::size_t ballot, time_point now, std::vector<fault>& stay) {
        using next = typename recheck::next;
        const next what = recheck_->ended(ballot, now);
        if (what == next::one_more) push_copy(ballot, recheck_->copies(ballot), now);
        if (what != next::undecided) return;
        fault f = stop_.reason() ? unfinished(set_of_ballot(ballot), 1) : recheck_->reason(ballot);
        f.rows = rows_of(set_of_ballot(ballot));
        stay.push_back(std::move(f));
    }
    /// An attempt whose answers are compared: the first that passes asks for copies, and enough equal ones count.
    verdict review(const attempt& ended, outcome& result, bool late, standing place, time_point began) {
        const claim& what = ended.what;
        slot& here = slots_[ended.worker];
        if (hedging_ && what.kind == attempt_kind::first && result.answered())
            here.times.add(ended.ended - ended.started);
        verdict all{mend(ended, result, late, place, began), here.decided};
        const std::size_t ballot = what.piece == whole_shard ? no_ballot : pieces_[what.piece]->ballot;
        if (ballot != no_ballot) {
            if (!result.answered() && all.stay.empty()) return all;  // it is tried again
            if (!result.answered()) recheck_->failed(ballot, std::exchange(all.stay, {}));
            go_on(ballot, ended.ended, all.stay);
        } else if (result.answered()) {
            std::vector<std::size_t> rows;
            if (what.piece != whole_shard) rows = pieces_[what.piece]->rows;
            const std::size_t more =
                recheck_->open(what.shard, std::move(rows), ended.worker, here.digest, here.reason);
            for (std::size_t copy = 0; copy < more; ++copy)
                push_copy(recheck_->last(), what.attempt + 1 + static_cast<unsigned>(copy), ended.ended);
        } else {
            open_rest(ended, result, what.piece == whole_shard ? last_start(began) : pieces_[what.piece]->last_start);
        }
        return all;
    }
    /// Rows that no fault names are computed again without the others.
    void open_rest(const attempt& ended, const outcome& result, time_point last) {
        std::vector<std::size_t> named;
        for (const fault& f : result.faults) named.insert(named.end(), f.rows.begin(), f.rows.end());
        std::sort(named.begin(), named.end());
        piece rest;
        for (const std::size_t row : rows_of(set_of(ended.what)))
            if (!std::binary_search(named.begin(), named.end(), row)) rest.rows.push_back(row);
        if (rest.rows.empty()) return;
        rest.what = {.shard = ended.what.shard, .attempt = ended.what.attempt + 1, .kind = attempt_kind::check};
        rest.last_start = last;
        rest.opens = true;
        push(std::move(rest), ended.ended);
    }
    [[nodiscard]] row_set set_of_ballot(std::size_t ballot) const {
        const std::vector<std::size_t>& rows = recheck_->rows(ballot);
        return rows.empty() ? row_set(plan_, recheck_->shard(ballot)) : row_set(rows);
    }
    [[nodiscard]] fault unfinished(const row_set& set, unsigned attempts) const {
        const stopped_error ended_by(stop_.reason().value_or(stop_reason::requested));
        return {ended_by.reason() == stop_reason::deadline ? fault_kind::timed_out : fault_kind::stopped,
                std::string(ended_by.what()) + " before copies of these rows were compared", rows_of(set), attempts};
    }

    // second attempts

    /// Whether its answers count, where copies are left aside.
    [[nodiscard]] bool commits_alone(const claim& what, const outcome& checked) {
        if (!hedging_ || what.piece != whole_shard) return true;
        state alone = state::alone;
        if (states_[what.shard].compare_exchange_strong(alone, state::settled, std::memory_order_acq_rel)) return true;
        const std::lock_guard lock(mutex_);
        pair* both = pair_of(what.shard);
        if (both == nullptr || both->winner != no_worker) return false;
        if (!checked.answered() && both->running > 1) return false;  // the other may do better
        both->winner = what.worker;
        return true;
    }

    [[nodiscard]] bool may_pair() const {
        return static_cast<double>(paired_ + 1) <= how_.hedge->share * static_cast<double>(counter_.claimed());
    }
    /// False while too few shards have ended. Times are compared anew when an eighth more has.
    bool know_usual() {
        std::size_t all = 0;
        std::size_t most = 1;
        for (std::size_t s = 0; s < count_; ++s) all += slots_[s].times.count();
        if (all < compare_at_) return usual_ != duration();
        if (all < how_.hedge->min_peers) return false;
        for (std::size_t s = 0; s < count_; ++s) most = std::max(most, slots_[s].times.count());
        std::vector<duration::rep> times;
        for (std::size_t s = 0; s < count_; ++s) slots_[s].times.append_to(times, most);
        const auto median = static_cast<double>(quantile_of(times, 0.5).count());
        const duration least(static_cast<duration::rep>(how_.hedge->times_median * median));
        usual_ = std::max({quantile_of(times, how_.hedge->quantile), least, duration(1)});
        compare_at_ = all + std::clamp<std::size_t>(all / 8, 1, 256);
        return true;
    }
    /// A second attempt at the shard that is most overdue, where there is one; says when to look again.
    std::optional<claim> pair_up(std::size_t worker, time_point now) {
        if (first_look_ == time_point()) first_look_ = now;
        if (!know_usual()) {
            look_at_ = now + (now - first_look_) / 4 + duration(1);
            return std::nullopt;
        }
        const duration usual = usual_;
        look_at_ = now + usual;
        std::size_t owner = no_worker;
        time_point longest_since = now - usual;
        for (std::size_t w = 0; w < count_; ++w) {
            const std::size_t shard = slots_[w].running.load(std::memory_order_relaxed);
            if (w == worker || shard == whole_shard || states_[shard].load(std::memory_order_relaxed) != state::alone)
                continue;
            const time_point since{duration(slots_[w].started.load(std::memory_order_relaxed))};
            if (since <= longest_since) {
                longest_since = since;
                owner = w;
            } else if (since > now - usual) {
                look_at_ = std::min(look_at_, since + usual);
            }
        }
        if (owner == no_worker) return std::nullopt;
        if (!may_pair()) {
            look_at_ = now + usual / 8;
            return std::nullopt;
        }
        const std::size_t shard = slots_[owner].running.load(std::memory_order_relaxed);
        state alone = state::alone;
        if (shard == whole_shard || !states_[shard].compare_exchange_strong(alone, state::paired)) return std::nullopt;
        pairs_.push_back({shard, {owner, worker}, longest_since});
        ++paired_;
        ++expected_;
        look_at_ = now;  // there may be more of them
        return claim{.shard = shard, .attempt = 2, .avoid = owner, .kind = attempt_kind::second};
    }
    standing stands(const attempt& ended, std::stop_source& loser) {
        if (!hedging_ || ended.what.piece != whole_shard) return standing::lone;
        pair* both = pair_of(ended.what.shard);
        if (both == nullptr) {
            states_[ended.what.shard].store(state::settled, std::memory_order_release);  // no second one any more
            return standing::lone;
        }
        const bool last = --both->running == 0;
        const std::size_t winner = both->winner;
        if (winner == ended.worker && !last)
            loser = slots_[both->workers[0] == ended.worker ? both->workers[1] : both->workers[0]].stopper;
        if (winner != ended.worker) slots_[ended.worker].stopper = std::stop_source();  // a stop may still come to it
        if (winner != ended.worker && winner != no_worker && ended.what.kind == attempt_kind::first)
            slots_[ended.worker].rests_until = ended.ended + usual_;  // or a slow worker uses up the share alone
        if (last) pairs_.erase(pairs_.begin() + (both - pairs_.data()));
        if (last) states_[ended.what.shard].store(state::settled, std::memory_order_release);
        if (winner == ended.worker) return standing::won;
        return winner == no_worker && last ? standing::last : standing::lost;
    }

    // what failed

    verdict judge(const attempt& ended, outcome& result, bool late, std::stop_source& loser) {
        time_point began = ended.started;  // of the shard's first attempt
        if (const pair* both = pair_of(ended.what.shard); both != nullptr && ended.what.piece == whole_shard)
            began = both->began;
        const standing place = stands(ended, loser);
        const bool counts = place == standing::lone || place == standing::won;
        if (counts && checking_ && compares(ended.what, slots_[ended.worker].reason))
            return review(ended, result, late, place, began);
        return {mend(ended, result, late, place, began), counts};
    }
    std::vector<fault> mend(const attempt& ended, outcome& result, bool late, standing place, time_point began) {
        if (hedging_) slots_[ended.worker].running.store(whole_shard, std::memory_order_relaxed);
        if (late && !stop_.reason()) result.faults = {too_late(ended)};
        std::vector<fault> faults = result.faults;
        std::vector<fault_class> classes;
        for (const fault& f : faults) classes.push_back(how_.retry.classify(f));
        const bool transient = std::find(classes.begin(), classes.end(), fault_class::transient) != classes.end();
        if (breaker_) tell_breaker(ended, faults, transient, place);
        if (place == standing::lost) return {};
        const bool whole = ended.what.piece == whole_shard;
        if (faults.empty() || stop_.reason()) return faults;
        piece from = whole ? piece{} : *pieces_[ended.what.piece];
        if (whole) {
            from.what = ended.what;
            from.last_start = last_start(began);
        }
        const row_set all = set_of(ended.what);
        if (from.ballot != no_ballot) return transient ? again(from, {}, std::move(faults), from.rows, ended) : faults;
        from.opens = false;
        std::size_t named = 0;
        for (const fault& f : faults) named += f.rows.size();
        if (place == standing::last && named < all.rows()) {  // a verifier passed the others, and they are nowhere
            piece next{rows_of(all), std::move(faults), ended.what, from.tries, {}, from.last_start};
            next.what.kind = attempt_kind::retry;
            push(std::move(next), ended.ended);
            return {};
        }
        if (transient && divided_ == shards_are::whole) return again(from, {}, std::move(faults), rows_of(all), ended);
        std::vector<fault> stay;
        std::vector<fault> again_faults;
        std::vector<std::size_t> again_rows;
        for (std::size_t i = 0; i < faults.size(); ++i) {
            fault& f = faults[i];
            if (classes[i] == fault_class::permanent) {
                halve(from, std::move(f), ended, stay, "");
                continue;
            }
            again_rows.insert(again_rows.end(), f.rows.begin(), f.rows.end());
            again_faults.push_back(std::move(f));
        }
        if (again_faults.empty()) return stay;
        std::sort(again_rows.begin(), again_rows.end());
        again_rows.erase(std::unique(again_rows.begin(), again_rows.end()), again_rows.end());
        return again(from, std::move(stay), std::move(again_faults), std::move(again_rows), ended);
    }

    [[nodiscard]] time_point last_start(time_point began) const {
        const time_point last =
            how_.retry.deadline > time_point::max() - began ? time_point::max() : began + how_.retry.deadline;
        return std::min(last, stop_.deadline().value_or(time_point::max()));
    }

    void tell_breaker(const attempt& ended, const std::vector<fault>& faults, bool transient, standing place) {
        const std::size_t attempts = counter_.claimed() + pieces_.size();
        if (place == standing::lost && !faults.empty())
            breaker_->give_back();  // it was stopped, which says nothing
        else if (transient)
            breaker_->failed(ended.started, ended.ended, attempts);
        else
            breaker_->passed(ended.started, ended.ended, attempts);
    }

    /// Tries rows again that failed for transient reasons; where that is over, halves or gives up what failed.
    std::vector<fault> again(const piece& from, std::vector<fault> stay, std::vector<fault> faults,
                             std::vector<std::size_t> rows, const attempt& ended) {
        const bool searching = from.what.kind == attempt_kind::part && rows.size() > 1;
        const char* over = "";
        if (!searching && from.tries < how_.retry.max_attempts) {
            const duration delay = backoff(how_.retry, from.tries, from.delay, random_);
            tokens_.earn(ended.ended, counter_.claimed());
            if (delay > from.last_start - ended.ended) {
                over = "the deadline comes before its next attempt";
            } else if (!tokens_.spend(ended.ended)) {
                over = "the budget of retries is spent";
            } else {
                piece next{std::move(rows), std::move(faults), from.what, from.tries + 1, delay, from.last_start};
                next.what.kind = from.what.kind == attempt_kind::part ? attempt_kind::part : attempt_kind::retry;
                next.ballot = from.ballot;
                if (next.ballot != no_ballot) next.what.kind = attempt_kind::check;
                next.what.attempt = ended.what.attempt + 1;
                next.what.avoid = ended.worker;
                push(std::move(next), ended.ended + delay);
                return stay;
            }
        }
        for (fault& f : faults) halve(from, std::move(f), ended, stay, over);
        return stay;
    }

    /// Gives up what one fault names or, where it may be some of the rows alone, tries its halves at once.
    void halve(const piece& from, fault f, const attempt& ended, std::vector<fault>& stay, const char* over) {
        const bool search = how_.give_up == give_up::rows && divided_ == shards_are::divisible &&
                            from.ballot == no_ballot && f.kind != fault_kind::damaged;
        if (!search || f.rows.size() < 2 || *over != 0) return stays(stay, std::move(f), over);
        for (const row_range half : halves({0, f.rows.size()})) {
            const auto first = f.rows.begin() + static_cast<std::ptrdiff_t>(half.first);
            piece next{{first, first + static_cast<std::ptrdiff_t>(half.rows)}, {f}, from.what, 1, {}, from.last_start};
            next.faults.front().rows = next.rows;
            next.what.kind = attempt_kind::part;
            next.what.attempt = ended.what.attempt + 1;
            next.what.avoid = no_worker;
            push(std::move(next), ended.ended);
        }
    }
    static void stays(std::vector<fault>& all, fault f, const char* over) {
        if (*over != 0) f.message.append(" (not tried again: ").append(over).append(")");
        all.push_back(std::move(f));
    }

    [[nodiscard]] fault too_late(const attempt& ended) const {
        const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(*how_.time_limit).count();
        return {fault_kind::timed_out, "the attempt took longer than its limit of " + std::to_string(limit) + " us",
                rows_of(set_of(ended.what)), ended.what.attempt};
    }
    [[nodiscard]] row_set set_of(const claim& what) const {
        const bool whole = what.piece == whole_shard || pieces_[what.piece]->rows.empty();
        return whole ? row_set(plan_, what.shard) : row_set(pieces_[what.piece]->rows);
    }
    [[nodiscard]] static std::vector<std::size_t> rows_of(const row_set& set) {
        std::vector<std::size_t> rows;
        for (std::size_t at = 0; at < set.rows(); ++at) rows.push_back(set.row(at));
        std::sort(rows.begin(), rows.end());
        return rows;
    }

    const plan& plan_;
    const options& how_;
    shards_are divided_;
    fanfold::stop stop_;
    basic_counter_claims<Later> counter_;
    bool hedging_;
    bool checking_;
    bool active_;
    std::size_t count_ = 0;
    std::unique_ptr<slot[]> slots_;
    std::unique_ptr<std::atomic<state>[]> states_;  ///< by shard
    std::atomic<duration::rep> attention_{
        time_point::max().time_since_epoch().count()};  ///< before it the counter is all
    std::atomic<bool> tripped_{false};                  ///< the breaker is not closed

    std::mutex mutex_;
    std::vector<std::unique_ptr<piece>> pieces_;
    std::vector<waiting> heap_;
    std::optional<basic_breaker_state<Later>> breaker_;
    std::optional<recheck> recheck_;
    retry_tokens tokens_;
    random_bits random_;
    std::vector<fault> expired_;
    std::size_t expected_;  ///< attempts that will have ended when all is done
    std::vector<pair> pairs_;
    std::size_t paired_ = 0;
    duration usual_{};  ///< what a shard takes at most, but for stragglers
    std::size_t compare_at_ = 0;
    time_point look_at_{};
    time_point first_look_{};
};
using policy_claims = basic_policy_claims<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
