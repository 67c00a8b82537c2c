// fanfold/placement/workspaces.hpp - one workspace a worker, kept between jobs so that a warm job allocates nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <memory>   // std::unique_ptr
#include <mutex>    // std::mutex
#include <utility>  // std::exchange
#include <vector>   // std::vector

#include "../context/workspace.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Workspaces that are lent to the workers of a job and come back when it ends.
///
/// threads  jobs may run at once; each gets workspaces of its own
template <class Workspace>
class basic_workspace_store {
public:
    /// A workspace on loan; returns by itself.
    class loan {
    public:
        loan(basic_workspace_store& store, std::unique_ptr<Workspace> space)
            : store_(&store), space_(std::move(space)) {}
        loan(loan&& other) noexcept : store_(other.store_), space_(std::move(other.space_)) {}
        loan& operator=(loan&&) = delete;
        ~loan() {
            if (space_ != nullptr) store_->take_back(std::move(space_));
        }
        [[nodiscard]] Workspace& operator*() const noexcept { return *space_; }

    private:
        basic_workspace_store* store_;
        std::unique_ptr<Workspace> space_;
    };

    /// Called by the worker that will use it, so that the memory is first touched where it is used; who names its NUMA
    /// node gets one that was first touched there.
    [[nodiscard]] loan lend(std::size_t bytes, std::size_t node = 0) {
        std::unique_ptr<Workspace> space;
        {
            const std::lock_guard lock(mutex_);
            for (std::size_t last = idle_.size(); last-- != 0 && space == nullptr;)
                if (idle_[last]->node == node) {
                    std::swap(idle_[last], idle_.back());
                    space = std::move(idle_.back());
                    idle_.pop_back();
                }
        }
        if (space == nullptr) {
            space = std::make_unique<Workspace>();
            space->node = node;
        }
        space->reserve(bytes);
        return {*this, std::move(space)};
    }

private:
    void take_back(std::unique_ptr<Workspace> space) noexcept {
        space->tiles = {};
        space->stop = {};
        space->events = {};
        try {
            const std::lock_guard lock(mutex_);
            idle_.push_back(std::move(space));
        } catch (...) {  // then it is freed instead of kept
        }
    }

    std::mutex mutex_;
    std::vector<std::unique_ptr<Workspace>> idle_;
};
using workspace_store = basic_workspace_store<workspace>;

}  // namespace fanfold::inline FANFOLD_ABI
