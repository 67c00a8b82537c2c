// fanfold/infer/run_batch.hpp - one batch on one worker, right now: what streams and servers do once they have rows.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::unique
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <exception>  // std::exception
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../partition/contiguous.hpp"
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

/// The answers' types for these rows, also where the model itself only takes a multiple of `fixed`.
template <class M>
[[nodiscard]] std::vector<tensor_type> answer_types(const M& m, const batch& rows, std::size_t fixed) {
    const std::size_t count = rows.rows();
    if (fixed == 0 || count % fixed == 0) return m.answers(rows);
    const std::size_t more = (count / fixed + 1) * fixed;
    std::vector<part> parts;
    for (const part& p : rows.parts()) {
        if (!p.rows()) {
            parts.push_back(p);
            continue;
        }
        const std::size_t each = entries_per_row(p.data().shape(), *p.rows(), count);
        parts.emplace_back(
            tensor(p.data().type(), p.data().shape().with(*p.rows(), static_cast<std::int64_t>(more * each))), p.rows(),
            p.name());
    }
    std::vector<tensor_type> types = m.answers(batch(std::move(parts)));
    for (tensor_type& type : types)
        if (type.rows) {
            const std::size_t each = entries_per_row(type.shape, *type.rows, more);
            type.shape = type.shape.with(*type.rows, static_cast<std::int64_t>(count * each));
        }
    return types;
}

/// Halves rows that failed as a whole until those at fault stand alone.
template <class Run>
void run_apart(row_range whole, std::vector<fault>& failures, const Run& run) {
    bisection search(whole.rows);
    search.failed(*search.next());
    for (unsigned attempt = 2; const auto half = search.next(); ++attempt) {
        std::vector<fault> found = run({whole.first + half->first, half->rows}, attempt);
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
/// for every row. A model with a fixed number of rows a call gets the last row again in place of those that lack.
///
/// errors   never throws but for lack of memory
template <class M>
[[nodiscard]] batch_result run_batch(const M& m, const batch& rows, const any_verifier& verify, workspace& space,
                                     std::span<const std::size_t> requests = {}) {
    const std::size_t count = rows.rows(), fixed = fixed_rows(m);
    plan shards;
    shards.cuts = {0, count};
    bool mixed = false;
    std::vector<fault> failures;
    answer_store answers(shards, count);
    try {
        mixed = count > 1 && !row_mixer_of(m, rows).empty();
        if (mixed && !requests.empty())
            shards.cuts.assign(requests.begin(), requests.end());
        else if (mixed || fixed != 0)
            shards = contiguous{.rows_per_shard = mixed ? 1 : fixed}({.rows = count});
        if constexpr (declared_model<M>) answers.declare(answer_types(m, rows, fixed));
    } catch (const std::exception& why) {
        failures.push_back({fault_kind::threw, why.what(), {}, 0});
        for (std::size_t row = 0; row < count; ++row) failures.back().rows.push_back(row);
    }
    const auto run = [&](row_range part, unsigned attempt) {
        const claim what{.attempt = attempt};
        std::vector<std::size_t> numbers;
        for (std::size_t at = 0; part.rows < fixed && at < fixed; ++at)
            numbers.push_back(part.first + std::min(at, part.rows - 1));
        plan alone;
        alone.cuts = {part.first, part.first + part.rows};
        const row_set which = numbers.empty() ? row_set(alone, 0) : row_set(numbers);
        std::vector<fault> found = run_attempt(m, rows, which, what, verify, answers, space).faults;
        for (fault& f : found) f.rows.erase(std::unique(f.rows.begin(), f.rows.end()), f.rows.end());
        return found;
    };
    if (failures.empty())
        for (std::size_t shard = 0; shard < shards.shards(); ++shard) {
            const row_range whole{shards.cuts[shard], shards.rows_of(shard)};
            std::vector<fault> found = run(whole, 1);
            if (!mixed && whole.rows > 1 && !found.empty() && takes_all(found.front(), whole.rows))
                run_apart(whole, failures, run);
            else
                for (fault& f : found) failures.push_back(std::move(f));
        }
    std::sort(failures.begin(), failures.end(),
              [](const fault& a, const fault& b) { return a.rows.front() < b.rows.front(); });
    for (const fault& f : failures) answers.blank(f.rows);
    return {std::move(answers).take(), std::move(failures)};
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
