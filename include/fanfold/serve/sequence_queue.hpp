// fanfold/serve/sequence_queue.hpp - which sequences are in the next step: every decision of `continuous`, no thread.
//   in    sequences as they come, steps as they end, the time      out   the pieces of the next step, who leaves
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::find
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint8_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <vector>     // std::vector

#include "request_queue.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// When sequences that wait get the slots of those that have left.
enum class joining : std::uint8_t {
    between_steps,       ///< at once
    when_all_have_left,  ///< static batching: when the last of a group has left, to compare with
};

namespace detail {

struct sequence_options {
    std::size_t groups = 1;          ///< that step independently of each other
    std::size_t max_slots = 16;      ///< sequences of a group at a time
    std::size_t prefill_items = 32;  ///< of a step of a group, those of all sequences that have not been answered yet
    std::size_t piece_items = 32;    ///< of one sequence in a step
    std::size_t max_queued = 1024;   ///< sequences that wait
    when_full full = when_full::refuse;
    duration aging = std::chrono::milliseconds(100);
    joining join = joining::between_steps;
};

/// Sequences in line and in slots. A sequence that is admitted keeps its slot until it has all its answers. Each step
/// of a group has one item of every sequence that has been answered before, and up to `prefill_items` of those that
/// have not, who came first before who came later; who waits is admitted while a slot is free and some of these are
/// left. After a step that threw, its sequences begin anew, one alone in a step, up to where they were: the state of
/// each is a function of its items, so only those at fault fail.
///
/// cost     O(slots of the group) a step, O(log n) for who waits; memory for as many as ever were there at once
/// threads  one user at a time
/// source   iteration-level scheduling as in Orca (Yu et al. 2022),
///          prompts in chunks as in Sarathi (Agrawal et al. 2023)
template <class>
class basic_sequence_queue {
public:
    using ticket = request_queue::ticket;
    struct sequence {
        std::size_t quiet = 0;    ///< items before the first that is answered
        std::size_t answers = 1;  ///< how many at most; one more item for each but the first
        int priority = 0;
        time_point deadline = time_point::max();
    };
    /// What one sequence does in a step.
    struct piece {
        ticket who = 0;
        std::size_t slot = 0;
        std::size_t position = 0;  ///< items before these
        std::size_t items = 0;
        bool answered = false;  ///< the last of them
    };
    enum class verdict : std::uint8_t { goes_on, ends, fails };
    /// Who has left, by why.
    struct departures {
        std::vector<ticket> ended;   ///< with all answers, or because it was said so
        std::vector<ticket> failed;  ///< in a step
        std::vector<ticket> told;    ///< was told to leave during the step
    };

    explicit basic_sequence_queue(const sequence_options& options)
        : options_(options),
          waiting_({.max_rows = 1,
                    .max_delay = {},
                    .max_queued_rows = options.max_queued,
                    .full = options.full,
                    .aging = options.aging,
                    .latency_target = {}}),
          groups_(options.groups) {
        for (group& g : groups_)
            for (std::size_t slot = options.max_slots; slot-- != 0;) g.free.push_back(slot);
    }

    /// A ticket, or nothing when too many wait; who had to make room is appended to `dropped`.
    [[nodiscard]] std::optional<ticket> submit(time_point now, const sequence& s, std::vector<ticket>& dropped) {
        const std::size_t others = dropped.size();
        const auto t = waiting_.submit(now, {.rows = 1, .priority = s.priority, .deadline = s.deadline}, dropped);
        for (std::size_t i = others; i < dropped.size(); ++i) waiting_.release(dropped[i]);
        if (!t) return t;
        if (*t >= members_.size()) members_.resize(*t + 1);
        members_[*t] = {};
        members_[*t].asked = s;
        members_[*t].quiet = s.quiet;
        members_[*t].wanted = s.answers;
        return t;
    }

    /// Appends those whose deadline has come. Who is in a step leaves when it ends.
    void expire(time_point now, std::vector<ticket>& expired) {
        const std::size_t others = expired.size();
        waiting_.expire(now, expired);
        for (std::size_t i = others; i < expired.size(); ++i) waiting_.release(expired[i]);
        for (group& g : groups_)
            for (std::size_t i = 0; i < g.seated.size();) {
                const ticket t = g.seated[i];
                member& m = members_[t];
                if (m.asked.deadline > now || m.leaves) {
                    ++i;
                    continue;
                }
                expired.push_back(t);
                if (m.steps)
                    m.leaves = true, ++i;
                else
                    leave(g, t);
            }
    }
    /// False: it is in a step, and leaves when that ends.
    bool cancel(ticket t) {
        member& m = members_[t];
        if (!m.seated) {
            static_cast<void>(waiting_.cancel(t));
            waiting_.release(t);
            return true;
        }
        if (m.steps) {
            m.leaves = true;
            return false;
        }
        leave(groups_[m.group], t);
        return true;
    }
    /// Everybody that is not in a step; the others leave when theirs ends, and are appended to `later`.
    void clear(std::vector<ticket>& all, std::vector<ticket>& later) {
        const std::size_t others = all.size();
        waiting_.clear(all);
        for (std::size_t i = others; i < all.size(); ++i) waiting_.release(all[i]);
        for (group& g : groups_)
            for (const ticket t : std::vector<ticket>(g.seated))
                if (!members_[t].leaves) (cancel(t) ? all : later).push_back(t);
    }

    /// Appends the pieces of the group's next step, none where it has nothing to do. Call `expire` before with the same
    /// `now`, and one of the two below after.
    void next(std::size_t of, time_point now, std::vector<piece>& step) {
        group& g = groups_[of];
        const bool was_empty = g.seated.empty();
        std::size_t left = options_.prefill_items;
        const auto suspect =
            std::find_if(g.seated.begin(), g.seated.end(), [&](ticket t) { return members_[t].suspect; });
        if (suspect != g.seated.end()) {
            add(*suspect, left, step);
            return;
        }
        for (const ticket t : g.seated)
            if (members_[t].fed > members_[t].quiet) add(t, left, step);
        for (const ticket t : g.seated)
            if (members_[t].fed <= members_[t].quiet && left != 0) add(t, left, step);
        const bool join = options_.join == joining::between_steps || was_empty;
        while (join && !g.free.empty() && (left != 0 || options_.join == joining::when_all_have_left)) {
            admitted_.clear();
            waiting_.take(now, admitted_);
            if (admitted_.empty()) break;
            const ticket t = admitted_.front();
            member& m = members_[t];
            m.seated = true;
            m.group = of;
            m.slot = g.free.back();
            g.free.pop_back();
            g.seated.push_back(t);
            if (left != 0) add(t, left, step);
        }
    }

    /// The group's step was computed; `said` of each of its pieces, in order.
    void stepped(std::size_t of, std::span<const piece> step, std::span<const verdict> said, departures& gone) {
        group& g = groups_[of];
        for (std::size_t i = 0; i < step.size(); ++i) {
            const piece& p = step[i];
            member& m = members_[p.who];
            m.steps = false;
            m.fed += p.items;
            if (p.answered) {
                m.suspect = false;
                --m.wanted;
            }
            std::vector<ticket>* where = nullptr;
            if (m.leaves)
                where = &gone.told;
            else if (said[i] == verdict::fails)
                where = &gone.failed;
            else if (said[i] == verdict::ends || m.wanted == 0)
                where = &gone.ended;
            if (where == nullptr) continue;
            where->push_back(p.who);
            leave(g, p.who);
        }
    }
    /// The group's step threw. Who was alone in it has failed.
    void threw(std::size_t of, std::span<const piece> step, departures& gone) {
        group& g = groups_[of];
        for (const piece& p : step) {
            member& m = members_[p.who];
            m.steps = false;
            if (m.leaves || step.size() == 1) {
                (m.leaves ? gone.told : gone.failed).push_back(p.who);
                leave(g, p.who);
                continue;
            }
            m.suspect = true;
            m.quiet = std::max(m.quiet, p.position + p.items - 1);
            m.fed = 0;
        }
    }

    /// Whether a group that does not step now would have something to do.
    [[nodiscard]] bool anybody_waits(time_point now) const { return waiting_.due(now); }
    [[nodiscard]] bool in_a_step(ticket t) const { return members_[t].steps; }
    /// When to expire next.
    [[nodiscard]] time_point next_time() const {
        time_point next = waiting_.next_time(false);
        for (const group& g : groups_)
            for (const ticket t : g.seated)
                if (!members_[t].leaves) next = std::min(next, members_[t].asked.deadline);
        return next;
    }
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.queued_rows(); }
    [[nodiscard]] std::size_t seated() const noexcept {
        std::size_t all = 0;
        for (const group& g : groups_) all += g.seated.size();
        return all;
    }

private:
    struct member {
        sequence asked;
        std::size_t quiet = 0;  // as asked, or up to where it was when its step threw
        std::size_t wanted = 0;
        std::size_t fed = 0;
        std::size_t group = 0;
        std::size_t slot = 0;
        bool seated = false;
        bool steps = false;    // is in a step
        bool leaves = false;   // when it ends
        bool suspect = false;  // was in a step that threw, and is not past that yet
    };
    struct group {
        std::vector<ticket> seated;  // in the order of their admission
        std::vector<std::size_t> free;
    };

    void add(ticket t, std::size_t& left, std::vector<piece>& step) {
        member& m = members_[t];
        piece p{t, m.slot, m.fed, 1, m.fed >= m.quiet};
        if (m.fed <= m.quiet) {
            p.items = std::min({m.quiet + 1 - m.fed, options_.piece_items, left});
            left -= p.items;
            p.answered = m.fed + p.items > m.quiet;
        }
        m.steps = true;
        step.push_back(p);
    }
    void leave(group& g, ticket t) {
        g.seated.erase(std::find(g.seated.begin(), g.seated.end(), t));
        g.free.push_back(members_[t].slot);
        members_[t] = {};
        waiting_.release(t);
    }

    sequence_options options_;
    request_queue waiting_;
    std::vector<member> members_;  // by ticket
    std::vector<group> groups_;
    std::vector<ticket> admitted_;
};
using sequence_queue = basic_sequence_queue<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
