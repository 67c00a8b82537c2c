// fanfold/partition/contiguous.hpp - cut a batch into consecutive shards of nearly equal length.
//   in    workload.rows, a shard count or rows per shard      out   a plan in row order
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp, std::min
#include <cstddef>    // std::size_t
#include <stdexcept>  // std::invalid_argument

#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Cuts rows into consecutive pieces: `shards` of them whose lengths differ by at most one, or pieces of
/// `rows_per_shard` rows with a shorter last one. With neither given: eight shards a worker, of 1 to 64 rows.
///
/// example  contiguous{.shards = 4}({.rows = 10})           ->  [0,3) [3,6) [6,8) [8,10)
/// example  contiguous{.rows_per_shard = 4}({.rows = 10})   ->  [0,4) [4,8) [8,10)
/// cost     O(shards) time and memory, one allocation
/// errors   throws std::invalid_argument when both are given; zero rows give an empty plan; no shard is ever empty
/// threads  re-entrant; equal input gives an equal plan
struct contiguous {
    std::size_t shards = 0;
    std::size_t rows_per_shard = 0;

    template <class = void>
    [[nodiscard]] plan operator()(const workload& w) const {
        if (shards != 0 && rows_per_shard != 0)
            throw std::invalid_argument("contiguous: give shards or rows_per_shard, not both");
        plan cut;
        if (w.rows == 0) return cut;
        if (shards != 0) {
            const std::size_t count = std::min(shards, w.rows);
            const std::size_t longer = w.rows % count;
            cut.cuts.reserve(count + 1);
            for (std::size_t s = 0; s < count; ++s)
                cut.cuts.push_back(cut.cuts.back() + w.rows / count + (s < longer ? 1 : 0));
            return cut;
        }
        const std::size_t wanted = std::max<std::size_t>(w.workers, 1) * 8;
        const std::size_t each = rows_per_shard != 0 ? rows_per_shard : std::clamp<std::size_t>(w.rows / wanted, 1, 64);
        cut.cuts.reserve((w.rows - 1) / each + 2);
        for (std::size_t row = 0; row < w.rows;) {
            row += std::min(each, w.rows - row);
            cut.cuts.push_back(row);
        }
        return cut;
    }
};
static_assert(partitioner<contiguous>);

}  // namespace fanfold::inline FANFOLD_ABI
