// fanfold/checkpoint/memory_ledger.hpp - a ledger in memory: a job that was stopped goes on in the same process.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>    // std::size_t
#include <mutex>      // std::mutex
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::runtime_error
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "ledger.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// threads  one job at a time
template <class RowsDone>
class basic_memory_ledger {
public:
    [[nodiscard]] std::vector<tensor_type> open(const job_identity& identity) {
        if (identity_ && (identity_->fingerprint != identity.fingerprint || identity_->rows != identity.rows))
            throw std::runtime_error("memory_ledger: it is of another job, of " + std::to_string(identity_->rows) +
                                     " rows; this one has " + std::to_string(identity.rows) +
                                     ", or another model or other rows");
        identity_ = identity;
        return types_;
    }
    void restore(function_ref<void(const rows_done&)> take) const {
        for (const rows_done& one : done_) take(one);
    }
    void declare(const std::vector<tensor_type>& types) { types_ = types; }
    void keep(rows_done done) {
        const std::lock_guard lock(mutex_);
        done_.push_back(std::move(done));
    }
    void finish(std::span<const fault>) noexcept {}

    /// How many rows are done.
    [[nodiscard]] std::size_t rows() const {
        const std::lock_guard lock(mutex_);
        std::size_t sum = 0;
        for (const rows_done& one : done_) sum += one.rows;
        return sum;
    }

private:
    std::optional<job_identity> identity_;
    std::vector<tensor_type> types_;
    mutable std::mutex mutex_;
    std::vector<RowsDone> done_;
};
using memory_ledger = basic_memory_ledger<rows_done>;
static_assert(ledger<memory_ledger>);

}  // namespace fanfold::inline FANFOLD_ABI
