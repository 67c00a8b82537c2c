// fanfold/partition/weighted.hpp - consecutive shards in proportion to what each worker can do.
//   in    workload.rows, a weight a worker      out   a plan in row order, a shard a worker
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>      // std::isfinite
#include <cstddef>    // std::size_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// One shard for each weight, of rows in proportion to it, less than one row off. What would be empty is left out:
/// shards of weight 0, and some of the lightest where there are fewer rows than weights.
///
/// example  weighted{.weights = {2, 1, 1}}({.rows = 8})   ->  [0,4) [4,6) [6,8)
/// cost     O(weights)
/// errors   throws std::invalid_argument without weights, for one that is negative or not finite, when all are 0
/// threads  re-entrant; equal input gives an equal plan
struct weighted {
    std::vector<double> weights;

    template <class = void>
    [[nodiscard]] plan operator()(const workload& w) const {
        double total = 0;
        for (const double weight : weights) {
            if (!std::isfinite(weight) || weight < 0)
                throw std::invalid_argument("weighted: a weight of " + std::to_string(weight));
            total += weight;
        }
        if (!(total > 0) || !std::isfinite(total))
            throw std::invalid_argument("weighted: the weights' sum is " + std::to_string(total));
        plan cut;
        double so_far = 0;
        for (std::size_t s = 0; s < weights.size(); ++s) {
            so_far += weights[s];
            const double end = static_cast<double>(w.rows) * (so_far / total) + 0.5;
            const std::size_t row = s + 1 == weights.size() ? w.rows : std::min(w.rows, static_cast<std::size_t>(end));
            if (row > cut.cuts.back()) cut.cuts.push_back(row);
        }
        return cut;
    }
};
static_assert(partitioner<weighted>);

}  // namespace fanfold::inline FANFOLD_ABI
