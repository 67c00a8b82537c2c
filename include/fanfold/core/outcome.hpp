// fanfold/core/outcome.hpp - what came of one attempt at a shard: answers, or faults that name the rows without one.
// SPDX-License-Identifier: MIT
#pragma once
#include <vector>  // std::vector

#include "fault.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// No fault: every row of the shard is answered. Rows that no fault names are answered too.
struct outcome {
    std::vector<fault> faults;

    [[nodiscard]] bool answered() const noexcept { return faults.empty(); }
};

}  // namespace fanfold::inline FANFOLD_ABI
