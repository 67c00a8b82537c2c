// fanfold/infer/attempt.hpp - one attempt at a shard: rows in, model, check, answers out; what is thrown becomes a
// fault.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <concepts>   // std::same_as
#include <cstddef>    // std::size_t
#include <exception>  // std::exception
#include <new>        // std::bad_alloc
#include <span>       // std::span
#include <stdexcept>  // std::runtime_error
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

/// Weights are not what they were; becomes fault_kind::damaged.
struct damaged_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

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
[[nodiscard]] mutable_batch_view keep(answer_store& answers, std::span<const tensor_view> returned,
                                      const row_set& which, workspace& space) {
    answers.declare_like(returned, which.rows());
    const mutable_batch_view room = answers.room(which, space);
    for (std::size_t i = 0; i < room.size(); ++i) copy_elements(returned[i], room[i]);
    return room;
}

template <class R>
[[nodiscard]] mutable_batch_view keep_returned(answer_store& answers, const R& returned, const row_set& which,
                                               workspace& space) {
    if constexpr (std::same_as<R, std::vector<tensor>>) {
        const auto views = space.take<tensor_view>(returned.size());
        for (std::size_t i = 0; i < views.size(); ++i)
            new (&views[i]) tensor_view(as_answers(returned[i], which.rows()));
        return keep(answers, views, which, space);
    } else if constexpr (materializable<R>) {
        const plain_of<R> value(returned);
        return keep_returned(answers, value, which, space);
    } else {
        const tensor_view view = as_answers(as_view(returned), which.rows());
        return keep(answers, {&view, 1}, which, space);
    }
}

/// Runs the model on those rows; its answers as they were written.
template <class M>
[[nodiscard]] mutable_batch_view compute(const M& m, const batch_view& rows, const row_set& which,
                                         answer_store& answers, workspace& space) {
    if constexpr (declared_model<M>) {
        const mutable_batch_view room = answers.room(which, space);
        m(rows, room, space);
        return room;
    } else if constexpr (answers_when_called<M, const batch_view&, workspace&>) {
        return keep_returned(answers, m(rows, space), which, space);
    } else {
        return keep_returned(answers, m(rows), which, space);
    }
}

template <class = void>
[[nodiscard]] outcome failed(fault_kind kind, std::string message) {
    outcome result;
    result.faults.push_back({kind, std::move(message), {}, 1});
    return result;
}

/// In a catch clause: what a model threw, as a fault without rows.
template <class = void>
[[nodiscard]] fault fault_in_flight() {
    try {
        throw;
    } catch (const stopped_error& why) {
        const bool late = why.reason() == stop_reason::deadline;
        return {late ? fault_kind::timed_out : fault_kind::stopped, why.what(), {}, 1};
    } catch (const damaged_error& why) {
        return {fault_kind::damaged, why.what(), {}, 1};
    } catch (const wrong_shape_error& why) {
        return {fault_kind::wrong_shape, why.what(), {}, 1};
    } catch (const std::bad_alloc&) {
        return {fault_kind::out_of_memory, "the model ran out of memory", {}, 1};
    } catch (const std::exception& why) {
        return {fault_kind::threw, why.what(), {}, 1};
    } catch (...) {
        return {fault_kind::threw, "the model threw something that is no std::exception", {}, 1};
    }
}

/// Whether an attempt's answers count: of two at the same rows one commits. Empty: always.
using commit_gate = function_ref<bool(const outcome& checked, const batch_view& written)>;

/// Checks and commits; the faults that the verifier names, if any, are the result's.
template <class = void>
void settle(outcome& result, const any_verifier& verify, const mutable_batch_view& written, const row_set& which,
            answer_store& answers, const commit_gate& gate, workspace& space) {
    bool commits = true;
    if (verify || gate) {
        const auto views = space.take<tensor_view>(written.size());
        for (std::size_t i = 0; i < views.size(); ++i) new (&views[i]) tensor_view(written[i]);
        const batch_view seen(views, written.rows());
        if (verify) result.faults = verify(seen);
        if (gate) commits = gate(result, seen);
    }
    if (commits) answers.commit(which, written);
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
/// batch, all of the attempt's where the fault itself names none.
template <class M>
[[nodiscard]] outcome run_attempt(const M& m, const batch& all, const row_set& which, const claim& what,
                                  const any_verifier& verify, answer_store& answers, workspace& space,
                                  const commit_gate& gate = {}) {
    const workspace::scope scratch(space);
    outcome result;
    try {
        const floating_point_scope environment;
        space.stop.check();
        const batch_view rows = shard_rows(all, which, space);
        const mutable_batch_view written = compute(m, rows, which, answers, space);
        settle(result, verify, written, which, answers, gate, space);
    } catch (...) {
        result = {};
        result.faults.push_back(fault_in_flight());
    }
    if (result.answered()) return result;
    refuse_strangers(result, which.rows());
    for (fault& f : result.faults) {
        f.attempts = what.attempt;
        if (f.rows.empty())
            for (std::size_t at = 0; at < which.rows(); ++at) f.rows.push_back(at);
        for (std::size_t& row : f.rows) row = which.row(row);
        std::sort(f.rows.begin(), f.rows.end());
    }
    return result;
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
