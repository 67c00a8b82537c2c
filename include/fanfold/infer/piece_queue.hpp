// fanfold/infer/piece_queue.hpp - rows that are tried again, and when: retries, halves of what failed, copies.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::push_heap, std::sort
#include <cstddef>    // std::size_t
#include <memory>     // std::unique_ptr
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../core/fault.hpp"
#include "../schedule/claim.hpp"
#include "recheck.hpp"
#include "rows.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Rows that are tried again, together.
struct piece {
    std::vector<std::size_t> rows;  ///< empty: all of the shard's
    std::vector<fault> faults;      ///< why
    claim what;
    unsigned tries = 1;              ///< as retry::max_attempts counts
    duration delay{};                ///< before this attempt
    time_point last_start;           ///< later is too late
    std::size_t ballot = no_ballot;  ///< of which it is a copy
    bool opens = false;              ///< nothing is said against these rows, and nobody has looked at them alone
};

/// By way of another type: what names it is compiled where somebody travels.
template <class>
struct piece_by {
    using type = piece;
};

/// All pieces of a job, by number, and those that wait, the soonest first.
///
/// threads  under the job's lock; a piece stays where it is
template <class Piece>
class basic_piece_queue {
public:
    explicit basic_piece_queue(const plan& shards) : plan_(shards) {}

    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }
    [[nodiscard]] Piece& operator[](std::size_t number) { return *all_[number]; }
    [[nodiscard]] const Piece& operator[](std::size_t number) const { return *all_[number]; }
    [[nodiscard]] std::size_t ballot_of(const claim& what) const {
        return what.piece == whole_shard ? no_ballot : all_[what.piece]->ballot;
    }
    void push(Piece one, time_point ready) {
        one.what.piece = all_.size();
        all_.push_back(std::make_unique<Piece>(std::move(one)));
        wait({ready, all_.size() - 1});
    }
    [[nodiscard]] time_point soonest() const { return heap_.empty() ? time_point::max() : heap_.front().ready; }

    enum class fate { wait, take, drop };
    /// Asks `judge(piece, ready)` of those that are ready, the longest first, until one is taken or `most` have to
    /// wait; null when none is.
    template <class Judge>
    [[nodiscard]] Piece* take(time_point now, std::size_t most, const Judge& judge) {
        std::vector<waiting> avoided;
        Piece* found = nullptr;
        while (found == nullptr && soonest() <= now && !heap_.empty() && avoided.size() < most) {
            const waiting top = heap_.front();
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
            Piece& one = *all_[top.number];
            switch (judge(one, top.ready)) {
                case fate::wait: avoided.push_back(top); break;
                case fate::take: found = &one; break;
                case fate::drop: break;
            }
        }
        for (const waiting& one : avoided) wait(one);
        return found;
    }
    /// each(piece, ready) of those that wait.
    template <class Each>
    void each_waiting(const Each& each) const {
        for (const waiting& one : heap_) each(*all_[one.number], one.ready);
    }
    void forget_waiting() { heap_.clear(); }

    [[nodiscard]] row_set rows(const claim& what) const {
        const bool whole = what.piece == whole_shard || all_[what.piece]->rows.empty();
        return whole ? row_set(plan_, what.shard) : row_set(all_[what.piece]->rows);
    }
    [[nodiscard]] row_set rows(std::size_t shard, const std::vector<std::size_t>& some) const {
        return some.empty() ? row_set(plan_, shard) : row_set(some);
    }
    /// Ascending.
    [[nodiscard]] static std::vector<std::size_t> numbers(const row_set& set) {
        std::vector<std::size_t> rows;
        for (std::size_t at = 0; at < set.rows(); ++at) rows.push_back(set.row(at));
        std::sort(rows.begin(), rows.end());
        return rows;
    }

private:
    struct waiting {
        time_point ready;
        std::size_t number = 0;
        [[nodiscard]] friend bool operator<(const waiting& a, const waiting& b) {  // the soonest is on top of a heap
            return a.ready != b.ready ? a.ready > b.ready : a.number > b.number;
        }
    };
    void wait(waiting one) {
        heap_.push_back(one);
        std::push_heap(heap_.begin(), heap_.end());
    }

    const plan& plan_;
    std::vector<std::unique_ptr<Piece>> all_;
    std::vector<waiting> heap_;
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
