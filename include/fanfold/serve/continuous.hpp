// fanfold/serve/continuous.hpp - sequences of many threads, stepped together: they join and leave between steps.
//   sequence -> queue -> slot [ step, step, ... ] -> reply
// SPDX-License-Identifier: MIT
#pragma once
#include <concepts>     // std::invocable
#include <cstddef>      // std::size_t
#include <memory>       // std::shared_ptr
#include <optional>     // std::optional
#include <stdexcept>    // std::invalid_argument
#include <stop_token>   // std::stop_token
#include <thread>       // std::jthread
#include <type_traits>  // std::is_void_v
#include <utility>      // std::move

#include "continuous_core.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What is asked for one sequence; every member has a default.
///
/// example  server.submit(prompt, {.max_answers = 100, .deadline = now + 2s});
struct sequence_request {
    std::size_t max_answers = 0;  ///< of a generating model; 0: until it says that the sequence ends, or max_items
    int priority = 0;             ///< higher comes first; waiting makes up for less of it
    std::optional<time_point> deadline = {};  ///< it leaves when this comes, with the answers that it has then
    std::stop_token stop = {};                ///< the same, when it is set
};

/// Steps a model with sequences from any thread, on workers of an executor. Each worker goes on with a group of up to
/// max_slots at a time: one item of each in a step, and some of the prompts of those that are new. A sequence that
/// has all its answers leaves after that step, and who waits takes its slot in the next.
///
/// example  continuous server(cores, decoder, {.max_slots = 16});
///          reply r = server.submit(prompt, {.max_answers = 100}).get();   // r.answers: int64 [100]
/// result   one reply for each sequence, whatever happens: the answers that it has, and why there are no more. The bits
///          are those that it has alone
/// cost     a step: one lock, no allocation; a state for each slot; a thread that sleeps until a deadline. No worker is
///          kept while there are no sequences
/// errors   throws std::invalid_argument for options, items and lengths that do not fit. What fails later is in the
///          reply, its row the first answer that is missing: `threw` for a sequence that the model throws on, alone;
///          `overloaded` when more than max_queued wait, at once; `timed_out`; `stopped` where the token was set, the
///          pending was destroyed, or the server ended
/// requires executor and model outlive it; items are copied
/// threads  submit from any number. Who is in a step leaves when it ends, and destroying its pending waits for
///          that: not from within `each`. A reply that is waited for on a worker of the same executor may wait for that
///          worker: use then or co_await there
template <posting_executor Executor, stepping_model Model>
class continuous {
public:
    continuous(const Executor& workers, const Model& m, continuous_options how = {})
        : core_(std::make_shared<core>(workers, m, checked(std::move(how)))),
          time_([of = core_] { of->keep_time(); }) {}
    continuous(const Executor&&, const Model&, continuous_options = {}) = delete;  // both must outlive it
    continuous(const Executor&, const Model&&, continuous_options = {}) = delete;
    continuous(const Executor&&, const Model&&, continuous_options = {}) = delete;
    ~continuous() { core_->close(); }
    continuous(const continuous&) = delete;
    continuous& operator=(const continuous&) = delete;

    /// Axis 0 of anything viewable counts the items.
    template <viewable Items>
    [[nodiscard]] pending<reply> submit(const Items& items, const sequence_request& how = {}) {
        return core_->submit(as_view(items), how.max_answers, {how.priority, how.deadline, how.stop}, {});
    }
    /// Calls each(number, answer) with each answer as it comes, between two steps, on the worker; never after the
    /// reply is there. Where it returns false, that was the last.
    template <viewable Items, class Each>
    requires std::invocable<Each&, std::size_t, const tensor_view&>
    [[nodiscard]] pending<reply> submit(const Items& items, const sequence_request& how, Each each) {
        using said = std::invoke_result_t<Each&, std::size_t, const tensor_view&>;
        const auto call = [](void* self, std::size_t number, const tensor_view& answer) {
            Each& f = *static_cast<Each*>(self);
            if constexpr (!std::is_void_v<said>) return static_cast<bool>(f(number, answer));
            f(number, answer);
            return true;
        };
        detail::answer_sink sink{std::make_shared<Each>(std::move(each)), call};
        return core_->submit(as_view(items), how.max_answers, {how.priority, how.deadline, how.stop}, std::move(sink));
    }

    [[nodiscard]] continuous_counts counts() const { return core_->counts(); }

private:
    using core = detail::continuous_core<Executor, Model>;

    static continuous_options checked(continuous_options how) {
        if (how.max_slots == 0) throw std::invalid_argument("continuous: max_slots = 0 slots");
        if (how.prefill_items == 0) throw std::invalid_argument("continuous: prefill_items = 0 items a step");
        return how;
    }

    std::shared_ptr<core> core_;
    std::jthread time_;
};

}  // namespace fanfold::inline FANFOLD_ABI
