// fanfold/partition/plan.hpp - which rows travel together: a pure value, an order of rows and where it is cut.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <concepts>   // std::convertible_to
#include <cstddef>    // std::size_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a partitioner is told about the work.
struct workload {
    std::size_t rows = 0;
    std::size_t workers = 1;
};

/// Shards of a job: shard s holds the rows order[cuts[s]] .. order[cuts[s + 1] - 1]; an empty order is row order.
struct plan {
    std::vector<std::size_t> order;
    std::vector<std::size_t> cuts{0};

    [[nodiscard]] std::size_t shards() const noexcept { return cuts.empty() ? 0 : cuts.size() - 1; }
    [[nodiscard]] std::size_t rows_of(std::size_t shard) const { return cuts[shard + 1] - cuts[shard]; }
    [[nodiscard]] std::size_t largest() const {
        std::size_t most = 0;
        for (std::size_t shard = 0; shard < shards(); ++shard) most = std::max(most, rows_of(shard));
        return most;
    }
    /// Row numbers of a shard in the order they travel.
    [[nodiscard]] std::size_t row(std::size_t shard, std::size_t position) const {
        const std::size_t at = cuts[shard] + position;
        return order.empty() ? at : order[at];
    }
    /// The shard's rows are consecutive in the batch, so that a slice serves and nothing is gathered.
    [[nodiscard]] bool consecutive(std::size_t shard) const {
        if (order.empty()) return true;
        for (std::size_t at = cuts[shard] + 1; at < cuts[shard + 1]; ++at)
            if (order[at] != order[at - 1] + 1) return false;
        return true;
    }
    [[nodiscard]] friend bool operator==(const plan&, const plan&) = default;
};

/// Throws std::invalid_argument, naming the row or the cut, unless every row of the batch is in exactly one shard.
template <class = void>
void check_plan(const plan& p, std::size_t rows) {
    const auto refuse = [](const std::string& why) { throw std::invalid_argument("plan: " + why); };
    if (p.cuts.empty() || p.cuts.front() != 0 || p.cuts.back() != rows)
        refuse("cuts must run from 0 to " + std::to_string(rows));
    for (std::size_t s = 1; s < p.cuts.size(); ++s)
        if (p.cuts[s] <= p.cuts[s - 1]) refuse("shard " + std::to_string(s - 1) + " is empty or its cuts descend");
    if (p.order.empty()) return;
    if (p.order.size() != rows)
        refuse("an order of " + std::to_string(p.order.size()) + " rows for a batch of " + std::to_string(rows));
    std::vector<std::size_t> seen(rows);
    for (const std::size_t row : p.order) {
        if (row >= rows) refuse("row " + std::to_string(row) + " of a batch of " + std::to_string(rows));
        if (seen[row]++ != 0) refuse("row " + std::to_string(row) + " stands in two shards");
    }
}

/// Turns a workload into a plan; equal input gives an equal plan.
template <class P>
concept partitioner = requires(const P& p, const workload& w) {
    { p(w) } -> std::convertible_to<plan>;
};

}  // namespace fanfold::inline FANFOLD_ABI
