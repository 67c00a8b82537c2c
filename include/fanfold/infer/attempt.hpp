// fanfold/infer/attempt.hpp - one attempt at a shard: rows in, model, check, answers out; what is thrown becomes a
// fault. SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <concepts>   // std::same_as
#include <cstddef>    // std::size_t
#include <exception>  // std::exception
#include <new>        // std::bad_alloc
#include <span>       // std::span
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../context/floating_point.hpp"
#include "../core/outcome.hpp"
#include "../model/model.hpp"
#include "../schedule/claim.hpp"
#include "../verify/verifier.hpp"
#include "answers.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// What a callable returned, as a tensor whose axis 0 counts the rows; throws wrong_shape_error when it cannot.
template <class = void>
[[nodiscard]] tensor_view as_answers(const tensor_view& returned, std::size_t rows) {
    const auto count = static_cast<std::int64_t>(rows);
    if (returned.rank() >= 1 && returned.extent(0) == count) return returned;
    if (returned.rank() == 1 && returned.dense() && count != 0 && returned.extent(0) % count == 0)
        return returned.reshaped(shape{count, returned.extent(0) / count});
    throw wrong_shape_error("expected answers for " + std::to_string(rows) + " rows along axis 0, got " +
                            describe(returned));
}

/// Copies what a callable returned to where the shard's answers go.
template <class = void>
[[nodiscard]] mutable_batch_view keep(answer_store& answers, std::span<const tensor_view> returned, std::size_t shard,
                                      std::size_t rows, workspace& space) {
    answers.declare_like(returned, rows);
    const mutable_batch_view room = answers.room(shard, space);
    for (std::size_t i = 0; i < room.size(); ++i) copy_elements(returned[i], room[i]);
    return room;
}

template <class R>
[[nodiscard]] mutable_batch_view keep_returned(answer_store& answers, const R& returned, std::size_t shard,
                                               std::size_t rows, workspace& space) {
    if constexpr (std::same_as<R, std::vector<tensor>>) {
        const auto views = space.take<tensor_view>(returned.size());
        for (std::size_t i = 0; i < views.size(); ++i) new (&views[i]) tensor_view(as_answers(returned[i], rows));
        return keep(answers, views, shard, rows, space);
    } else if constexpr (materializable<R>) {
        const plain_of<R> value(returned);
        return keep_returned(answers, value, shard, rows, space);
    } else {
        const tensor_view view = as_answers(as_view(returned), rows);
        return keep(answers, {&view, 1}, shard, rows, space);
    }
}

/// Runs the model on the rows of a shard; its answers as they were written.
template <class M>
[[nodiscard]] mutable_batch_view compute(const M& m, const batch_view& rows, std::size_t shard, answer_store& answers,
                                         workspace& space) {
    if constexpr (declared_model<M>) {
        const mutable_batch_view room = answers.room(shard, space);
        m(rows, room, space);
        return room;
    } else if constexpr (answers_when_called<M, const batch_view&, workspace&>) {
        return keep_returned(answers, m(rows, space), shard, rows.rows(), space);
    } else {
        return keep_returned(answers, m(rows), shard, rows.rows(), space);
    }
}

template <class = void>
[[nodiscard]] outcome failed(fault_kind kind, std::string message) {
    outcome result;
    result.faults.push_back({kind, std::move(message), {}, 1});
    return result;
}

/// Checks and commits; the faults that the verifier names, if any.
template <class = void>
[[nodiscard]] outcome settle(const any_verifier& verify, const mutable_batch_view& written, std::size_t shard,
                             answer_store& answers, workspace& space) {
    outcome result;
    if (verify) {
        const auto views = space.take<tensor_view>(written.size());
        for (std::size_t i = 0; i < views.size(); ++i) new (&views[i]) tensor_view(written[i]);
        result.faults = verify(batch_view(views, written.rows()));
    }
    answers.commit(shard, written);
    return result;
}

/// A verifier that names rows outside of its shard says nothing that can be trusted: the whole shard fails.
template <class = void>
void refuse_strangers(outcome& result, std::size_t rows) {
    for (const fault& f : result.faults)
        for (const std::size_t row : f.rows)
            if (row >= rows) {
                result = failed(fault_kind::threw, "the verifier named row " + std::to_string(row) + " of a shard of " +
                                                       std::to_string(rows) + " rows");
                return;
            }
}

/// The whole attempt, under the one floating-point environment. Never throws; faults name rows by their numbers in the
/// batch, all of the shard where the fault itself names none.
template <class M>
[[nodiscard]] outcome run_attempt(const M& m, const batch& all, const plan& shards, const claim& what,
                                  const any_verifier& verify, answer_store& answers, workspace& space) {
    const workspace::scope scratch(space);
    outcome result;
    try {
        const floating_point_scope environment;
        space.stop.check();
        const batch_view rows = shard_rows(all, shards, what.shard, space);
        const mutable_batch_view written = compute(m, rows, what.shard, answers, space);
        result = settle(verify, written, what.shard, answers, space);
    } catch (const stopped_error& why) {
        result =
            failed(why.reason() == stop_reason::deadline ? fault_kind::timed_out : fault_kind::stopped, why.what());
    } catch (const wrong_shape_error& why) {
        result = failed(fault_kind::wrong_shape, why.what());
    } catch (const std::bad_alloc&) {
        result = failed(fault_kind::out_of_memory, "the model ran out of memory");
    } catch (const std::exception& why) {
        result = failed(fault_kind::threw, why.what());
    } catch (...) {
        result = failed(fault_kind::threw, "the model threw something that is no std::exception");
    }
    refuse_strangers(result, shards.rows_of(what.shard));
    for (fault& f : result.faults) {
        f.attempts = what.attempt;
        if (f.rows.empty())
            for (std::size_t at = 0; at < shards.rows_of(what.shard); ++at) f.rows.push_back(at);
        for (std::size_t& row : f.rows) row = shards.row(what.shard, row);
        std::sort(f.rows.begin(), f.rows.end());
    }
    return result;
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
