// fanfold/infer/worker_slots.hpp - what each worker of a job does right now, and how many attempts are still to end.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>   // std::max
#include <atomic>      // std::atomic
#include <cstddef>     // std::size_t
#include <cstdint>     // std::uint64_t
#include <memory>      // std::unique_ptr
#include <stop_token>  // std::stop_source

#include "../schedule/claim.hpp"
#include "hedge.hpp"
#include "recheck.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Written by its worker, read by all.
struct alignas(buffer_alignment) worker_slot {
    static constexpr duration::rep busy = duration::max().count();

    std::atomic<std::size_t> settled{0};            ///< attempts that have ended
    std::atomic<std::size_t> running{whole_shard};  ///< shard of a first attempt, or none
    std::atomic<duration::rep> started{0};
    recent_times times;
    std::stop_source stopper;            ///< written under the lock
    time_point rests_until{};            ///< of its worker alone
    std::atomic<duration::rep> left{0};  ///< when its last attempt ended; none yet: 0, one runs: busy
    std::uint64_t digest = 0;            ///< of its worker alone, as the next: what the attempt that ends has given
    bool decided = false;                ///< and that it counts
    recheck_reason reason = recheck_reason::sampled;
    std::size_t last_sum = static_cast<std::size_t>(-1);  ///< in quarantine, under the lock, as the next
    time_point last_change{};
};

/// Slots, and the number of attempts that will have ended when all is done, which is changed under the job's lock.
///
/// cost     a store on the worker's own cache line for an attempt that ends; who asks for the sum reads all lines
template <class Slot>
class basic_worker_slots {
public:
    explicit basic_worker_slots(std::size_t expected) : expected_(expected) {}
    void open(std::size_t workers) {
        count_ = std::max<std::size_t>(workers, 1);
        slots_ = std::make_unique<Slot[]>(count_);
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] Slot& operator[](std::size_t worker) { return slots_[worker]; }
    [[nodiscard]] const Slot& operator[](std::size_t worker) const { return slots_[worker]; }

    void expect_one_more() noexcept { ++expected_; }
    void expect_one_less() noexcept { --expected_; }
    /// At the very end of an attempt: what was decided before is seen by who sees the sum.
    void settle(std::size_t worker, time_point now) {
        Slot& here = slots_[worker];
        here.left.store(now.time_since_epoch().count(), std::memory_order_relaxed);
        here.settled.store(here.settled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    [[nodiscard]] std::size_t settled() const {
        std::size_t sum = 0;
        for (std::size_t s = 0; s < count_; ++s) sum += slots_[s].settled.load(std::memory_order_acquire);
        return sum;
    }
    [[nodiscard]] bool all_settled() const { return settled() == expected_; }

private:
    std::unique_ptr<Slot[]> slots_;
    std::size_t count_ = 0;
    std::size_t expected_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
