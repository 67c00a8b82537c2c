// fanfold/infer/run_batch.hpp - one batch on one worker, right now: what streams and servers do once they have rows.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <cstddef>    // std::size_t
#include <exception>  // std::exception
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "attempt.hpp"
#include "bisect.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

struct batch_result {
    batch answers;                ///< a failed row holds NaN (0 where the type has none)
    std::vector<fault> failures;  ///< name rows of the batch, by their first row
};

/// Says nothing about single rows, so that others of the batch may pass without those that are at fault.
[[nodiscard]] inline bool takes_all(const fault& f, std::size_t rows) noexcept {
    const bool by_model =
        f.kind == fault_kind::threw || f.kind == fault_kind::out_of_memory || f.kind == fault_kind::wrong_shape;
    return by_model && f.rows.size() == rows;
}

/// Halves the rows of a batch that failed as a whole until those at fault stand alone.
template <class Run>
void run_apart(std::size_t rows, std::vector<fault>& failures, const Run& run) {
    bisection search(rows);
    search.failed(*search.next());
    failures.clear();
    for (unsigned attempt = 2; const auto half = search.next(); ++attempt) {
        plan part;
        part.cuts = {half->first, half->first + half->rows};
        std::vector<fault> found = run(row_set(part, 0), attempt).faults;
        if (half->rows > 1 && !found.empty() && takes_all(found.front(), half->rows)) {
            search.failed(*half);
            continue;
        }
        search.passed(*half);
        for (fault& f : found) failures.push_back(std::move(f));
    }
}

/// The model's answers for all rows of a batch. A row that makes the model throw fails alone. `requests`, where given,
/// are the cuts between those who asked: a model that mixes rows by definition is called for each of them apart, else
/// for every row.
///
/// errors   never throws but for lack of memory
template <class M>
[[nodiscard]] batch_result run_batch(const M& m, const batch& rows, const any_verifier& verify, workspace& space,
                                     std::span<const std::size_t> requests = {}) {
    const std::size_t count = rows.rows();
    plan shards;
    shards.cuts = {0, count};
    bool apart = false;
    std::vector<fault> failures;
    answer_store answers(shards, count);
    try {
        if constexpr (requires { m.row_mixer(rows); })
            if (count > 1 && !std::string(m.row_mixer(rows)).empty()) {
                apart = true;
                shards.cuts.assign(requests.begin(), requests.end());
                for (std::size_t row = 0; requests.empty() && row <= count; ++row) shards.cuts.push_back(row);
            }
        if constexpr (declared_model<M>) answers.declare(m.answers(rows));
    } catch (const std::exception& why) {
        failures.push_back({fault_kind::threw, why.what(), {}, 0});
        for (std::size_t row = 0; row < count; ++row) failures.back().rows.push_back(row);
    }
    const auto run = [&](const row_set& which, unsigned attempt) {
        return run_attempt(m, rows, which, claim{.attempt = attempt}, verify, answers, space);
    };
    if (failures.empty()) {
        for (std::size_t shard = 0; shard < shards.shards(); ++shard)
            for (fault& f : run(row_set(shards, shard), 1).faults) failures.push_back(std::move(f));
        if (!apart && count > 1 && !failures.empty() && takes_all(failures.front(), count))
            run_apart(count, failures, run);
    }
    std::sort(failures.begin(), failures.end(),
              [](const fault& a, const fault& b) { return a.rows.front() < b.rows.front(); });
    for (const fault& f : failures) answers.blank(f.rows);
    return {std::move(answers).take(), std::move(failures)};
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
