// fanfold/schedule/claim.hpp - what workers pull: claims on shards, from a source that may have none ready just now.
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>  // std::same_as
#include <cstddef>   // std::size_t
#include <variant>   // std::variant

#include "../context/events.hpp"
#include "../core/outcome.hpp"

namespace fanfold::inline FANFOLD_ABI {

inline constexpr std::size_t no_worker = static_cast<std::size_t>(-1);
inline constexpr std::size_t whole_shard = static_cast<std::size_t>(-1);

/// The right and duty to run one attempt at a shard.
struct claim {
    std::size_t shard = 0;
    unsigned attempt = 1;
    std::size_t avoid = no_worker;  ///< a worker that had better not run it
    attempt_kind kind = attempt_kind::first;
    std::size_t piece = whole_shard;  ///< which of its source's sets of rows, where it is not the whole shard
    std::size_t worker = no_worker;   ///< that it was given to, where its source says so
};
/// Nothing is ready; ask again then, or when an attempt ends. time_point::max(): only when an attempt ends.
struct wait_until {
    time_point when;
    bool for_others = false;  ///< something is ready, for another worker
};
/// Nothing is left to claim and nothing will come.
struct finished {};

using next_claim = std::variant<claim, wait_until, finished>;

/// An attempt that has ended.
struct attempt {
    claim what;
    std::size_t worker = 0;
    time_point started;
    time_point ended;
};

/// Decides what runs next; called by all workers of a job at once. `done` may make more claims ready.
///   next(worker, now)   a claim, a time to wait until, or finished; never blocks
///   done(attempt, outcome)
template <class S>
concept claim_source = requires(S& source, std::size_t worker, time_point now, const attempt& ended, outcome result) {
    { source.next(worker, now) } -> std::same_as<next_claim>;
    source.done(ended, std::move(result));
};

}  // namespace fanfold::inline FANFOLD_ABI
