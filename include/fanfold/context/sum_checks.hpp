// fanfold/context/sum_checks.hpp - what the checksums of one attempt's products told.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>   // std::atomic
#include <cstddef>  // std::size_t
#include <mutex>    // std::mutex
#include <string>   // std::string

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Filled by the operations of a graph that have checksums, where a workspace refers to one.
///
/// threads  tiles add at once
class sum_checks {
public:
    void add(std::size_t rows, std::size_t suspicious) noexcept {
        rows_.fetch_add(rows, std::memory_order_relaxed);
        if (suspicious != 0) suspicious_.fetch_add(suspicious, std::memory_order_relaxed);
    }
    /// Weights are not those that were loaded; `which` says what was found.
    template <class = void>
    void damaged(std::string which) {
        const std::lock_guard lock(mutex_);
        if (damage_.empty()) damage_ = std::move(which);
    }

    /// Products looked at: rows of a matrix product, positions of a convolution.
    [[nodiscard]] std::size_t rows() const noexcept { return rows_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t suspicious() const noexcept { return suspicious_.load(std::memory_order_relaxed); }
    [[nodiscard]] const std::string& damage() const noexcept { return damage_; }  ///< after the attempt

private:
    std::atomic<std::size_t> rows_{0};
    std::atomic<std::size_t> suspicious_{0};
    std::mutex mutex_;
    std::string damage_;
};

}  // namespace fanfold::inline FANFOLD_ABI
