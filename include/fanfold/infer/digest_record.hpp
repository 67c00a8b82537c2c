// fanfold/infer/digest_record.hpp - digests of answers as they are computed, by row.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <string>   // std::string
#include <utility>  // std::move
#include <vector>   // std::vector

#include "../verify/digest.hpp"
#include "answers.hpp"
#include "job.hpp"
#include "options.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What `digests::of_rows` says of one row: `at` of `rows` rows in `count` answers with those row axes.
template <class Answer, class Axis>
[[nodiscard]] std::uint64_t row_digest(std::size_t count, const Answer& answer, const Axis& axis, std::size_t at,
                                       std::size_t rows) {
    std::uint64_t only = 0;
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
        const tensor_view whole = answer(i);
        const row_axis by = axis(i);
        const std::size_t each = by ? entries_per_row(whole.shape(), *by, rows) : 0;
        only = digest(by ? whole.slice(*by, at * each, each) : whole);
        if (count > 1) all += digest_text(only);
    }
    return count == 1 ? only : hash_bytes(all.data(), all.size());
}

/// The digest of a row of whole answers.
template <class = void>
[[nodiscard]] std::uint64_t row_digest(const batch& answers, std::size_t row) {
    return row_digest(
        answers.size(), [&](std::size_t i) { return answers.parts()[i].data(); },
        [&](std::size_t i) { return answers.parts()[i].rows(); }, row, answers.rows());
}

/// cost     nothing where no digests are wanted; else a pass over what was written, by its worker
/// threads  `add` from all workers at once, for disjoint rows
template <class>
class basic_digest_record {
public:
    basic_digest_record(digests wanted, std::size_t rows)
        : wanted_(wanted), rows_(wanted == digests::none ? 0 : rows) {}

    void add(const row_set& which, const batch_view& written, const answer_store& answers) {
        if (rows_.empty()) return;
        for (std::size_t at = 0; at < which.rows(); ++at)
            rows_[which.row(at)] = row_digest(
                written.size(), [&](std::size_t i) { return written[i]; },
                [&](std::size_t i) { return answers.types()[i].rows; }, at, which.rows());
    }

    /// Rows that an earlier run did are digested now; 0 stands for failed ones.
    void finish(job& done) && {
        if (rows_.empty()) return;
        for (std::size_t row = 0; row < rows_.size() && done.events.resumed != 0; ++row)
            if (rows_[row] == 0) rows_[row] = row_digest(done.answers, row);
        for (const fault& f : done.failures)
            for (const std::size_t row : f.rows) rows_[row] = 0;
        if (wanted_ == digests::of_rows) {
            done.digests = std::move(rows_);
            return;
        }
        for (std::size_t shard = 0; shard < done.shards.shards(); ++shard) {
            std::string all;
            for (std::size_t at = 0; at < done.shards.rows_of(shard); ++at)
                all += digest_text(rows_[done.shards.row(shard, at)]);
            done.digests.push_back(hash_bytes(all.data(), all.size()));
        }
    }

private:
    digests wanted_;
    std::vector<std::uint64_t> rows_;
};
using digest_record = basic_digest_record<void>;

}  // namespace detail

/// Rows whose answers are not those that `job::digests` were made of, ascending: changed since,
/// in memory or on their way.
///
/// cost     about 10 GB/s
/// requires a job with `digests::of_rows`; failed rows are not looked at
template <class = void>
[[nodiscard]] std::vector<std::size_t> changed_rows(const job& done) {
    std::vector<bool> failed(done.digests.size());
    for (const fault& f : done.failures)
        for (const std::size_t row : f.rows)
            if (row < failed.size()) failed[row] = true;
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < done.digests.size(); ++row)
        if (!failed[row] && detail::row_digest(done.answers, row) != done.digests[row]) rows.push_back(row);
    return rows;
}

}  // namespace fanfold::inline FANFOLD_ABI
