// fanfold/model/optimize.hpp - what an importer does to a graph before it is finished.
// SPDX-License-Identifier: MIT
#pragma once
#include "fusion.hpp"
#include "layout.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Fuses arithmetic into weights, chooses layouts, fuses sums; activations are fused by the builder.
///
/// example  std::move(builder).finish({{"y", y}}, &optimize)
inline void optimize(const graph_draft& draft) {
    fuse_arithmetic(draft);
    choose_layout(draft);
    fuse_sums(draft);
}

}  // namespace fanfold::inline FANFOLD_ABI
