// fanfold/sqlite/run_joiner.hpp - neighbouring runs of rows become one record: fewer records, full pages.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../checkpoint/ledger.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace sqlite {

/// Joins runs that are next to each other, where rows lie one behind the other in every answer.
///
/// example  rows [64,128) and [0,64) of one answer  ->  rows [0,128)
/// cost     one copy of the answers
/// threads  re-entrant
class run_joiner {
public:
    run_joiner() = default;
    run_joiner(const std::vector<tensor_type>& types, std::size_t rows) {
        bool in_turn = rows != 0;
        for (const tensor_type& type : types) {
            const std::size_t bytes = type.shape.volume() * size_of(type.type);
            in_turn = in_turn && type.rows == row_axis(0) && bytes % rows == 0;
            if (in_turn) row_bytes_.push_back(bytes / rows);
        }
        if (!in_turn) row_bytes_.clear();
    }

    /// The runs by their first rows; joined ones have answers of at most `most` bytes.
    [[nodiscard]] std::vector<rows_done> operator()(std::vector<rows_done> runs, std::size_t most) const {
        std::sort(runs.begin(), runs.end(), [](const rows_done& a, const rows_done& b) { return a.first < b.first; });
        if (row_bytes_.empty()) return runs;
        std::vector<rows_done> joined;
        for (std::size_t at = 0; at < runs.size();) {
            std::size_t end = at + 1;
            std::size_t bytes = runs[at].answers.size();
            while (end < runs.size() && runs[end].first == runs[end - 1].first + runs[end - 1].rows &&
                   bytes + runs[end].answers.size() <= most)
                bytes += runs[end++].answers.size();
            joined.push_back(end == at + 1 ? std::move(runs[at]) : one_of({runs.data() + at, end - at}, bytes));
            at = end;
        }
        return joined;
    }

private:
    [[nodiscard]] rows_done one_of(std::span<const rows_done> runs, std::size_t bytes) const {
        rows_done all{.first = runs.front().first};
        all.answers.reserve(bytes);
        std::size_t before = 0;  // bytes of a row in the answers before
        for (const std::size_t row : row_bytes_) {
            for (const rows_done& run : runs) {
                const auto from = run.answers.begin() + static_cast<std::ptrdiff_t>(before * run.rows);
                all.answers.insert(all.answers.end(), from, from + static_cast<std::ptrdiff_t>(row * run.rows));
            }
            before += row;
        }
        for (const rows_done& run : runs) {
            all.rows += run.rows;
            all.rows_digest += run.rows_digest;
        }
        return all;
    }

    std::vector<std::size_t> row_bytes_;  ///< of each answer; empty: runs stay apart
};

}  // namespace sqlite
}  // namespace fanfold::inline FANFOLD_ABI
