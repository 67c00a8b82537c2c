// fanfold/infer/pairs.hpp - second attempts beside slow ones: who is overdue, and which of the two counts.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>   // std::min, std::max, std::clamp
#include <atomic>      // std::atomic
#include <cstddef>     // std::size_t
#include <memory>      // std::unique_ptr
#include <optional>    // std::optional
#include <stop_token>  // std::stop_source
#include <vector>      // std::vector

#include "../core/outcome.hpp"
#include "hedge.hpp"
#include "worker_slots.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What came of an attempt at a shard that may have two.
enum class standing { lone, won, lost, last };  ///< last: neither attempt of the pair has committed

/// cost     without hedging a branch; with it, a compare-exchange on the shard's byte where an attempt commits
/// threads  under the job's lock, but for `commits_alone` and `is_paired`
template <class Slot>
class basic_pairs {
public:
    basic_pairs(const std::optional<hedge>& how, std::size_t workers, std::size_t shards,
                basic_worker_slots<Slot>& slots)
        : how_(how), slots_(slots), on_(how && workers > 1) {
        if (on_) states_ = std::make_unique<std::atomic<state>[]>(shards);
    }

    [[nodiscard]] bool on() const noexcept { return on_; }
    [[nodiscard]] bool is_paired(std::size_t shard) const {
        return on_ && states_[shard].load(std::memory_order_acquire) == state::paired;
    }
    /// When to look for slow attempts next.
    [[nodiscard]] time_point look_at() const noexcept { return on_ ? look_at_ : time_point::max(); }
    [[nodiscard]] bool may_pair(std::size_t claimed) const {
        return static_cast<double>(paired_ + 1) <= how_->share * static_cast<double>(claimed);
    }
    /// When the first attempt at those rows began.
    [[nodiscard]] time_point began(const attempt& ended) const {
        for (const pair& both : pairs_)
            if (both.shard == ended.what.shard && ended.what.piece == whole_shard) return both.began;
        return ended.started;
    }

    /// A whole shard's attempt commits, and no second one can begin any more.
    [[nodiscard]] bool commits_alone(std::size_t shard) {
        state alone = state::alone;
        return states_[shard].compare_exchange_strong(alone, state::settled, std::memory_order_acq_rel);
    }
    [[nodiscard]] bool commits_of_two(const claim& what, const outcome& checked) {
        pair* both = pair_of(what.shard);
        if (both == nullptr || both->winner != no_worker) return false;
        if (!checked.answered() && both->running > 1) return false;  // the other may do better
        both->winner = what.worker;
        return true;
    }

    /// A second attempt at the shard that is most overdue, where there is one; says when to look again.
    std::optional<claim> pair_up(std::size_t worker, time_point now, std::size_t claimed) {
        if (first_look_ == time_point()) first_look_ = now;
        if (!know_usual()) {
            look_at_ = now + (now - first_look_) / 4 + duration(1);
            return std::nullopt;
        }
        const duration usual = usual_;
        look_at_ = now + usual;
        std::size_t owner = no_worker;
        time_point longest_since = now - usual;
        for (std::size_t w = 0; w < slots_.size(); ++w) {
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
        if (!may_pair(claimed)) {
            look_at_ = now + usual / 8;
            return std::nullopt;
        }
        const std::size_t shard = slots_[owner].running.load(std::memory_order_relaxed);
        state alone = state::alone;
        if (shard == whole_shard || !states_[shard].compare_exchange_strong(alone, state::paired)) return std::nullopt;
        pairs_.push_back({shard, {owner, worker}, longest_since});
        ++paired_;
        slots_.expect_one_more();
        look_at_ = now;  // there may be more of them
        return claim{.shard = shard, .attempt = 2, .avoid = owner, .kind = attempt_kind::second};
    }

    /// At the end of an attempt. `loser`: whom to stop.
    standing stands(const attempt& ended, std::stop_source& loser) {
        if (!on_ || ended.what.piece != whole_shard) return standing::lone;
        pair* both = pair_of(ended.what.shard);
        if (both == nullptr) {
            states_[ended.what.shard].store(state::settled, std::memory_order_release);  // no second one any more
            return standing::lone;
        }
        const bool last = --both->running == 0;
        const std::size_t winner = both->winner;
        Slot& here = slots_[ended.worker];
        if (winner == ended.worker && !last)
            loser = slots_[both->workers[0] == ended.worker ? both->workers[1] : both->workers[0]].stopper;
        if (winner != ended.worker) here.stopper = std::stop_source();  // a stop may still come to it
        if (winner != ended.worker && winner != no_worker && ended.what.kind == attempt_kind::first)
            here.rests_until = ended.ended + usual_;  // or a slow worker uses up the share alone
        if (last) pairs_.erase(pairs_.begin() + (both - pairs_.data()));
        if (last) states_[ended.what.shard].store(state::settled, std::memory_order_release);
        if (winner == ended.worker) return standing::won;
        return winner == no_worker && last ? standing::last : standing::lost;
    }

private:
    enum class state : unsigned char { alone, paired, settled };
    /// Two attempts at one shard.
    struct pair {
        std::size_t shard = 0;
        std::size_t workers[2] = {no_worker, no_worker};
        time_point began{};  ///< the first of them
        unsigned running = 2;
        std::size_t winner = no_worker;
    };

    [[nodiscard]] pair* pair_of(std::size_t shard) {
        for (pair& both : pairs_)
            if (both.shard == shard) return &both;
        return nullptr;
    }
    /// False while too few shards have ended. Times are compared anew when an eighth more has.
    bool know_usual() {
        std::size_t all = 0;
        std::size_t most = 1;
        for (std::size_t s = 0; s < slots_.size(); ++s) all += slots_[s].times.count();
        if (all < compare_at_) return usual_ != duration();
        if (all < how_->min_peers) return false;
        for (std::size_t s = 0; s < slots_.size(); ++s) most = std::max(most, slots_[s].times.count());
        std::vector<duration::rep> times;
        for (std::size_t s = 0; s < slots_.size(); ++s) slots_[s].times.append_to(times, most);
        const auto median = static_cast<double>(quantile_of(times, 0.5).count());
        const duration least(static_cast<duration::rep>(how_->times_median * median));
        usual_ = std::max({quantile_of(times, how_->quantile), least, duration(1)});
        compare_at_ = all + std::clamp<std::size_t>(all / 8, 1, 256);
        return true;
    }

    const std::optional<hedge>& how_;
    basic_worker_slots<Slot>& slots_;
    bool on_;
    std::unique_ptr<std::atomic<state>[]> states_;  ///< by shard
    std::vector<pair> pairs_;
    std::size_t paired_ = 0;
    duration usual_{};  ///< what a shard takes at most, but for stragglers
    std::size_t compare_at_ = 0;
    time_point look_at_{};
    time_point first_look_{};
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
