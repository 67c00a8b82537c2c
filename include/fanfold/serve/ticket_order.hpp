// fanfold/serve/ticket_order.hpp - tickets by a time, the earliest first: quick where they come nearly in that order.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t, std::uint32_t, std::uint64_t
#include <vector>   // std::vector

#include "../context/clock.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A priority queue from which anybody may leave. Whoever comes with the latest time so far stands at the end of a
/// line; only those who come with an earlier one go to a heap.
///
/// cost     push, erase: O(1), amortized, for those in line; O(log n) in the heap, n of those there
/// requires `positions` of all calls are the same, and used for one order that a ticket is in at a time
/// threads  one user at a time
template <class>
class basic_ticket_order {
public:
    using ticket = std::uint32_t;
    /// Of equal times who has the smaller number is first.
    struct place {
        time_point when;
        std::uint64_t number = 0;
        ticket who = 0;

        friend bool operator<(const place& a, const place& b) {
            return a.when != b.when ? a.when < b.when : a.number < b.number;
        }
    };
    /// Where each ticket stands: its index in line, or in the heap, complemented.
    using positions = std::vector<std::int64_t>;

    [[nodiscard]] bool empty() const noexcept { return head_ == line_.size() && heap_.empty(); }
    /// There must be one.
    [[nodiscard]] const place& front() const {
        return heap_.empty() || (head_ != line_.size() && line_[head_] < heap_.front()) ? line_[head_] : heap_.front();
    }

    /// In no order.
    template <class F>
    void for_each(const F& f) const {
        for (std::size_t i = head_; i < line_.size(); ++i)
            if (line_[i].who != nobody) f(line_[i]);
        for (const place& p : heap_) f(p);
    }

    void push(const place& p, positions& at) {
        if (at.size() <= p.who) at.resize(p.who + std::size_t{1});
        if (head_ != line_.size() && p < line_.back()) {
            heap_.push_back(p);
            rise(heap_.size() - 1, at);
        } else {
            at[p.who] = static_cast<std::int64_t>(line_.size());
            line_.push_back(p);
        }
    }
    /// Who is in this order.
    void erase(ticket who, positions& at) {
        if (at[who] < 0) return erase_from_heap(static_cast<std::size_t>(~at[who]), at);
        line_[static_cast<std::size_t>(at[who])].who = nobody;
        ++gaps_;
        for (; head_ != line_.size() && line_[head_].who == nobody; ++head_) --gaps_;
        for (; head_ != line_.size() && line_.back().who == nobody; line_.pop_back()) --gaps_;
        if (head_ + gaps_ > line_.size() / 2) close_up(at);
    }

private:
    static constexpr ticket nobody = ~ticket{0};

    /// Whoever is left in line moves up.
    void close_up(positions& at) {
        std::size_t to = 0;
        for (std::size_t from = head_; from < line_.size(); ++from)
            if (line_[from].who != nobody) {
                at[line_[from].who] = static_cast<std::int64_t>(to);
                line_[to++] = line_[from];
            }
        line_.resize(to);
        head_ = gaps_ = 0;
    }
    void set(std::size_t index, const place& p, positions& at) {
        heap_[index] = p;
        at[p.who] = ~static_cast<std::int64_t>(index);
    }
    void rise(std::size_t index, positions& at) {
        const place p = heap_[index];
        for (; index != 0 && p < heap_[(index - 1) / 2]; index = (index - 1) / 2)
            set(index, heap_[(index - 1) / 2], at);
        set(index, p, at);
    }
    void sink(std::size_t index, positions& at) {
        const place p = heap_[index];
        for (std::size_t child = 0; (child = 2 * index + 1) < heap_.size(); index = child) {
            if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
            if (!(heap_[child] < p)) break;
            set(index, heap_[child], at);
        }
        set(index, p, at);
    }
    void erase_from_heap(std::size_t index, positions& at) {
        const place last = heap_.back();
        heap_.pop_back();
        if (index == heap_.size()) return;
        set(index, last, at);
        rise(index, at);
        sink(static_cast<std::size_t>(~at[last.who]), at);
    }

    std::vector<place> line_;  // in order; before head_ all have left, behind it some
    std::size_t head_ = 0;
    std::size_t gaps_ = 0;  // behind head_
    std::vector<place> heap_;
};
using ticket_order = basic_ticket_order<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
