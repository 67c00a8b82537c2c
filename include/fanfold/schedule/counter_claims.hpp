// fanfold/schedule/counter_claims.hpp - the claim source of a clean job: every shard once, one atomic increment each.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <atomic>     // std::atomic
#include <cstddef>    // std::size_t
#include <memory>     // std::unique_ptr

#include "../context/stop.hpp"
#include "../core/tensor.hpp"
#include "claim.hpp"
#include "executor.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Hands out shards [0, shards) in order: to whoever asks, or to each worker its own consecutive share first. No worker
/// goes without while a shard is unclaimed, so a job ends within total/m + largest (Graham 1969).
///
/// cost     one atomic increment a shard; with shares, on a cache line of the worker's own
/// threads  all members may be called at once
template <class>
class basic_counter_claims {
public:
    basic_counter_claims(std::size_t shards, claim_order order, std::size_t workers, fanfold::stop stop = {})
        : count_(order == claim_order::shared || workers == 0 ? 1 : workers),
          shares_(std::make_unique<share[]>(count_)),
          stop_(std::move(stop)) {
        for (std::size_t s = 0; s < count_; ++s) {
            shares_[s].begin = shards * s / count_;
            shares_[s].next = shares_[s].begin;
            shares_[s].end = shards * (s + 1) / count_;
        }
    }

    [[nodiscard]] next_claim next(std::size_t worker, time_point) {
        if (stop_.due()) return finished{};
        std::size_t at = worker < count_ ? worker : worker % count_;
        for (std::size_t step = 0; step < count_; ++step, at = at + 1 == count_ ? 0 : at + 1) {
            share& from = shares_[at];
            if (from.next.load(std::memory_order_relaxed) >= from.end) continue;
            const std::size_t shard = from.next.fetch_add(1, std::memory_order_relaxed);
            if (shard < from.end) return claim{.shard = shard};
        }
        return finished{};
    }

    void done(const attempt&, const outcome&) noexcept {}

    /// How many shards have been handed out.
    [[nodiscard]] std::size_t claimed() const noexcept {
        std::size_t sum = 0;
        for (std::size_t s = 0; s < count_; ++s)
            sum += std::min(shares_[s].next.load(std::memory_order_relaxed), shares_[s].end) - shares_[s].begin;
        return sum;
    }

private:
    struct alignas(buffer_alignment) share {
        std::atomic<std::size_t> next{0};
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    std::size_t count_;
    std::unique_ptr<share[]> shares_;
    fanfold::stop stop_;
};
using counter_claims = basic_counter_claims<void>;

}  // namespace fanfold::inline FANFOLD_ABI
