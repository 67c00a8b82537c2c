// fanfold/serve/continuous_core.hpp - the threads around a sequence_queue: who waits, who steps, who keeps the time.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>   // std::size_t
#include <memory>    // std::shared_ptr
#include <mutex>     // std::mutex
#include <optional>  // std::optional
#include <utility>   // std::move
#include <vector>    // std::vector

#include "../infer/pending.hpp"
#include "../verify/verifier.hpp"
#include "request.hpp"
#include "sequence_queue.hpp"
#include "staff.hpp"
#include "stepper.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct continuous_options {
    std::size_t max_slots = 16;      ///< sequences that a worker steps with at a time; each has a state
    std::size_t prefill_items = 32;  ///< of prompts, in one step: how long these keep the others waiting
    std::size_t groups = 0;          ///< that step independently, each on a worker; 0: as many as there are workers
    std::size_t max_queued = 1024;   ///< sequences that wait for a slot; who comes then is `overloaded` at once
    when_full full = when_full::refuse;
    duration aging = std::chrono::milliseconds(100);  ///< waiting this long is worth one step of priority
    joining join = joining::between_steps;
    any_verifier verify = {};  ///< what is checked of each step's answers, e.g. finite{}; who does not pass fails
};

/// What `continuous` has done so far. Every sequence is counted once in `submitted`, and once in one of the five below.
struct continuous_counts {
    std::size_t submitted = 0;
    std::size_t finished = 0;    ///< has all its answers
    std::size_t failed = 0;      ///< the model threw on it, or its answer did not pass
    std::size_t expired = 0;     ///< its deadline came
    std::size_t cancelled = 0;   ///< stopped, or its pending or the server went
    std::size_t overloaded = 0;  ///< as many waited as there may
    std::size_t steps = 0;
    std::size_t pieces = 0;   ///< sequences in all steps together
    std::size_t items = 0;    ///< of all steps together
    std::size_t waiting = 0;  ///< now
    std::size_t seated = 0;   ///< now: have a slot
};

namespace detail {

/// What server, sequences and posted workers share; the last of them ends it.
template <class Executor, class Model>
class continuous_core : public std::enable_shared_from_this<continuous_core<Executor, Model>> {
    using ticket = sequence_queue::ticket;

public:
    /// One sequence, touched by who steps with it, or under the lock by who lets it leave.
    struct asked {
        explicit asked(std::shared_ptr<continuous_core> of) : core(std::move(of)) {}

        std::shared_ptr<continuous_core> core;
        kept_sequence sequence;
        ticket place = 0;
        reply_line<asked> line{*this};
    };

    continuous_core(const Executor& workers, const Model& model, continuous_options how)
        : workers_(workers),
          stepper_(model, how.max_slots, std::move(how.verify)),
          groups_(how.groups != 0 ? how.groups : workers.workers()),
          queue_({.groups = groups_.size(),
                  .max_slots = how.max_slots,
                  .prefill_items = how.prefill_items,
                  .piece_items = stepper_.form().max_piece,
                  .max_queued = how.max_queued,
                  .full = how.full,
                  .aging = how.aging,
                  .join = how.join}) {}

    [[nodiscard]] pending<reply> submit(const tensor_view& items, std::size_t max_answers, const request_options& how,
                                        answer_sink&& each) {
        const auto request = std::make_shared<asked>(this->shared_from_this());
        const auto [quiet, answers] = stepper_.take(items, max_answers, request->sequence);
        const sequence_queue::sequence sequence{quiet, answers, how.priority, how.deadline.value_or(time_point::max())};
        request->sequence.each = std::move(each);
        pending<reply> reply(std::shared_ptr<promise<fanfold::reply>>(request, &request->line.there));
        const time_point now = std::chrono::steady_clock::now();
        request->sequence.submitted = now;
        todo due;
        {
            const std::lock_guard lock(staff_.mutex);
            ++counts_.submitted;
            enter(request, sequence, now, due.gone);
            due.posts = workers_wanted(now);
            due.earlier = staff_.looks_later_than(sequence.deadline);
        }
        run(due);
        request->line.heed(how.stop);
        return reply;
    }

    /// Reports expiries until `close`.
    void keep_time() {
        const auto look = [this](time_point now) {
            todo due;
            expire(now, due.gone);
            return due;
        };
        staff_.keep_time(look, [this](todo& due) { run(due); }, [this] { return queue_.next_time(); });
    }

    /// Whoever waits or is between steps is told; steps that run are stopped and waited for.
    void close() {
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            staff_.close();
            std::vector<ticket> all;
            std::vector<ticket> later;
            queue_.clear(all, later);
            const fault why{fault_kind::stopped, "the server has ended", {}, 0};
            for (const ticket t : later) places_[t]->sequence.why = why;
            leave(all, &why, gone);
        }
        staff_.dismiss([&] { finish(gone); });
    }

    /// Whether its reply is still to come: it is in a step.
    bool cancel(asked& request) {
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            const ticket t = request.place;
            if (t >= places_.size() || places_[t].get() != &request) return false;
            const fault why{fault_kind::stopped, "stopped before all its answers were there", {}, 0};
            if (!queue_.cancel(t)) {
                if (!request.sequence.why) request.sequence.why = why;
                return true;
            }
            leave({t}, &why, gone);
        }
        finish(gone);
        return false;
    }

    [[nodiscard]] continuous_counts counts() {
        const std::lock_guard lock(staff_.mutex);
        continuous_counts now = counts_;
        now.waiting = queue_.waiting();
        now.seated = queue_.seated();
        return now;
    }

private:
    using todo = errands<std::shared_ptr<asked>>;
    using leaving = std::vector<std::shared_ptr<asked>>;  // their reply is due

    /// A worker at a time steps with it.
    struct group {
        bool steps = false;
        std::vector<sequence_queue::piece> step;
        typename stepper<Model>::group work;
    };

    void enter(const std::shared_ptr<asked>& request, const sequence_queue::sequence& sequence, time_point now,
               leaving& gone) {
        if (staff_.closed()) {
            request->sequence.why = fault{fault_kind::stopped, "the server has ended", {}, 0};
            ++counts_.cancelled;
            gone.push_back(request);
            return;
        }
        std::vector<ticket> dropped;
        const auto t = queue_.submit(now, sequence, dropped);
        const fault full{fault_kind::overloaded, "as many sequences wait as the server holds", {}, 0};
        leave(dropped, &full, gone);
        if (!t) {
            request->sequence.why = full;
            ++counts_.overloaded;
            gone.push_back(request);
            return;
        }
        if (places_.size() <= *t) places_.resize(*t + 1);
        places_[*t] = request;
        request->place = *t;
    }

    /// How many workers to call; they count as active from now on.
    std::size_t workers_wanted(time_point now) {
        if (!staff_.room(groups_.size()) || !queue_.anybody_waits(now)) return 0;
        staff_.call();
        return 1;
    }
    /// Without the lock.
    void run(todo& due) {
        if (due.earlier) staff_.wake();
        finish(due.gone);
        for (; due.posts != 0; --due.posts)
            workers_.post({this->shared_from_this(), [](void* self) { static_cast<continuous_core*>(self)->work(); }});
    }

    /// Steps with a group until it has nothing to do.
    void work() {
        group* mine = nullptr;
        const auto choose = [&] {
            for (group& g : groups_)
                if (!g.steps && mine == nullptr) mine = &g;
            mine->steps = true;
        };
        staff_.attend(workers_.spaces(), choose, [&](workspace& space) { return step(*mine, space); });
    }

    bool step(group& mine, workspace& space) {
        const auto number = static_cast<std::size_t>(&mine - groups_.data());
        const time_point now = std::chrono::steady_clock::now();
        todo due;
        bool nothing = false;  // once the group is given back another worker may fill its step
        mine.step.clear();
        {
            const std::lock_guard lock(staff_.mutex);
            expire(now, due.gone);
            if (!staff_.closed()) queue_.next(number, now, mine.step);
            mine.work.who.clear();
            for (const sequence_queue::piece& p : mine.step) mine.work.who.push_back(&places_[p.who]->sequence);
            nothing = mine.step.empty();
            if (nothing) {
                mine.steps = false;
                staff_.leave();
            } else {
                due.posts = workers_wanted(now);
            }
        }
        run(due);
        if (nothing) return false;

        stepper_.gather(mine.work, mine.step, now);
        const std::optional<fault> error = stepper_.compute(mine.work, space);
        if (!error) stepper_.judge(mine.work);
        sequence_queue::departures left;
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            ++counts_.steps;
            counts_.pieces += mine.step.size();
            for (const sequence_queue::piece& p : mine.step) counts_.items += p.items;
            if (error) {
                queue_.threw(number, mine.step, left);
            } else {
                for (auto& [at, why] : mine.work.faults)
                    if (!mine.work.who[at]->why) mine.work.who[at]->why = std::move(why);
                queue_.stepped(number, mine.step, mine.work.said, left);
            }
            leave(left.told, nullptr, gone);
            leave(left.failed, error ? &*error : nullptr, gone);
            leave(left.ended, nullptr, gone);
        }
        finish(gone);
        return true;
    }

    void expire(time_point now, leaving& gone) {
        std::vector<ticket> expired;
        queue_.expire(now, expired);
        const fault why{fault_kind::timed_out, "the deadline has passed before all its answers were there", {}, 0};
        for (const ticket t : expired) {
            if (queue_.in_a_step(t))
                places_[t]->sequence.why = why;
            else
                leave({t}, &why, gone);
        }
    }
    /// Their places are free. `why`, where given, is why they have no more answers.
    void leave(const std::vector<ticket>& tickets, const fault* why, leaving& gone) {
        for (const ticket t : tickets) {
            kept_sequence& who = places_[t]->sequence;
            if (why != nullptr && !who.why) who.why = *why;
            if (!who.why)
                ++counts_.finished;
            else if (who.why->kind == fault_kind::timed_out)
                ++counts_.expired;
            else if (who.why->kind == fault_kind::stopped)
                ++counts_.cancelled;
            else
                ++(who.why->kind == fault_kind::overloaded ? counts_.overloaded : counts_.failed);
            gone.push_back(std::move(places_[t]));
        }
    }

    void finish(leaving& gone) const {
        reply_to(gone, [this](asked& who, time_point now) { return stepper_.reply_of(who.sequence, now); });
    }

    const Executor& workers_;
    stepper<Model> stepper_;
    staff staff_;
    std::vector<group> groups_;
    sequence_queue queue_;
    std::vector<std::shared_ptr<asked>> places_;  // by ticket
    continuous_counts counts_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
