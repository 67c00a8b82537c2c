// fanfold/verify/vote.hpp - every shard is computed by several workers, and the bits that most of them gave count.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The copies of a shard run on distinct workers, the others once the first has passed; `quorum` equal ones count.
/// Without a quorum there is one more copy (where every worker has given one, each is asked once more), then the rows
/// have failed. Who gave other bits is named in `timeline::lies` and, while a quorum of workers is left, given nothing
/// more to do; later shards then have a copy less where workers are short.
///
/// cost     replicas - 1 more attempts a shard; a digest, about 10 GB/s, of the answers of each
/// errors   infer throws std::invalid_argument for fewer workers than replicas, a quorum that is no majority of them,
///          or a callable that does not say that its rows are independent (model/model.hpp)
struct vote {
    std::size_t replicas = 3;
    std::size_t quorum = 2;
};

}  // namespace fanfold::inline FANFOLD_ABI
