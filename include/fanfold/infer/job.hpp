// fanfold/infer/job.hpp - what came of a job.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <vector>   // std::vector

#include "../context/events.hpp"
#include "../core/batch.hpp"
#include "../core/fault.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct job {
    batch answers;                ///< in row order; a failed row holds NaN (0 where the type has none)
    std::vector<fault> failures;  ///< rows that never passed, by reason; empty when all did
    timeline events;              ///< what happened, when, on which worker

    [[nodiscard]] std::size_t failed_rows() const {
        std::size_t count = 0;
        for (const fault& f : failures) count += f.rows.size();
        return count;
    }
};

}  // namespace fanfold::inline FANFOLD_ABI
