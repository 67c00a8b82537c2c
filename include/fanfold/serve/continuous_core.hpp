// fanfold/serve/continuous_core.hpp - the threads around a sequence_queue: who waits, who steps, who keeps the time.
// Longer than 400 lines: all of it happens under one lock or between two holds of it, and is read in one piece.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>           // std::min, std::max
#include <cstddef>             // std::byte
#include <cstdint>             // std::int64_t
#include <cstring>             // std::memcpy
#include <memory>              // std::shared_ptr
#include <mutex>               // std::mutex
#include <optional>            // std::optional
#include <stdexcept>           // std::invalid_argument
#include <string>              // std::string
#include <utility>             // std::move
#include <vector>              // std::vector

#include "../context/floating_point.hpp"
#include "../infer/attempt.hpp"
#include "../infer/pending.hpp"
#include "../verify/verifier.hpp"
#include "request.hpp"
#include "sequence_queue.hpp"
#include "staff.hpp"
#include "stepping.hpp"

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

/// What is called with each answer of a sequence; false: that was the last.
struct answer_sink {
    std::shared_ptr<void> self;
    bool (*call)(void* self, std::size_t answer, const tensor_view& value) = nullptr;
};

/// What server, sequences and posted workers share; the last of them ends it.
template <class Executor, class Model>
class continuous_core : public std::enable_shared_from_this<continuous_core<Executor, Model>> {
    using ticket = sequence_queue::ticket;
    using verdict = sequence_queue::verdict;

public:
    /// One sequence. Its items and answers are touched by who steps with it, or under the lock by who lets it leave.
    struct asked {
        explicit asked(std::shared_ptr<continuous_core> of) : core(std::move(of)) {}

        std::shared_ptr<continuous_core> core;
        std::vector<std::byte> items;  // those given, then answers that are items
        std::vector<std::byte> answers;
        std::size_t answered = 0;
        answer_sink each;
        std::optional<fault> why;  // it has fewer answers than it was to have
        ticket place = 0;
        time_point submitted;
        time_point started;
        std::size_t largest = 0;  // of its steps, in sequences
        reply_line<asked> line{*this};
    };

    continuous_core(const Executor& workers, const Model& model, continuous_options how)
        : workers_(workers),
          model_(model),
          how_(std::move(how)),
          form_(model.form()),
          item_bytes_(bytes_of(form_.item)),
          answer_bytes_(bytes_of(form_.answer)),
          groups_(how_.groups != 0 ? how_.groups : workers.workers()),
          queue_({.groups = groups_.size(),
                  .max_slots = how_.max_slots,
                  .prefill_items = how_.prefill_items,
                  .piece_items = form_.max_piece,
                  .max_queued = how_.max_queued,
                  .full = how_.full,
                  .aging = how_.aging,
                  .join = how_.join}) {
        if (form_.kind == sequence_kind::generating &&
            (form_.item.type != form_.answer.type || !(form_.item.shape == form_.answer.shape)))
            throw std::invalid_argument("continuous: answers " + text_of(form_.answer) +
                                        " of a generating model with items " + text_of(form_.item));
        if (form_.max_piece == 0) throw std::invalid_argument("continuous: a model that takes 0 items of a sequence");
    }

    [[nodiscard]] pending<reply> submit(const tensor_view& items, std::size_t max_answers, const request_options& how,
                                        answer_sink&& each) {
        const auto request = std::make_shared<asked>(this->shared_from_this());
        const sequence_queue::sequence sequence = taken(items, max_answers, how, *request);
        request->each = std::move(each);
        pending<reply> reply(std::shared_ptr<promise<fanfold::reply>>(request, &request->line.there));
        const time_point now = std::chrono::steady_clock::now();
        request->submitted = now;
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
            for (const ticket t : later) places_[t]->why = why;
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
                if (!request.why) request.why = why;
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
    using todo = errands<asked>;
    using leaving = std::vector<std::shared_ptr<asked>>;  // their reply is due
    using state = decltype(std::declval<const Model&>().state(std::size_t{}));

    /// A worker at a time steps with it.
    struct group {
        bool steps = false;
        std::optional<state> states;
        std::vector<sequence_queue::piece> step;
        std::vector<step_piece> pieces;
        std::vector<asked*> who;
        std::vector<verdict> said;
        std::vector<std::pair<std::size_t, fault>> faults;  // by place in the step
        std::vector<std::byte> items;
        std::vector<std::byte> answers;
    };

    [[nodiscard]] static std::size_t bytes_of(const tensor_type& one) { return one.shape.volume() * size_of(one.type); }
    [[nodiscard]] static std::string text_of(const tensor_type& one) {
        return std::string(name_of(one.type)) + " " + one.shape.text();
    }
    [[nodiscard]] static shape stacked(const tensor_type& one, std::size_t count) {
        std::int64_t extents[shape::max_rank] = {static_cast<std::int64_t>(count)};
        for (std::size_t axis = 0; axis < one.shape.rank(); ++axis) extents[axis + 1] = one.shape[axis];
        return shape({extents, one.shape.rank() + 1});
    }

    [[nodiscard]] sequence_queue::sequence taken(const tensor_view& items, std::size_t max_answers,
                                                 const request_options& how, asked& into) const {
        const std::size_t given = items.rank() == 0 ? 0 : static_cast<std::size_t>(items.extent(0));
        if (given == 0 || items.type() != form_.item.type || !(items.shape() == stacked(form_.item, given)))
            throw std::invalid_argument("continuous: expected one or more items " + text_of(form_.item) + ", got " +
                                        describe(items));
        if (given > form_.max_items)
            throw std::invalid_argument("continuous: " + std::to_string(given) + " items of at most " +
                                        std::to_string(form_.max_items));
        sequence_queue::sequence sequence{0, given, how.priority, how.deadline.value_or(time_point::max())};
        if (form_.kind == sequence_kind::generating) {
            const std::size_t most = form_.max_items - given + 1;
            if (max_answers == 0 && !ends_by_itself && form_.max_items == static_cast<std::size_t>(-1))
                throw std::invalid_argument("continuous: max_answers = 0 for a model without end");
            if (max_answers > most)
                throw std::invalid_argument("continuous: " + std::to_string(given) +
                                            " items and max_answers = " + std::to_string(max_answers) + " of at most " +
                                            std::to_string(form_.max_items));
            sequence.quiet = given - 1;
            sequence.answers = max_answers != 0 ? max_answers : most;
        }
        into.items.resize(given * item_bytes_);
        copy_elements(items, mutable_tensor_view(into.items.data(), form_.item.type, items.shape()));
        return sequence;
    }

    void enter(const std::shared_ptr<asked>& request, const sequence_queue::sequence& sequence, time_point now,
               leaving& gone) {
        if (staff_.closed()) {
            request->why = fault{fault_kind::stopped, "the server has ended", {}, 0};
            ++counts_.cancelled;
            gone.push_back(request);
            return;
        }
        std::vector<ticket> dropped;
        const auto t = queue_.submit(now, sequence, dropped);
        const fault full{fault_kind::overloaded, "as many sequences wait as the server holds", {}, 0};
        leave(dropped, &full, gone);
        if (!t) {
            request->why = full;
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
        mine.step.clear();
        {
            const std::lock_guard lock(staff_.mutex);
            expire(now, due.gone);
            if (!staff_.closed()) queue_.next(number, now, mine.step);
            mine.who.clear();
            for (const sequence_queue::piece& p : mine.step) mine.who.push_back(places_[p.who].get());
            if (mine.step.empty()) {
                mine.steps = false;
                staff_.leave();
            } else {
                due.posts = workers_wanted(now);
            }
        }
        run(due);
        if (mine.step.empty()) return false;

        gather(mine, now);
        const std::optional<fault> error = compute(mine, space);
        if (!error) judge(mine);
        sequence_queue::departures left;
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            ++counts_.steps;
            counts_.pieces += mine.step.size();
            for (const step_piece& p : mine.pieces) counts_.items += p.items;
            if (error) {
                queue_.threw(number, mine.step, left);
            } else {
                for (auto& [at, why] : mine.faults)
                    if (!mine.who[at]->why) mine.who[at]->why = std::move(why);
                queue_.stepped(number, mine.step, mine.said, left);
            }
            leave(left.told, nullptr, gone);
            leave(left.failed, error ? &*error : nullptr, gone);
            leave(left.ended, nullptr, gone);
        }
        finish(gone);
        return true;
    }

    void gather(group& mine, time_point now) const {
        mine.pieces.clear();
        std::size_t items = 0;
        for (const sequence_queue::piece& p : mine.step) {
            mine.pieces.push_back({p.slot, p.position, items, p.items, p.answered});
            items += p.items;
        }
        mine.items.resize(items * item_bytes_);
        mine.answers.resize(mine.step.size() * answer_bytes_);
        for (std::size_t i = 0; i < mine.step.size(); ++i) {
            const step_piece& p = mine.pieces[i];
            asked& who = *mine.who[i];
            if (who.largest == 0) who.started = now;
            who.largest = std::max(who.largest, mine.step.size());
            if (p.items * item_bytes_ != 0)
                std::memcpy(mine.items.data() + p.first * item_bytes_, who.items.data() + p.position * item_bytes_,
                            p.items * item_bytes_);
        }
    }

    [[nodiscard]] std::optional<fault> compute(group& mine, workspace& space) const {
        try {
            const workspace::scope scratch(space);
            const floating_point_scope environment;
            space.stop.check();
            if (!mine.states) mine.states.emplace(model_.state(how_.max_slots));
            const std::size_t items = mine.pieces.back().first + mine.pieces.back().items;
            model_.step(
                *mine.states, std::span<const step_piece>(mine.pieces),
                tensor_view(mine.items.data(), form_.item.type, stacked(form_.item, items)),
                mutable_tensor_view(mine.answers.data(), form_.answer.type, stacked(form_.answer, mine.pieces.size())),
                space);
        } catch (...) {
            return fault_in_flight();
        }
        return std::nullopt;
    }

    /// Who goes on, ends, or fails with its answer. Nobody else looks at these sequences now.
    void judge(group& mine) const {
        mine.said.assign(mine.step.size(), verdict::goes_on);
        mine.faults.clear();
        for (std::size_t i = 0; i < mine.step.size(); ++i) {
            if (!mine.pieces[i].answered) continue;
            asked& who = *mine.who[i];
            const std::byte* at = mine.answers.data() + i * answer_bytes_;
            const tensor_view value(at, form_.answer.type, form_.answer.shape);
            try {
                if (how_.verify) {
                    const tensor_view row(at, form_.answer.type, stacked(form_.answer, 1));
                    std::vector<fault> found = how_.verify(batch_view({&row, 1}, 1));
                    if (!found.empty()) {
                        fail(mine, i, std::move(found.front()));
                        continue;
                    }
                }
                who.answers.insert(who.answers.end(), at, at + answer_bytes_);
                if (form_.kind == sequence_kind::generating) who.items.insert(who.items.end(), at, at + answer_bytes_);
                ++who.answered;
                bool ends = false;
                if constexpr (ends_by_itself) ends = model_.ends(value);
                const answer_sink& each = who.each;
                if (each.call != nullptr && !each.call(each.self.get(), who.answered - 1, value)) ends = true;
                if (ends) mine.said[i] = verdict::ends;
            } catch (...) {  // the verifier, the model's ends(), or what was called with an answer
                fail(mine, i, fault_in_flight());
            }
        }
    }

    /// Who lets it leave may say at the same time why, so that is written under the lock.
    static void fail(group& mine, std::size_t at, fault why) {
        mine.said[at] = verdict::fails;
        mine.faults.emplace_back(at, std::move(why));
    }

    void expire(time_point now, leaving& gone) {
        std::vector<ticket> expired;
        queue_.expire(now, expired);
        const fault why{fault_kind::timed_out, "the deadline has passed before all its answers were there", {}, 0};
        for (const ticket t : expired) {
            if (queue_.in_a_step(t))
                places_[t]->why = why;
            else
                leave({t}, &why, gone);
        }
    }
    /// Their places are free. `why`, where given, is why they have no more answers.
    void leave(const std::vector<ticket>& tickets, const fault* why, leaving& gone) {
        for (const ticket t : tickets) {
            asked& who = *places_[t];
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
        reply_to(gone, [this](asked& who, time_point now) {
            tensor answers(form_.answer.type, stacked(form_.answer, who.answered));
            if (!who.answers.empty()) std::memcpy(answers.data(), who.answers.data(), who.answers.size());
            reply r{batch(std::move(answers)), {}, who.submitted, who.started, now, who.largest};
            if (who.why) {
                r.failures.push_back(std::move(*who.why));
                r.failures.back().rows.assign(1, who.answered);
            }
            return r;
        });
    }

    static constexpr bool ends_by_itself = requires(const Model& m, const tensor_view& answer) {
        { m.ends(answer) } -> std::same_as<bool>;
    };

    const Executor& workers_;
    const Model& model_;
    continuous_options how_;
    step_form form_;
    std::size_t item_bytes_;
    std::size_t answer_bytes_;
    staff staff_;
    std::vector<group> groups_;
    sequence_queue queue_;
    std::vector<std::shared_ptr<asked>> places_;  // by ticket
    continuous_counts counts_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
