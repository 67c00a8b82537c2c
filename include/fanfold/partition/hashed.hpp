// fanfold/partition/hashed.hpp - rows to shards by a stable hash of their key.
//   in    workload.rows, a key for each, a shard count      out   shards of equal keys together, rows in row order
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t
#include <vector>     // std::vector

#include "per_row.hpp"
#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Which of `shards` a key belongs to. From n to n + 1 shards, 1/(n + 1) of the keys move, all of them to the new one.
///
/// requires shards > 0
/// cost     O(log shards)
/// source   jump consistent hash, Lamping & Veach 2014
[[nodiscard]] inline std::size_t jump_hash(std::uint64_t key, std::size_t shards) noexcept {
    std::size_t bucket = 0;
    for (double next = 0; next < static_cast<double>(shards);) {
        bucket = static_cast<std::size_t>(next);
        key = key * 2862933555777941757U + 1;
        next = static_cast<double>(bucket + 1) * (0x1p31 / static_cast<double>((key >> 33) + 1));
    }
    return bucket;
}

/// Rows with equal keys travel together, in the same shard on every machine and in every run: caches, replicas and
/// sessions find theirs again. Shards are about as large as each other where keys are many and none is frequent.
/// Without a key, a row's number is its key. A shard without rows is left out, later ones move up.
///
/// example  hashed{.key = user_of_row, .shards = 16}
/// cost     O(rows) time and memory, a hash a row
/// errors   throws std::invalid_argument when a list of keys has other rows than the batch
/// threads  re-entrant; equal input gives an equal plan
struct hashed {
    row_key key = {};
    std::size_t shards = 0;  ///< 0: eight a worker

    template <class = void>
    [[nodiscard]] plan operator()(const workload& w) const {
        plan cut;
        if (w.rows == 0) return cut;
        const std::size_t count = shards != 0 ? shards : std::max<std::size_t>(w.workers, 1) * 8;
        const row_key& keys = key ? key : row_key([](std::size_t row) { return row; });
        std::vector<std::uint64_t> bucket = keys.of(w.rows, "hashed: keys");
        std::vector<std::size_t> ends(count + 1);
        for (std::uint64_t& one : bucket) {
            one = jump_hash(one, count);
            ++ends[one + 1];
        }
        for (std::size_t s = 0; s < count; ++s) {
            ends[s + 1] += ends[s];
            if (ends[s + 1] != ends[s]) cut.cuts.push_back(ends[s + 1]);
        }
        cut.order.resize(w.rows);
        for (std::size_t row = 0; row < w.rows; ++row) cut.order[ends[bucket[row]]++] = row;
        return cut;
    }
};
static_assert(partitioner<hashed>);

}  // namespace fanfold::inline FANFOLD_ABI
