// tests/serve/workers_by_hand.hpp - workers of a server that begin when a test says so, on its own thread.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/placement/workspaces.hpp>
#include <fanfold/schedule/task.hpp>

#include <cstddef>
#include <deque>
#include <utility>

class workers_by_hand {
public:
    explicit workers_by_hand(std::size_t workers) : workers_(workers) {}

    [[nodiscard]] std::size_t workers() const { return workers_; }
    void post(fanfold::task what) const { called_.push_back(std::move(what)); }
    [[nodiscard]] fanfold::workspace_store& spaces() const { return spaces_; }

    /// Those who have been called and have not begun.
    [[nodiscard]] std::size_t called() const { return called_.size(); }
    /// The first of them (throws where there is none) works until there is nothing for it to do.
    void begin_one() const {
        const fanfold::task first = std::move(called_.at(0));
        called_.pop_front();
        first();
    }
    /// All of them, and whom they call.
    void begin() const {
        while (called() != 0) begin_one();
    }

private:
    std::size_t workers_;
    mutable std::deque<fanfold::task> called_;
    mutable fanfold::workspace_store spaces_;
};
