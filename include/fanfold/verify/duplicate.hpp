// fanfold/verify/duplicate.hpp - a sample of shards is computed twice, by different workers, and the bits are compared.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>  // std::uint64_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Shards of the sample count when two workers gave the same bits. Where the first two differ, a third computation
/// decides, on a third worker where there is one; else both are asked once more. Who gave other bits is named in
/// `timeline::lies` and, while two workers are left, given nothing more to do.
///
/// cost     `fraction` more attempts; a digest, about 10 GB/s, of the answers of both
/// errors   infer throws std::invalid_argument for fewer than two workers, a fraction outside of [0, 1], or a callable
///          that does not say that its rows are independent (model/model.hpp); rows on whose bits no two workers agree
///          have failed, with all digests in the message
struct duplicate {
    double fraction = 1;     ///< of the shards
    std::uint64_t seed = 0;  ///< the same seed, the same sample
};

}  // namespace fanfold::inline FANFOLD_ABI
