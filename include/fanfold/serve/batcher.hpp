// fanfold/serve/batcher.hpp - single requests of many threads, computed in batches on an executor's workers.
//   request -> queue -> batch [ model ] -> replies
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::same_as
#include <memory>       // std::shared_ptr
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <thread>       // std::jthread
#include <type_traits>  // std::remove_cvref_t
#include <utility>      // std::move

#include "../infer/stream_ends.hpp"
#include "batcher_core.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Takes single rows or small batches from any thread and computes them together, on workers of an executor.
///
/// example  batcher server(cores, model, {.max_rows = 32});
///          server.submit(image, {.deadline = now + 50ms}).then([](reply r) { ... }).detach();
/// result   one reply for each request, whatever happens; a row's answer has the same bits as alone, where the model
///          computes rows independently
/// cost     about 2 us a request; a thread that sleeps until a deadline or max_delay;
///          no worker is kept while nothing is due
/// errors   throws std::invalid_argument for max_rows = 0 and for requests without rows. What fails later is in the
///          reply: a row that the model throws on fails alone; `overloaded` when more than max_queued_rows wait, at
///          once; `timed_out` for what is not started by its deadline; `stopped` where the request's token was set, its
///          pending was destroyed, or the batcher ended
/// requires executor and model outlive it; rows are copied, or moved from
/// threads  submit from any number; the destructor stops batches that run and waits for them. A reply that is waited
///          for on a worker of the same executor may wait for that worker: use then or co_await there
template <posting_executor Executor, model Model>
class batcher {
public:
    batcher(const Executor& workers, const Model& m, batcher_options how = {})
        : core_(std::make_shared<core>(workers, m, checked(std::move(how)))),
          time_([of = core_] { of->keep_time(); }) {}
    batcher(const Executor&&, const Model&, batcher_options = {}) = delete;  // both must outlive it
    batcher(const Executor&, const Model&&, batcher_options = {}) = delete;
    batcher(const Executor&&, const Model&&, batcher_options = {}) = delete;
    ~batcher() { core_->close(); }
    batcher(const batcher&) = delete;
    batcher& operator=(const batcher&) = delete;

    /// Rows as `infer` takes them: axis 0 of anything viewable counts them. Those of a request that is too large for a
    /// batch are computed in several.
    template <class Rows>
    requires(std::same_as<std::remove_cvref_t<Rows>, batch> || viewable<Rows>)
        [[nodiscard]] pending<reply> submit(Rows&& rows, const request_options& how = {}) {
        if constexpr (std::same_as<std::remove_cvref_t<Rows>, batch>)
            return core_->submit(detail::owned_copy(rows), how);
        else if constexpr (std::is_lvalue_reference_v<Rows> || detail::only_refers<std::remove_cvref_t<Rows>>)
            return core_->submit_copy(as_view(rows), how);
        else
            return core_->submit(batch(std::forward<Rows>(rows)), how);
    }
    /// One row without a row axis.
    template <stream_row Row>
    [[nodiscard]] pending<reply> submit_row(const Row& row, const request_options& how = {}) {
        return core_->submit(detail::stacked(std::span<const Row>(&row, 1)), how);
    }

    [[nodiscard]] batcher_counts counts() const { return core_->counts(); }

private:
    using core = detail::batcher_core<Executor, Model>;

    static batcher_options checked(batcher_options how) {
        if (how.max_rows == 0) throw std::invalid_argument("batcher: batches of max_rows = 0 rows");
        if (how.lengths && how.lengths->tokens_per_batch == 0)
            throw std::invalid_argument("batcher: rows of unequal length in batches of tokens_per_batch = 0");
        return how;
    }

    std::shared_ptr<core> core_;
    std::jthread time_;
};

}  // namespace fanfold::inline FANFOLD_ABI
