// fanfold/verify/checksum.hpp - products with constant weights are checked as they are computed.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Each row that a graph's matrix products with constant weights, and its direct convolutions, compute must add up to
/// what the sums of the weights say, as far as rounding goes. A shard in which a row does not is computed again, by
/// another worker where there is one: equal bits are taken for right (`check_counts::unconfirmed`: weights that repeat
/// make errors that add up), else the majority of three decides. Weights that are not what they were at load make the
/// shard fail as `damaged`.
///
/// The answers' bits stay what they are. What is not looked at: Winograd and depthwise convolutions (but for their
/// weights), products of two values, attention, recurrent cells, activations, normalizations, pooling; `duplicate` sees
/// those. `graph::summary` tells of each step whether checksums see it.
///
/// cost     about 8/N + 5/K of each product [K, N]; the first job reads the weights twice more, unless they were summed
///          at load (onnx::load_options::sums)
/// errors   infer throws std::invalid_argument for a model that is no graph, or a fraction outside of [0, 1]
/// source   Huang & Abraham, "Algorithm-Based Fault Tolerance for Matrix Operations", 1984
struct checksum {
    double fraction = 1;     ///< of the shards
    std::uint64_t seed = 0;  ///< the same seed, the same sample
    /// Shards after which a worker looks at all weights again; 0: where a row is suspicious.
    std::size_t weights_every = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
