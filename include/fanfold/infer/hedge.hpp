// fanfold/infer/hedge.hpp - a second attempt for shards that take much longer than their peers.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::nth_element
#include <array>      // std::array
#include <atomic>     // std::atomic
#include <cmath>      // std::lround
#include <cstddef>    // std::size_t
#include <vector>     // std::vector

#include "../context/clock.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A shard that has run for longer than a quantile of its peers' times is started once more, by the next worker that
/// has no other shard in hand; the first answer counts, and the other attempt is stopped. Attempts then write apart
/// from the final rows, and one commits. A worker that was overtaken rests for as long as a shard usually takes.
///
/// cost     at most `share` more attempts; the answers of every shard are copied once
/// source   Dean & Barroso, "The Tail at Scale", 2013
struct hedge {
    double quantile = 0.95;
    double times_median =
        1.25;             ///< at least that many times the median: where all take alike, a second one gains nothing
    double share = 0.05;  ///< of the shards claimed so far
    std::size_t min_peers = 10;  ///< shards that must have ended before times are compared
};

namespace detail {

/// The last times of one worker. Written by it alone, read by any.
class recent_times {
public:
    void add(duration took) noexcept {
        const std::size_t n = count_.load(std::memory_order_relaxed);
        times_[n % kept].store(took.count(), std::memory_order_relaxed);
        count_.store(n + 1, std::memory_order_release);
    }
    [[nodiscard]] std::size_t count() const noexcept { return count_.load(std::memory_order_acquire); }
    /// Fewer of a worker that has ended fewer, so that each counts as often as it occurs. `most` is the largest count.
    template <class Times>
    void append_to(Times& all, std::size_t most) const {
        const std::size_t n = count();
        const std::size_t share = most <= kept ? n : (n * kept + most - 1) / most;
        for (std::size_t i = 1; i <= share && i <= n; ++i)
            all.push_back(times_[(n - i) % kept].load(std::memory_order_relaxed));
    }

private:
    static constexpr std::size_t kept = 32;
    std::atomic<std::size_t> count_{0};
    std::array<std::atomic<duration::rep>, kept> times_{};
};

/// The element at that share of the sorted values; of an empty list the largest duration.
template <class = void>
[[nodiscard]] duration quantile_of(std::vector<duration::rep>& values, double share) {
    if (values.empty()) return duration::max();
    const auto at = static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)));
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(at < values.size() ? at : values.size() - 1);
    std::nth_element(values.begin(), place, values.end());
    return duration(*place);
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
