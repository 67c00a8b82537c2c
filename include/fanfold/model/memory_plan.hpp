// fanfold/model/memory_plan.hpp - which intermediate values may share memory, decided once at load.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <vector>     // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// How long a value must be kept: from the step that writes it to the last step that reads it, both included.
struct lifetime {
    std::size_t first_step = 0;
    std::size_t last_step = 0;
    std::size_t bytes_per_row = 0;
};

/// Slots of memory and who uses them, one after another.
struct memory_plan {
    std::vector<std::size_t> slot_of;        ///< by value
    std::vector<std::size_t> bytes_per_row;  ///< by slot: the largest of its values

    [[nodiscard]] std::size_t total_per_row() const {
        std::size_t total = 0;
        for (const std::size_t bytes : bytes_per_row) total += bytes;
        return total;
    }
};

/// Gives each value a slot that is free for its whole lifetime: the one that wastes least, else the one that grows
/// least.
///
/// requires lifetimes ordered by first_step
/// cost     O(values * slots)
/// source   greedy interval assignment, as in Pisarchyk & Lee 2020, "Efficient memory management for deep neural net
///          inference", without offsets: a slot has one size
[[nodiscard]] inline memory_plan plan_memory(std::span<const lifetime> values) {
    memory_plan plan;
    plan.slot_of.reserve(values.size());
    std::vector<std::size_t> busy_until;  // by slot, last step of its present value
    for (const lifetime& value : values) {
        std::size_t best = plan.bytes_per_row.size();
        for (std::size_t slot = 0; slot < plan.bytes_per_row.size(); ++slot) {
            if (busy_until[slot] >= value.first_step) continue;
            if (best == plan.bytes_per_row.size()) {
                best = slot;
                continue;
            }
            const std::size_t here = plan.bytes_per_row[slot];
            const std::size_t there = plan.bytes_per_row[best];
            const bool fits = here >= value.bytes_per_row;
            const bool best_fits = there >= value.bytes_per_row;
            if (fits ? !best_fits || here < there : !best_fits && here > there) best = slot;
        }
        if (best == plan.bytes_per_row.size()) {
            plan.bytes_per_row.push_back(0);
            busy_until.push_back(0);
        }
        plan.bytes_per_row[best] = std::max(plan.bytes_per_row[best], value.bytes_per_row);
        busy_until[best] = value.last_step;
        plan.slot_of.push_back(best);
    }
    return plan;
}

}  // namespace fanfold::inline FANFOLD_ABI
