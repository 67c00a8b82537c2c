// fanfold/infer/submit.hpp - a job that does not keep its caller: infer on an executor's own threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>       // std::atomic
#include <exception>    // std::current_exception
#include <memory>       // std::make_shared
#include <stop_token>   // std::stop_source
#include <type_traits>  // std::is_lvalue_reference_v
#include <utility>      // std::move

#include "infer.hpp"
#include "pending.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// One submitted job. Run by whoever comes first: a worker, or who waits for it.
template <class Executor, class Model>
class submission {
public:
    submission(const Executor& workers, const Model& model, batch rows, options how)
        : workers_(workers),
          model_(model),
          rows_(std::move(rows)),
          how_(std::move(how)),
          caller_(how_.stop, stopping{&stopper_}) {
        how_.stop = stopper_.get_token();
    }

    void run() noexcept {
        if (begun_.exchange(true)) return;
        std::exception_ptr error;
        try {
            if constexpr (posting_executor<Executor>)
                there.finish(infer(posted_workers<Executor>(workers_), model_, rows_, how_));
            else
                there.finish(infer(workers_, model_, rows_, how_));
        } catch (...) {
            error = std::current_exception();
        }
        if (error != nullptr) there.fail(std::move(error));
    }

    promise<job> there{[](void* self) { static_cast<submission*>(self)->run(); },
                       [](void* self) { return static_cast<submission*>(self)->give_up(); }, this};

private:
    struct stopping {
        std::stop_source* stopper;
        void operator()() const { stopper->request_stop(); }
    };

    /// True when it runs: then nothing may be ended before it has.
    bool give_up() {
        stopper_.request_stop();
        return begun_.exchange(true);
    }

    const Executor& workers_;
    const Model& model_;
    batch rows_;
    options how_;
    std::stop_source stopper_;
    std::stop_callback<stopping> caller_;
    std::atomic<bool> begun_{false};
};

}  // namespace detail

/// Begins a job as `infer` does, and returns at once. Any number may be in flight: they share the executor's threads,
/// none is started for one of them alone. An executor that takes no tasks (`serial`) computes the job right here.
///
/// example  auto answers = submit(cores, model, images);  ...  answers.get().answers
/// example  job done = co_await submit(cores, model, images);
/// result   the job that infer returns; what infer throws is thrown by get() and co_await
/// cost     about 2 us more than infer
/// requires executor and model, and rows given as an lvalue, outlive what it returns. That may be destroyed at any
///          time: a job that has not begun never will, one that runs is stopped and waited for, as by std::jthread. Who
///          waits for a job that has not begun runs it: waiting on one of the executor's own threads never hangs
template <class Executor, class Model, class Rows>
requires(executor<std::remove_cvref_t<Executor>>&& model<std::remove_cvref_t<Model>>&&
             std::is_lvalue_reference_v<Executor>&& std::is_lvalue_reference_v<Model>)
    [[nodiscard]] pending<job> submit(Executor&& workers, Model&& m, Rows&& rows, options how = {}) {
    using state_type = detail::submission<std::remove_cvref_t<Executor>, std::remove_cvref_t<Model>>;
    const auto state = std::make_shared<state_type>(workers, m, batch(std::forward<Rows>(rows)), std::move(how));
    if constexpr (posting_executor<std::remove_cvref_t<Executor>>)
        workers.post({state, [](void* self) { static_cast<state_type*>(self)->run(); }});
    else
        state->run();
    return pending<job>(std::shared_ptr<detail::promise<job>>(state, &state->there));
}

}  // namespace fanfold::inline FANFOLD_ABI
