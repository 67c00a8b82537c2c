// fanfold/serve/unequal_lengths.hpp - rows of unequal length in one batch: which are padded together, answers cut back.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::find
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../partition/bucketed.hpp"
#include "request.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Rows of unequal length in one batch: zeros stand behind the shorter ones. The model must give a row the same answer
/// whatever stands there, as by a mask or a length among its inputs.
struct unequal_lengths {
    std::size_t axis = 1;                   ///< of all inputs that have rows and this axis
    std::size_t tokens_per_batch = 0;       ///< at most: rows times the longest; who waits is grouped by `bucketed`
    std::vector<std::size_t> answers = {};  ///< which have the axis, too: cut back to a request's own length
};

namespace detail {

/// Rows [first, first + rows) of a request, which is pieces[piece] in part or in whole.
struct rows_of_piece {
    std::size_t piece = 0;
    std::size_t first = 0;
    std::size_t rows = 0;
};

/// Every row of `pieces` in one of the groups that are padded together, as `bucketed` groups them; a row that is longer
/// than tokens_per_batch is alone.
template <class = void>
[[nodiscard]] std::vector<std::vector<rows_of_piece>> groups_by_length(std::span<const rows_of_batch> pieces,
                                                                       const unequal_lengths& how) {
    std::vector<rows_of_piece> each;
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < pieces.size(); ++i)
        for (std::size_t row = 0; row < pieces[i].rows; ++row) {
            each.push_back({i, pieces[i].first + row, 1});
            lengths.push_back(length_of(*pieces[i].of, how.axis));
        }
    const plan groups = bucketed{.length = lengths, .tokens_per_shard = how.tokens_per_batch}({.rows = lengths.size()});
    std::vector<std::vector<rows_of_piece>> all(groups.shards());
    for (std::size_t shard = 0; shard < groups.shards(); ++shard)
        for (std::size_t at = 0; at < groups.rows_of(shard); ++at) {
            const rows_of_piece& row = each[groups.row(shard, at)];
            std::vector<rows_of_piece>& group = all[shard];
            if (!group.empty() && group.back().piece == row.piece &&
                group.back().first + group.back().rows == row.first)
                ++group.back().rows;
            else
                group.push_back(row);
        }
    return all;
}

/// Views of `answers`, those that have the padded axis as long as the request's own rows are.
template <class = void>
[[nodiscard]] batch cut_back(const batch& answers, const batch& rows, const unequal_lengths& how) {
    const std::size_t length = length_of(rows, how.axis);
    std::vector<part> parts;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const part& p = answers.parts()[i];
        const bool has_it = std::find(how.answers.begin(), how.answers.end(), i) != how.answers.end();
        const bool cut =
            has_it && has_length(p, how.axis) && static_cast<std::size_t>(p.data().extent(how.axis)) > length;
        const tensor_view seen = cut ? p.data().slice(how.axis, 0, length) : p.data();
        parts.emplace_back(seen, p.rows(), p.name());
    }
    return batch(std::move(parts));
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
