// fanfold/infer/recheck.hpp - whose answers count when several workers computed the same rows: pure, runs nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <atomic>       // std::atomic
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <memory>       // std::unique_ptr
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../context/events.hpp"
#include "../context/random.hpp"
#include "../model/model.hpp"
#include "../verify/digest.hpp"
#include "options.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::size_t no_ballot = static_cast<std::size_t>(-1);

/// Why an attempt's answers are compared with others'.
enum class recheck_reason : unsigned char { sampled, suspicious };

/// What `duplicate` and `vote` come to.
struct recheck_rules {
    double fraction = 0;  ///< of the shards
    std::uint64_t seed = 0;
    std::size_t replicas = 0;  ///< of those; 0: nothing is compared
    std::size_t quorum = 0;

    /// Throws std::invalid_argument where the options ask for what cannot be.
    template <class = void>
    [[nodiscard]] static recheck_rules of(const options& how, std::size_t workers, std::string_view executor,
                                          rows_are independent) {
        recheck_rules rules;
        if (how.duplicate && how.vote)
            throw std::invalid_argument("infer: duplicate and vote are two ways to do the same, choose one");
        if (how.duplicate) rules = {how.duplicate->fraction, how.duplicate->seed, 2, 2};
        if (how.vote) rules = {1, 0, how.vote->replicas, how.vote->quorum};
        if (rules.replicas == 0 && !how.vote) return how.checksum ? recheck_rules{0, 0, 2, 2} : rules;
        const std::string what = how.vote ? "vote" : "duplicate";
        if (!(rules.fraction >= 0 && rules.fraction <= 1))
            throw std::invalid_argument("infer: duplicate expects a fraction in [0, 1], got " +
                                        std::to_string(rules.fraction));
        if (rules.replicas < 2 || rules.quorum > rules.replicas || rules.quorum * 2 <= rules.replicas)
            throw std::invalid_argument("infer: vote expects a quorum of more than half of at least 2 replicas, got " +
                                        std::to_string(rules.quorum) + " of " + std::to_string(rules.replicas));
        if (workers < rules.replicas)
            throw std::invalid_argument("infer: " + what + " needs " + std::to_string(rules.replicas) +
                                        " workers, and '" + std::string(executor) + "' has " + std::to_string(workers));
        if (independent == rows_are::unknown)
            throw std::invalid_argument("infer: " + what +
                                        " compares bits, and this callable does not say that a row's do not depend on "
                                        "others: give it as independent_rows(f) if they do not");
        return rules;
    }
    /// How many of the workers may have something to do: copies go to others than those who computed the rows.
    [[nodiscard]] std::size_t useful(std::size_t shards, std::size_t workers) const noexcept {
        std::size_t most = shards;
        if (replicas != 0 && shards != 0)
            most = fraction > 0 ? shards * (replicas + 1) : std::max(shards, replicas + 1);
        return std::max<std::size_t>(std::min(most, workers), 1);
    }
};

/// Whether a shard is one of a sample of that share of all.
[[nodiscard]] inline bool in_sample(std::size_t shard, double fraction, std::uint64_t seed) noexcept {
    return fraction >= 1 || random_bits(seed ^ shard * 0xD1342543DE82EF95U).uniform() < fraction;
}

/// Counts the digests of copies.
///
/// cost     O(workers + votes) a call
/// threads  one user at a time, but for `quarantined` and `samples`
template <class>
class basic_recheck {
public:
    /// `useful` of the workers take part.
    basic_recheck(const recheck_rules& rules, std::size_t useful, std::size_t workers)
        : rules_(rules), workers_(useful), active_(useful), liars_(std::make_unique<std::atomic<bool>[]>(workers)) {}

    [[nodiscard]] bool samples(std::size_t shard) const noexcept {
        return in_sample(shard, rules_.fraction, rules_.seed);
    }
    [[nodiscard]] bool quarantined(std::size_t worker) const noexcept {
        return liars_[worker].load(std::memory_order_relaxed);
    }

    /// The answers that passed are the first copy; returns how many more are wanted.
    std::size_t open(std::size_t shard, std::vector<std::size_t> rows, std::size_t worker, std::uint64_t digest,
                     recheck_reason reason = recheck_reason::sampled) {
        ballots_.push_back({shard, std::move(rows), {{worker, digest, company::others}}, {{worker, company::others}}});
        ballot& made = ballots_.back();
        made.copies = std::min(rules_.replicas, std::max<std::size_t>(active_, 2));
        made.out = made.copies - 1;
        made.suspicious = reason == recheck_reason::suspicious;
        return made.out;
    }
    [[nodiscard]] std::size_t last() const noexcept { return ballots_.size() - 1; }
    /// Empty: all of the shard's.
    [[nodiscard]] const std::vector<std::size_t>& rows(std::size_t of) const { return ballots_[of].rows; }
    [[nodiscard]] std::size_t shard(std::size_t of) const { return ballots_[of].shard; }

    /// Whether the worker has been asked no more often than any other: all give one copy before one gives two.
    [[nodiscard]] bool may_take(std::size_t of, std::size_t worker) const {
        if (quarantined(worker)) return false;
        auto least = static_cast<std::size_t>(-1);
        for (std::size_t other = 0; other < workers_; ++other)
            if (!quarantined(other)) least = std::min(least, taken(ballots_[of], other));
        return taken(ballots_[of], worker) <= least;
    }
    void take(std::size_t of, std::size_t worker) {
        ballots_[of].takers.push_back(
            {worker, may_take(of, worker) && workers_ > 1 ? company::others : company::nobody});
    }

    /// True when this copy decides: its answers are those that count.
    [[nodiscard]] bool cast(std::size_t of, std::size_t worker, std::uint64_t digest) {
        ballot& here = ballots_[of];
        company with = company::others;
        for (const taker& one : here.takers)
            if (one.worker == worker) with = one.with;
        here.votes.push_back({worker, digest, with});
        if (here.right || here.closed || backing(here, digest) < rules_.quorum) return false;
        here.right = digest;
        ++counts_.compared;
        bool alone = false;
        counts_.unconfirmed += here.suspicious && here.votes.front().digest == digest;
        for (const vote_cast& one : here.votes) alone |= one.with == company::nobody;
        counts_.alone += alone;
        return true;
    }
    /// A copy that came to nothing, for these reasons.
    void failed(std::size_t of, std::vector<fault> reasons) {
        for (fault& f : reasons) ballots_[of].faults.push_back(std::move(f));
    }

    enum class next { nothing, one_more, undecided };
    /// After the end of a copy.
    [[nodiscard]] next ended(std::size_t of, time_point now) {
        ballot& here = ballots_[of];
        --here.out;
        for (vote_cast& one : here.votes)
            if (here.right && one.digest != *here.right && !std::exchange(one.named, true)) accuse(here, one, now);
        if (here.right || here.closed || here.out != 0) return next::nothing;
        const std::size_t most = active_ > rules_.replicas ? rules_.replicas + 1 : 2 * rules_.replicas;
        if (here.copies < most) {
            ++here.copies;
            ++here.out;
            return next::one_more;
        }
        ++counts_.undecided;
        here.closed = true;
        return next::undecided;
    }
    [[nodiscard]] unsigned copies(std::size_t of) const { return static_cast<unsigned>(ballots_[of].copies); }

    /// Why no copy counts, without rows.
    [[nodiscard]] fault reason(std::size_t of) const {
        const ballot& here = ballots_[of];
        std::string text = "no " + std::to_string(rules_.quorum) + " workers agree:";
        for (const vote_cast& one : here.votes)
            text += (&one == here.votes.data() ? " worker " : ", worker ") + std::to_string(one.worker) + " gave " +
                    digest_text(one.digest);
        for (const fault& f : here.faults) text += "; a copy failed: " + f.message;
        bool differ = here.faults.empty();
        for (const vote_cast& one : here.votes) differ |= one.digest != here.votes.front().digest;
        return {differ ? fault_kind::disagreed : here.faults.front().kind,
                std::move(text),
                {},
                static_cast<unsigned>(here.copies)};
    }

    /// Ballots that nothing has decided when the job ends.
    template <class Each>
    void close(const Each& each) {
        for (std::size_t of = 0; of < ballots_.size(); ++of) {
            if (ballots_[of].right || ballots_[of].closed) continue;
            ballots_[of].closed = true;
            ++counts_.undecided;
            each(of);
        }
    }
    [[nodiscard]] const check_counts& counts() const noexcept { return counts_; }
    [[nodiscard]] std::vector<lie> take_lies() noexcept { return std::move(lies_); }

private:
    enum class company : unsigned char { others, nobody };  ///< nobody: no other worker came
    struct vote_cast {
        std::size_t worker = 0;
        std::uint64_t digest = 0;
        company with = company::others;
        bool named = false;  ///< as a liar
    };
    struct taker {
        std::size_t worker = 0;
        company with = company::others;
    };
    struct ballot {
        std::size_t shard = 0;
        std::vector<std::size_t> rows;
        std::vector<vote_cast> votes;
        std::vector<taker> takers;
        std::vector<fault> faults = {};
        std::size_t out = 0;     ///< copies that wait or run
        std::size_t copies = 1;  ///< so far, the first included
        std::optional<std::uint64_t> right = {};
        bool closed = false;
        bool differs = false;
        bool suspicious = false;
    };

    [[nodiscard]] static std::size_t taken(const ballot& of, std::size_t worker) {
        std::size_t count = 0;
        for (const taker& one : of.takers) count += one.worker == worker;
        return count;
    }
    /// Workers behind a digest; one that had no company counts once more, or a job of one worker would never end.
    [[nodiscard]] static std::size_t backing(const ballot& of, std::uint64_t digest) {
        std::size_t count = 0;
        for (const vote_cast& one : of.votes) {
            bool counted = false;
            for (const vote_cast* before = of.votes.data(); before != &one; ++before)
                counted |= before->digest == digest && before->worker == one.worker;
            count += one.digest == digest && (!counted || one.with == company::nobody);
        }
        return count;
    }
    void accuse(ballot& in, const vote_cast& liar, time_point now) {
        lies_.push_back({in.shard, liar.worker, liar.digest, *in.right, now});
        if (!in.differs) ++counts_.differing;
        in.differs = true;
        if (quarantined(liar.worker) || active_ - 1 < rules_.quorum) return;
        liars_[liar.worker].store(true, std::memory_order_relaxed);
        --active_;
    }

    recheck_rules rules_;
    std::size_t workers_;
    std::size_t active_;
    std::unique_ptr<std::atomic<bool>[]> liars_;
    std::vector<ballot> ballots_;
    std::vector<lie> lies_;
    check_counts counts_;
};
using recheck = basic_recheck<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
