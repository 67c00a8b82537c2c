// fanfold/model/step_watch.hpp - tells whoever watches a workspace what each step of a graph took.
// SPDX-License-Identifier: MIT
#pragma once
#include <chrono>  // std::chrono::steady_clock
#include <span>    // std::span
#include <vector>  // std::vector

#include "graph_state.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// A step begins where the one before it ended, so that nothing of a run is left out.
///
/// cost     one branch a step while nobody watches; else two clock readings' worth, about 50 ns
class step_watch {
public:
    explicit step_watch(const workspace& space) : sink_(space.steps) {
        if (sink_) started_ = std::chrono::steady_clock::now();
    }

    void ended(const graph_step& step, std::span<const tensor_view> in) {
        if (sink_) tell(step, in);
    }

private:
    void tell(const graph_step& step, std::span<const tensor_view> in) {
        const time_point finished = std::chrono::steady_clock::now();
        std::vector<shape> shapes;
        for (const tensor_view& one : in) shapes.push_back(one.shape());
        sink_({step.op.name(), step.name, step.op.flops(shapes), started_, finished});
        started_ = std::chrono::steady_clock::now();
    }

    step_sink sink_;
    time_point started_{};
};

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
