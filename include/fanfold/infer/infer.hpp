// fanfold/infer/infer.hpp - the journey of a batch: fanned out over an executor's workers, folded back in row order.
//   rows -> partition -> place -> schedule [ model -> kernel ] -> verify -> checkpoint -> fold -> answers
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <concepts>     // std::convertible_to
#include <cstddef>      // std::size_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <type_traits>  // std::conditional_t
#include <utility>      // std::move

#include "../core/in_quotes.hpp"
#include "attempt.hpp"
#include "digest_record.hpp"
#include "job.hpp"
#include "options.hpp"
#include "policy_claims.hpp"
#include "record.hpp"
#include "resume.hpp"
#include "sum_watch.hpp"

namespace fanfold::inline FANFOLD_ABI {

namespace detail {

/// A batch as it is, or one made of something viewable.
template <class Rows>
using batch_of = std::conditional_t<std::same_as<Rows, batch>, const batch&, const batch>;

/// The plan that the partitioner makes, fitted to what the model can take; throws std::invalid_argument when it cannot.
template <class M>
[[nodiscard]] plan partition(const M& m, const any_partitioner& cut, const batch& rows, const workload& w) {
    plan shards = cut(w);
    check_plan(shards, w.rows);
    if (const std::size_t batch = fixed_rows(m)) {  // a static batch: exactly that many rows a shard
        plan whole = contiguous{.rows_per_shard = batch}(w);
        whole.order = std::move(shards.order);
        return whole;
    }
    const std::string mixer = shards.shards() > 1 ? row_mixer_of(m, rows) : std::string();
    if (!mixer.empty())
        throw std::invalid_argument(
            "infer: " + detail::in_quotes(mixer) +
            " makes rows depend on each other, so the batch cannot be split; use contiguous{.shards = 1}");
    return shards;
}

/// Whether a model may be asked for some of a shard's rows: not where they depend on each other or a batch is static.
template <class M>
[[nodiscard]] shards_are divided(const M& m, const batch& rows) {
    return fixed_rows(m) > 1 || !row_mixer_of(m, rows).empty() ? shards_are::whole : shards_are::divisible;
}

/// What a journey is made of, named by way of the model: these classes are compiled where somebody travels.
template <class>
struct parts_of {
    using claims = policy_claims;
    using answers = answer_store;
    using log = record;
    using resumed = resumption;
    using digests = digest_record;
};

}  // namespace detail

/// Computes the model's answers for all rows, on the executor's workers, into one result in row order.
///
/// example  auto job = infer(tbb_executor(), model, images, {.partition = contiguous{.rows_per_shard = 64}});
/// result   a row's answer has the same bits for every executor, worker count, partition and order of execution, where
///          the model computes rows independently of each other
/// errors   throws std::invalid_argument when rows and model do not fit, before anything runs; what fails at
///          run time is a failure of the rows concerned, and all other rows keep their answers
/// threads  re-entrant: one model and one executor serve several calls at once
template <executor Executor, model Model, class Rows>
requires(std::same_as<Rows, batch> || viewable<Rows>) [[nodiscard]] job
    infer(const Executor& workers, const Model& model, const Rows& input, const options& how = {}) {
    using parts = detail::parts_of<Model>;
    detail::batch_of<Rows> rows(input);
    const clock time = clock_of(workers);
    const stop stopping(how.stop, how.deadline, time);

    // partition: which rows travel together?
    plan shards = detail::partition(model, how.partition, rows, {rows.rows(), workers.workers()});
    const detail::shards_are divided = detail::divided(model, rows);

    // checkpoint: what did an earlier run of this job do already?
    typename parts::resumed before(how.ledger, rows, how.model_fingerprint, divided);
    shards = before.rest_of(std::move(shards), divided);
    const auto rules = detail::recheck_rules::of(how, workers.workers(), workers.name(), detail::rows_of_model(model));
    const std::size_t useful = rules.useful(shards.shards(), workers.workers());

    // what runs, in which order and how often; a plan with an order of its own says what comes first
    const claim_order order = shards.order.empty() ? workers.order() : claim_order::shared;
    typename parts::claims claims(shards, how, divided, order, useful, workers.workers(), stopping, rules);

    // place: where are the answers, and how much scratch memory does a worker need?
    typename parts::answers answers(shards, rows.rows(), claims.where());
    std::size_t scratch = detail::shard_rows_bytes(rows, shards, claims.of_shards());
    if constexpr (declared_model<Model>) {
        answers.declare(model.answers(rows));
        scratch += model.workspace_bytes(shards.largest()) + answers.room_bytes(claims.of_shards());
    }
    before.restore(answers);

    // schedule: workers claim shards; each attempt gathers rows, runs the model, verifies and commits
    typename parts::log log(shards, rows.rows(), how.on_event, time);
    detail::sum_watch sums(how.checksum, model);
    typename parts::digests digested(how.digests, rows.rows());
    const bool decides = claims.decides() || how.time_limit || how.digests != digests::none;
    const auto next = [&](std::size_t worker, time_point now) { return claims.next(worker, now); };
    const auto run = [&](const claim& what, workspace& space) {
        const detail::row_set which = claims.rows(what);
        before.look_at(which);
        claims.limit(what, space);
        const auto watch = sums.over(what, space);
        const auto commits = [&](const outcome& checked, const batch_view& written) {
            if (how.time_limit) space.stop.check();  // what comes too late does not count
            const detail::recheck_reason reason = watch.reason(what);
            if (!claims.commits(what, checked, claims.compares(what, reason) ? digest(written) : 0, reason))
                return false;
            digested.add(which, written, answers);
            return true;
        };
        return detail::run_attempt(model, rows, which, what, how.verify, answers, space,
                                   decides ? detail::commit_gate(commits) : detail::commit_gate());
    };
    const auto done = [&](const attempt& ended, outcome&& result) {
        const detail::row_set which = claims.rows(ended.what);
        auto [stay, counts] = claims.done(ended, result);
        if (counts) before.keep(which, result.faults, answers);
        log.add(ended, which.rows(), result, std::move(stay));
    };
    if (shards.shards() != 0) workers.run({next, done, run, useful, scratch, stopping, how.on_event, how.idle});

    // fold: back in row order, and what failed by name
    log.keep(claims.given_up());
    job all = std::move(log).finish(answers, stopping, std::string(workers.name()), workers.workers());
    all.shards = std::move(shards);
    all.events.resumed = before.resumed();
    sums.tell(all.events);
    claims.tell(all.events);
    std::move(digested).finish(all);
    before.finish(all.failures);
    return all;
}

}  // namespace fanfold::inline FANFOLD_ABI
