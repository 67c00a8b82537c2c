// fanfold/infer/stream.hpp - rows that never end: read, computed in batches of what is there, handed on, all at once.
//   source -> read -> [ model ] -> in order -> sink, with a bound on what is between
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::min, std::max
#include <cstddef>      // std::size_t
#include <exception>    // std::exception
#include <memory>       // std::unique_ptr
#include <mutex>        // std::mutex
#include <optional>     // std::optional
#include <stop_token>   // std::stop_token
#include <string>       // std::string
#include <type_traits>  // std::remove_reference_t
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../schedule/executor.hpp"
#include "run_batch.hpp"
#include "stream_ends.hpp"

namespace fanfold::inline FANFOLD_ABI {

enum class stream_order {
    as_read,       ///< answers leave in the order in which rows came
    as_completed,  ///< a batch leaves as soon as it is computed; the rows of a batch stay together
};

struct stream_options {
    std::size_t max_rows = 64;      ///< rows of a batch at most; fewer when no more are there
    std::size_t max_in_flight = 0;  ///< rows read and not yet taken by the sink; 0: four batches a worker
    stream_order order = stream_order::as_read;
    any_verifier verify = {};                 ///< what is checked of the answers, e.g. finite{}
    std::stop_token stop = {};                ///< nothing is read any more; rows in flight leave as failures
    std::optional<time_point> deadline = {};  ///< the same, at a time
};

enum class stream_end {
    source_ended,
    source_threw,
    sink_threw,
    sink_closed,
    stopped,
    timed_out,
};

/// What came of a stream.
struct stream_outcome {
    stream_end end = stream_end::source_ended;
    std::string message;          ///< what the source or the sink threw first
    std::size_t rows = 0;         ///< read from the source
    std::size_t answered = 0;     ///< whose answer the sink took
    std::size_t failed = 0;       ///< whose failure the sink took
    std::size_t undelivered = 0;  ///< that the sink did not take: it threw, was closed, or stayed full after a stop
    std::size_t batches = 0;
};

namespace detail {

/// Claims of a stream: to read and compute a batch, or to hand over what is done.
///
/// threads  `next` and `run` by all workers at once; one at a time reads, one at a time hands over
template <class Model, class Source, class Sink>
class stream_state {
    using row_type = typename stream_source<Source>::row;

public:
    stream_state(const Model& model, Source& source, Sink& sink, const stream_options& how, std::size_t workers,
                 fanfold::clock time)
        : model_(model),
          how_(how),
          stop_(how.stop, how.deadline, time),
          max_rows_(std::max<std::size_t>(how.max_rows, 1)),
          bound_(how.max_in_flight != 0 ? how.max_in_flight : 4 * max_rows_ * workers),
          done_(bound_),
          source_(source, bell_),
          sink_(sink, bell_) {}

    [[nodiscard]] doorbell& bell() noexcept { return bell_; }
    [[nodiscard]] const fanfold::stop& stopping() const noexcept { return stop_; }

    [[nodiscard]] next_claim next(std::size_t, time_point) {
        const std::lock_guard lock(mutex_);
        const auto why = stop_.reason();
        if (why) end(end_of(*why));
        if (!handing_over_ && done_[head_ % bound_] != nullptr && (why || sink_.ready()))
            return claim{.shard = hand_over_claim};
        if (!ended_ && !reading_ && in_flight_ < bound_ && source_.ready()) {
            reading_ = true;
            return claim{.shard = read_claim};
        }
        if (ended_ && !reading_ && in_flight_ == 0) return finished{};
        return wait_until{ended_ ? time_point::max() : stop_.deadline().value_or(time_point::max())};
    }

    [[nodiscard]] outcome run(const claim& what, workspace& space) {
        if (what.shard == read_claim)
            if (std::unique_ptr<packet> read = read_some()) {
                compute(*read, space);
                complete(std::move(read));
            }
        hand_over();
        return {};
    }

    [[nodiscard]] stream_outcome result() && { return std::move(result_); }

private:
    static constexpr std::size_t read_claim = 0;
    static constexpr std::size_t hand_over_claim = 1;

    /// Rows that travel together; those that do not look alike as batches of their own.
    struct packet {
        std::size_t first_row = 0;
        std::size_t number = 0;
        std::vector<row_type> rows;
        std::vector<batch_result> batches;
        std::size_t batch = 0;    // the next to be handed over,
        std::size_t at = 0;       // from this row of it,
        std::size_t failure = 0;  // and the first failure that may name it
        std::size_t handed = 0;   // rows, in all
    };

    void end(stream_end why, const std::string& message = {}) {
        if (ended_) return;
        ended_ = true;
        result_.end = why;
        result_.message = message;
    }

    std::unique_ptr<packet> read_some() {
        std::unique_ptr<packet> read;
        std::size_t most = 0;
        {
            const std::lock_guard lock(mutex_);
            most = std::min(max_rows_, bound_ - in_flight_);
            if (!spare_.empty()) {
                read = std::move(spare_.back());
                spare_.pop_back();
            }
        }
        bool more = true;
        std::string thrown;
        try {
            if (read == nullptr) read = std::make_unique<packet>();
            more = source_.pull(read->rows, most);
        } catch (const std::exception& why) {
            thrown = why.what();
            more = false;
        } catch (...) {
            thrown = "the source threw something that is no std::exception";
            more = false;
        }
        {
            const std::lock_guard lock(mutex_);
            if (!more) end(thrown.empty() ? stream_end::source_ended : stream_end::source_threw, thrown);
            reading_ = false;
            if (read != nullptr && !read->rows.empty()) {
                read->first_row = result_.rows;
                read->number = numbered_;
                if (how_.order == stream_order::as_read) ++numbered_;
                result_.rows += read->rows.size();
                in_flight_ += read->rows.size();
            } else {
                if (read != nullptr) spare_.push_back(std::move(read));
                read = nullptr;
            }
        }
        bell_.ring();  // the next may read
        return read;
    }

    void compute(packet& read, workspace& space) {
        const std::span<const row_type> rows(read.rows);
        for (std::size_t first = 0; first < rows.size();) {
            std::size_t last = first + 1;
            if constexpr (element_type<row_type>)
                last = rows.size();
            else
                while (last < rows.size() && look_alike(rows[first], rows[last])) ++last;
            read.batches.push_back(answer(rows.subspan(first, last - first), space));
            first = last;
        }
    }
    batch_result answer(std::span<const row_type> rows, workspace& space) {
        fault failure;
        try {
            return run_batch(model_, stacked(rows), how_.verify, space);
        } catch (const std::bad_alloc&) {
            failure = {fault_kind::out_of_memory, "there is no memory for these rows", {}, 0};
        } catch (const std::exception& why) {
            failure = {fault_kind::threw, why.what(), {}, 0};
        }
        for (std::size_t row = 0; row < rows.size(); ++row) failure.rows.push_back(row);
        const auto count = static_cast<std::int64_t>(rows.size());
        return {batch(tensor(element::float32, {count})), {std::move(failure)}};
    }

    void complete(std::unique_ptr<packet> computed) {
        const std::lock_guard lock(mutex_);
        if (how_.order == stream_order::as_completed) computed->number = numbered_++;
        ++result_.batches;
        auto& place = done_[computed->number % bound_];
        place = std::move(computed);
    }

    /// Hands over what is next in order, unless somebody else does already.
    void hand_over() {
        std::unique_lock lock(mutex_);
        if (handing_over_) return;
        handing_over_ = true;
        while (packet* first = done_[head_ % bound_].get()) {
            lock.unlock();
            const bool all = hand_over(*first);
            lock.lock();
            if (!all) break;
            std::unique_ptr<packet> empty = std::move(done_[head_ % bound_]);
            ++head_;
            in_flight_ -= empty->rows.size();
            empty->rows.clear();
            empty->batches.clear();
            empty->batch = empty->at = empty->failure = empty->handed = 0;
            spare_.push_back(std::move(empty));
            lock.unlock();
            bell_.ring();  // there is room to read
            lock.lock();
        }
        handing_over_ = false;
    }

    /// False when the sink is full.
    bool hand_over(packet& done) {
        for (; done.batch < done.batches.size(); ++done.batch, done.at = done.failure = 0) {
            const batch_result& of = done.batches[done.batch];
            views_.clear();
            for (const part& p : of.answers.parts()) views_.push_back(first_row_of(p));
            const std::size_t rows = of.answers.rows();
            for (; done.at < rows; ++done.at, ++done.handed) {
                for (std::size_t output = 0; output < views_.size(); ++output)
                    go_to_row(of.answers.parts()[output], views_[output], done.at);
                const fault* failure = of.failures.empty() ? nullptr : failure_of(of, done);
                if (!take({done.first_row + done.handed, views_, failure})) return false;
            }
        }
        return true;
    }
    bool take(const streamed_row& row) {
        sink_answer answer = sink_answer::closed;
        if (!sink_gone_) try {
                answer = sink_.take(row);
            } catch (const std::exception& why) {
                return not_taken(answer, why.what());
            } catch (...) {
                return not_taken(answer, "the sink threw something that is no std::exception");
            }
        if (answer != sink_answer::taken) return not_taken(answer, {});
        ++(row.failure != nullptr ? result_.failed : result_.answered);
        return true;
    }
    bool not_taken(sink_answer answer, const std::string& thrown) {
        const auto why = stop_.reason();
        if (answer == sink_answer::full && !why) return false;
        const std::lock_guard lock(mutex_);
        sink_gone_ = sink_gone_ || thrown.empty();  // no later row either: a sink sees no gap
        if (answer == sink_answer::full)
            end(end_of(*why));
        else
            end(thrown.empty() ? stream_end::sink_closed : stream_end::sink_threw, thrown);
        ++result_.undelivered;
        return true;
    }

    static stream_end end_of(stop_reason why) noexcept {
        return why == stop_reason::deadline ? stream_end::timed_out : stream_end::stopped;
    }

    static const fault* failure_of(const batch_result& of, const packet& done) {
        for (const fault& f : of.failures)
            if (std::binary_search(f.rows.begin(), f.rows.end(), done.at)) return &f;
        return nullptr;
    }

    static tensor_view first_row_of(const part& p) {
        if (!p.rows() || p.data().extent(*p.rows()) == 0) return p.data();
        const tensor_view first = p.data().slice(*p.rows(), 0, 1);
        if (*p.rows() != 0 || !first.dense()) return first;
        return first.reshaped(shape(std::span(first.shape().begin() + 1, first.rank() - 1)));
    }
    static void go_to_row(const part& p, tensor_view& any, std::size_t row) {
        if (!p.rows()) return;
        const std::int64_t step = p.data().steps()[*p.rows()];
        any.move_to(p.data().data() + row * static_cast<std::size_t>(step) * size_of(any.type()));
    }

    const Model& model_;
    const stream_options& how_;
    fanfold::stop stop_;
    std::size_t max_rows_;
    std::size_t bound_;
    doorbell bell_;
    std::mutex mutex_;
    bool reading_ = false;
    bool handing_over_ = false;
    bool ended_ = false;
    std::size_t in_flight_ = 0;
    std::size_t numbered_ = 0;
    std::size_t head_ = 0;                       // number of the packet that leaves next
    std::vector<std::unique_ptr<packet>> done_;  // by number modulo the bound: a packet has a row at least
    std::vector<std::unique_ptr<packet>> spare_;
    stream_outcome result_;
    bool sink_gone_ = false;          // by whoever hands over
    std::vector<tensor_view> views_;  // as well
    stream_source<Source> source_;
    stream_sink<Sink> sink_;
};

}  // namespace detail

/// Reads rows from `source`, computes them on the executor's workers in batches of what is there, and gives each row's
/// answer to `sink`. Returns when the source has ended and everything is handed over.
///
///   source   a channel<Row> (until it is closed), a callable that returns std::optional<Row> (until it is empty), or a
///            range. Row: a number, anything viewable, or std::vector<tensor> with one for each input
///   sink     a callable that takes a const streamed_row&, a channel<kept_row>, or a container of kept_row. Called by
///            one worker at a time, whichever; likewise the source
///
/// example  stream(tbb_executor(), model, images, [](const streamed_row& r) { use(r.row, r.as<float>()); });
/// result   a row's answer has the same bits as infer gives it
/// cost     memory for max_in_flight rows, however many come; while nothing can be read and nothing handed over,
///          workers sleep
/// errors   what source, model or sink throw ends in the outcome: a row that the model throws on is a failed row, and
///          the stream goes on; after an exception of the source or the sink nothing is read any more, and what was
///          read is still computed and offered to the sink
/// threads  re-entrant; a source or sink serves one stream at a time
template <executor Executor, model Model, class Source, class Sink>
requires(
    detail::source_of_rows<std::remove_reference_t<Source>>&& detail::sink_of_answers<std::remove_reference_t<Sink>>)
    [[nodiscard]] stream_outcome
    stream(const Executor& workers, const Model& m, Source&& source, Sink&& sink, const stream_options& how = {}) {
    using state_type = detail::stream_state<Model, std::remove_reference_t<Source>, std::remove_reference_t<Sink>>;
    state_type state(m, source, sink, how, workers.workers(), clock_of(workers));
    std::size_t scratch = 0;
    if constexpr (declared_model<Model>) scratch = m.workspace_bytes(how.max_rows);
    const auto next = [&](std::size_t worker, time_point now) { return state.next(worker, now); };
    const auto run = [&](const claim& what, workspace& space) { return state.run(what, space); };
    const auto done = [](const attempt&, const outcome&) {};
    workers.run({next,
                 done,
                 run,
                 workers.workers(),
                 scratch,
                 state.stopping(),
                 {},
                 idle_workers::help_few_shards,
                 &state.bell()});
    return std::move(state).result();
}

}  // namespace fanfold::inline FANFOLD_ABI
