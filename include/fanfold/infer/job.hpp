// fanfold/infer/job.hpp - what came of a job.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::unique
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <vector>     // std::vector

#include "../context/events.hpp"
#include "../core/batch.hpp"
#include "../core/fault.hpp"
#include "../partition/plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct job {
    batch answers;                ///< in row order; a failed row holds NaN (0 where the type has none)
    std::vector<fault> failures;  ///< rows that never passed, by reason; empty when all did
    timeline events;              ///< what happened, when, on which worker
    plan shards = {};             ///< which rows travelled together, by the shard numbers in events
    std::vector<std::uint64_t> digests = {};  ///< as `options::digests` asks; 0 for a failed row

    /// Rows that some failure names, each counted once.
    template <class = void>
    [[nodiscard]] std::size_t failed_rows() const {
        std::vector<std::size_t> rows;
        for (const fault& f : failures)
            for (const std::size_t row : f.rows) rows.push_back(row);
        std::sort(rows.begin(), rows.end());
        return static_cast<std::size_t>(std::unique(rows.begin(), rows.end()) - rows.begin());
    }
};

}  // namespace fanfold::inline FANFOLD_ABI
