// fanfold/model/optimize.hpp - what an importer does to a graph before it is finished.
// SPDX-License-Identifier: MIT
#pragma once
#include "attention_fusion.hpp"
#include "chain_fusion.hpp"
#include "early_selection.hpp"
#include "fusion.hpp"
#include "joining.hpp"
#include "layout.hpp"
#include "spelling.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Fuses arithmetic into weights, recognizes what is spelt out, chooses layouts, fuses sums, joins what is put
/// together; activations are fused by the builder.
///
/// example  std::move(builder).finish({{"y", y}}, &optimize)
inline void optimize(const graph_draft& draft) {
    fuse_arithmetic(draft);
    fuse_spellings(draft);
    fuse_attention(draft);
    select_early(draft);
    choose_layout(draft);
    fuse_sums(draft);
    fuse_chains(draft);
    join_channels(draft);
}

}  // namespace fanfold::inline FANFOLD_ABI
