// fanfold/serve/batcher_core.hpp - the threads around a request_queue: who waits, who computes, who keeps the time.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <exception>  // std::exception
#include <memory>     // std::shared_ptr
#include <mutex>      // std::mutex
#include <new>        // std::bad_alloc
#include <optional>   // std::optional
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../infer/pending.hpp"
#include "../infer/run_batch.hpp"
#include "batcher_options.hpp"
#include "request.hpp"
#include "request_queue.hpp"
#include "spare_blocks.hpp"
#include "spare_rows.hpp"
#include "staff.hpp"
#include "unequal_lengths.hpp"

namespace fanfold::inline FANFOLD_ABI {

namespace detail {

/// What batcher, requests and posted workers share; the last of them ends it.
template <class Executor, class Model>
class batcher_core : public std::enable_shared_from_this<batcher_core<Executor, Model>> {
public:
    /// One request, on its way.
    struct asked {
        asked(std::shared_ptr<batcher_core> of, batch given, tensor kept, std::size_t pieces, time_point now)
            : core(std::move(of)), copy(std::move(kept)), rows(std::move(given)), parts(rows.rows(), pieces, now) {}

        void stands_under(request_queue::ticket t) {
            if (!first_ticket)
                first_ticket = t;
            else
                further_tickets.push_back(t);
        }
        template <class F>
        void for_each_ticket(const F& f) const {
            if (first_ticket) f(*first_ticket);
            for (const request_queue::ticket t : further_tickets) f(t);
        }

        std::shared_ptr<batcher_core> core;
        tensor copy;  // what `rows` refer to, where they own nothing
        batch rows;
        reply_parts parts;
        std::optional<request_queue::ticket> first_ticket;  // these two under the core's lock; most have one alone
        std::vector<request_queue::ticket> further_tickets;
        reply_line<asked> line{*this};
    };

    batcher_core(const Executor& workers, const Model& model, batcher_options how)
        : workers_(workers),
          model_(model),
          how_(std::move(how)),
          queue_({.max_rows = how_.max_rows,
                  .max_delay = how_.max_delay,
                  .max_queued_rows = how_.max_queued_rows,
                  .full = how_.full,
                  .aging = how_.aging,
                  .latency_target = how_.latency_target}) {}

    [[nodiscard]] pending<reply> submit_copy(const tensor_view& rows, const request_options& how) {
        copied_rows mine = spare_rows_.like(rows);
        copy_elements(rows, mine.elements);
        return submit(std::move(mine.rows), how, std::move(mine.elements));
    }
    [[nodiscard]] pending<reply> submit(batch rows, const request_options& how, tensor copy = {}) {
        const time_point now = std::chrono::steady_clock::now();
        const std::size_t count = rows.rows();
        if (count == 0) throw std::invalid_argument("batcher: a request without rows");
        const std::size_t each = splits(rows) ? how_.max_rows : count;
        const auto request =
            std::allocate_shared<asked>(from_spare_blocks<asked>(spare_blocks_), this->shared_from_this(),
                                        std::move(rows), std::move(copy), (count + each - 1) / each, now);
        pending<reply> reply(std::shared_ptr<promise<fanfold::reply>>(request, &request->line.there));
        todo due;
        {
            const std::lock_guard lock(staff_.mutex);
            ++counts_.submitted;
            if (staff_.closed())
                refuse(request, each, {fault_kind::stopped, "the batcher has ended", &batcher_counts::cancelled},
                       due.gone);
            else
                enter(request, each, now, how, due.gone);
            due.posts = workers_wanted(now);
            const bool waits_for_company = due.posts == 0 && staff_.room(workers_.workers());
            due.earlier = staff_.looks_later_than(queue_.next_time(false)) ||
                          (waits_for_company && staff_.looks_later_than(queue_.next_time(true)));
        }
        run(due);
        request->line.heed(how.stop);
        return reply;
    }

    /// Reports expiries and calls workers in time, until `close`.
    void keep_time() {
        const auto due_at = [this](time_point now) {
            todo due;
            expire(now, due.gone);
            due.posts = workers_wanted(now);
            return due;
        };
        staff_.keep_time(
            due_at, [this](todo& due) { run(due); },
            [this] { return queue_.next_time(staff_.room(workers_.workers())); });
    }

    /// Whoever waits is told; batches that run are stopped and waited for.
    void close() {
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            staff_.close();
            std::vector<request_queue::ticket> all;
            queue_.clear(all);
            leave(all, {fault_kind::stopped, "the batcher has ended", &batcher_counts::cancelled}, gone);
        }
        staff_.dismiss([&] { finish(gone); });
    }

    /// False: nobody has to wait for it.
    bool cancel(asked& request) {
        leaving gone;
        {
            const std::lock_guard lock(staff_.mutex);
            std::vector<request_queue::ticket> left;
            request.for_each_ticket([&](request_queue::ticket t) {
                if (places_[t].of.get() == &request && queue_.cancel(t)) left.push_back(t);
            });
            leave(left, {fault_kind::stopped, "stopped before these rows were started", &batcher_counts::cancelled},
                  gone);
        }
        finish(gone);
        return false;
    }

    [[nodiscard]] batcher_counts counts() {
        const std::lock_guard lock(staff_.mutex);
        batcher_counts now = counts_;
        now.queued_rows = queue_.queued_rows();
        now.max_batch_rows = queue_.limit();
        return now;
    }

private:
    /// Who waits in line under a ticket.
    struct place {
        std::shared_ptr<asked> of;
        std::size_t first = 0;
        std::size_t rows = 0;
    };
    /// Why rows leave that no batch will have.
    struct reason {
        fault_kind why;
        const char* message;
        std::size_t batcher_counts::*count;
    };
    struct departure {
        place from;
        reason because;
    };
    using leaving = std::vector<departure>;
    using todo = errands<departure>;
    [[nodiscard]] bool splits(const batch& rows) const {
        if (rows.rows() <= how_.max_rows) return false;
        for (const part& p : rows.parts())
            if (!p.rows()) return false;
        return row_mixer_of(model_, rows).empty();
    }

    void enter(const std::shared_ptr<asked>& request, std::size_t each, time_point now, const request_options& how,
               leaving& gone) {
        const std::size_t count = request->rows.rows();
        if (!queue_.room_for(count, how.priority, now)) {  // all of it or nothing
            refuse(request, each,
                   {fault_kind::overloaded, "as many rows wait as the batcher holds", &batcher_counts::overloaded},
                   gone);
            return;
        }
        const std::size_t like = like_of(request->rows);
        std::vector<request_queue::ticket> dropped;
        for (std::size_t first = 0; first < count; first += each) {
            const std::size_t rows = std::min(each, count - first);
            const auto t =
                queue_.submit(now, {rows, like, how.priority, how.deadline.value_or(time_point::max())}, dropped);
            drop(dropped, gone);
            if (places_.size() <= *t) places_.resize(*t + 1);
            places_[*t] = {request, first, rows};
            request->stands_under(*t);
        }
    }
    void drop(std::vector<request_queue::ticket>& dropped, leaving& gone) {
        leave(dropped,
              {fault_kind::overloaded, "others with a higher priority came while as many waited as the batcher holds",
               &batcher_counts::overloaded},
              gone);
        dropped.clear();
    }

    /// A number for requests that can be joined. Numbers of looks that nobody waits with are used again.
    std::size_t like_of(const batch& rows) {
        std::size_t unused = looks_.size();
        for (std::size_t like = 0; like < looks_.size(); ++like) {
            if (looks_[like].joins(rows, padded_axis())) return like;
            if (queue_.nobody_like(like)) unused = like;
        }
        if (looks_.size() < 16 || unused == looks_.size()) {
            looks_.emplace_back(rows);
            return looks_.size() - 1;
        }
        looks_[unused] = look(rows);
        return unused;
    }

    /// How many workers to call; they count as active from now on.
    std::size_t workers_wanted(time_point now) {
        if (!staff_.room(workers_.workers()) || !queue_.due(now)) return 0;
        staff_.call();
        return 1;
    }
    /// Without the lock.
    void run(todo& due) {
        if (due.earlier) staff_.wake();
        finish(due.gone);
        for (; due.posts != 0; --due.posts)
            workers_.post({this->shared_from_this(), [](void* self) { static_cast<batcher_core*>(self)->work(); }});
    }

    /// Computes batches until none is due.
    void work() {
        staff_.attend(
            workers_.spaces(), [] {}, [this](workspace& space) { return work_on_one(space); });
    }
    bool work_on_one(workspace& space) {
        const time_point now = std::chrono::steady_clock::now();
        std::vector<place> mine;
        todo due;
        {
            const std::lock_guard lock(staff_.mutex);
            expire(now, due.gone);
            std::vector<request_queue::ticket> tickets;
            if (!staff_.closed()) queue_.take(now, tickets);
            for (const request_queue::ticket t : tickets) {
                mine.push_back(std::move(places_[t]));
                release(t);
            }
            if (mine.empty()) {
                staff_.leave();
                due.earlier = staff_.looks_later_than(queue_.next_time(true));
            } else {
                due.posts = workers_wanted(now);
            }
        }
        run(due);
        if (mine.empty()) return false;
        compute(mine, now, space);
        return true;
    }

    [[nodiscard]] std::optional<std::size_t> padded_axis() const {
        if (!how_.lengths) return std::nullopt;
        return how_.lengths->axis;
    }

    void compute(const std::vector<place>& pieces, time_point started, workspace& space) {
        if (!how_.lengths) return compute_together(pieces, started, space);
        std::vector<rows_of_batch> rows;
        for (const place& piece : pieces) rows.push_back({&piece.of->rows, piece.first, piece.rows});
        const auto groups = groups_by_length(rows, *how_.lengths);
        std::vector<std::size_t> parts(pieces.size(), 0);
        for (const std::vector<rows_of_piece>& group : groups)
            for (const rows_of_piece& some : group) ++parts[some.piece];
        for (std::size_t i = 0; i < pieces.size(); ++i)
            if (parts[i] > 1) pieces[i].of->parts.split(parts[i] - 1);
        for (const std::vector<rows_of_piece>& group : groups) {
            std::vector<place> together;
            for (const rows_of_piece& some : group) together.push_back({pieces[some.piece].of, some.first, some.rows});
            compute_together(together, started, space);
        }
    }
    void compute_together(const std::vector<place>& pieces, time_point started, workspace& space) {
        std::vector<rows_of_batch> rows;
        std::vector<std::size_t> cuts{0};
        for (const place& piece : pieces) {
            rows.push_back({&piece.of->rows, piece.first, piece.rows});
            cuts.push_back(cuts.back() + piece.rows);
        }
        const std::size_t count = cuts.back();
        batch_result result = computed(rows, cuts, space);
        const time_point now = std::chrono::steady_clock::now();
        std::vector<std::shared_ptr<asked>> complete;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const place& piece = pieces[i];
            std::optional<batch> shorter;
            if (how_.lengths) shorter = cut_back(result.answers, piece.of->rows, *how_.lengths);
            if (piece.of->parts.add(shorter ? *shorter : result.answers, result.failures, cuts[i], piece.first,
                                    piece.rows, started))
                complete.push_back(piece.of);
        }
        {
            const std::lock_guard lock(staff_.mutex);
            queue_.finished(count, now - started);
            ++counts_.batches;
            counts_.batch_rows += count;
            counts_.computed += complete.size();
        }
        give_replies(complete);
    }
    batch_result computed(const std::vector<rows_of_batch>& rows, const std::vector<std::size_t>& cuts,
                          workspace& space) {
        fault failure{fault_kind::out_of_memory, "there is no memory for these rows", {}, 0};
        try {
            const workspace::scope scratch(space);
            return run_batch(model_, joined(rows, space, padded_axis()), how_.verify, space, cuts);
        } catch (const std::bad_alloc&) {
        } catch (const std::exception& why) {
            failure = {fault_kind::threw, why.what(), {}, 0};
        }
        for (std::size_t row = 0; row < cuts.back(); ++row) failure.rows.push_back(row);
        return {batch(tensor(element::float32, {static_cast<std::int64_t>(cuts.back())})), {std::move(failure)}};
    }

    void expire(time_point now, leaving& gone) {
        std::vector<request_queue::ticket> expired;
        queue_.expire(now, expired);
        leave(
            expired,
            {fault_kind::timed_out, "the deadline has passed before these rows were started", &batcher_counts::expired},
            gone);
    }
    /// They have left the line.
    void leave(const std::vector<request_queue::ticket>& tickets, const reason& because, leaving& gone) {
        for (const request_queue::ticket t : tickets) {
            gone.push_back({std::move(places_[t]), because});
            release(t);
        }
    }
    void refuse(const std::shared_ptr<asked>& request, std::size_t each, const reason& because, leaving& gone) {
        const std::size_t count = request->rows.rows();
        for (std::size_t first = 0; first < count; first += each)
            gone.push_back({{request, first, std::min(each, count - first)}, because});
    }
    void release(request_queue::ticket t) {
        places_[t] = {};
        queue_.release(t);
    }

    /// Without the lock, as what follows.
    void finish(leaving& gone) {
        if (gone.empty()) return;
        std::vector<std::shared_ptr<asked>> complete;
        batcher_counts more;
        for (departure& d : gone)
            if (d.from.of->parts.fail(d.because.why, d.because.message, d.from.first, d.from.rows)) {
                ++(more.*d.because.count);
                complete.push_back(std::move(d.from.of));
            }
        gone.clear();
        {
            const std::lock_guard lock(staff_.mutex);
            counts_.expired += more.expired;
            counts_.cancelled += more.cancelled;
            counts_.overloaded += more.overloaded;
        }
        give_replies(complete);
    }
    void give_replies(std::vector<std::shared_ptr<asked>>& complete) {
        spare_rows_.keep(complete);
        reply_to(complete, [](asked& who, time_point now) { return who.parts.take(now); });
    }

    const Executor& workers_;
    const Model& model_;
    batcher_options how_;
    staff staff_;
    std::shared_ptr<spare_blocks> spare_blocks_ = std::make_shared<spare_blocks>();  // requests outlive the core
    spare_rows spare_rows_;
    request_queue queue_;
    std::vector<place> places_;  // by ticket
    std::vector<look> looks_;    // by the number of requests that can be joined
    batcher_counts counts_;
};

}  // namespace detail

}  // namespace fanfold::inline FANFOLD_ABI
