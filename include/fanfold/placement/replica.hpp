// fanfold/placement/replica.hpp - a model's weights once for each NUMA node, near the workers that read them.
// SPDX-License-Identifier: MIT
#pragma once
#include <sched.h>  // sched_getcpu

#include <concepts>     // std::invocable
#include <cstddef>      // std::size_t
#include <exception>    // std::exception_ptr
#include <memory>       // std::unique_ptr
#include <string>       // std::string
#include <thread>       // std::jthread
#include <type_traits>  // std::invoke_result_t
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../model/model.hpp"
#include "affinity.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Copies of one model, each made on the CPUs of its node, so that its memory is first touched there. Is itself a
/// model: a call goes to the copy of the node that the calling worker is on. Bits do not depend on which.
///
/// example  const replicas model(read_topology(), [] { return onnx::load("large.onnx"); });
///          infer(cores, model, rows);
/// cost     `make` once a node, one after the other, by the calling thread where there is one node; a call: about 20 ns
///          to learn the CPU
/// errors   what `make` throws
template <model M>
class replicas {
public:
    template <std::invocable Make>
    replicas(const topology& machine, const Make& make) {
        if (machine.nodes.size() < 2) {
            copies_.push_back(std::make_unique<const M>(make()));
            return;
        }
        copies_.resize(machine.nodes.size());
        for (std::size_t node = 0; node < copies_.size(); ++node) {
            std::exception_ptr error;
            // A thread of its own: its first allocations come from an arena of malloc's that is as new as it is.
            std::jthread([&] {
                try {
                    const affinity_scope here(machine.nodes[node]);
                    copies_[node] = std::make_unique<const M>(make());
                } catch (...) {
                    error = std::current_exception();
                }
            }).join();
            if (error != nullptr) std::rethrow_exception(std::move(error));
            for (const std::size_t cpu : machine.nodes[node]) {
                if (cpu >= node_of_cpu_.size()) node_of_cpu_.resize(cpu + 1, 0);
                node_of_cpu_[cpu] = node;
            }
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return copies_.size(); }
    [[nodiscard]] const M& on(std::size_t node) const { return *copies_.at(node); }
    /// Of the node that the calling thread is on now.
    [[nodiscard]] const M& here() const noexcept {
        if (copies_.size() == 1) return *copies_.front();
        const int cpu = sched_getcpu();
        const bool known = cpu >= 0 && static_cast<std::size_t>(cpu) < node_of_cpu_.size();
        return *copies_[known ? node_of_cpu_[static_cast<std::size_t>(cpu)] : 0];
    }

    [[nodiscard]] std::vector<tensor_type> answers(const batch& all) const requires declared_model<M> {
        return copies_.front()->answers(all);
    }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const requires declared_model<M> {
        return copies_.front()->workspace_bytes(rows);
    }
    void operator()(const batch_view& rows, const mutable_batch_view& out,
                    workspace& space) const requires declared_model<M> {
        here()(rows, out, space);
    }
    template <class Rows>
    [[nodiscard]] auto operator()(const Rows& rows, workspace& space) const
        requires(!declared_model<M> && std::invocable<const M&, const Rows&, workspace&>) {
        return here()(rows, space);
    }
    template <class Rows>
    [[nodiscard]] auto operator()(const Rows& rows) const
        requires(!declared_model<M> && !std::invocable<const M&, const Rows&, workspace&> &&
                 std::invocable<const M&, const Rows&>) {
        return here()(rows);
    }
    [[nodiscard]] std::size_t rows_per_call() const { return detail::fixed_rows(*copies_.front()); }
    [[nodiscard]] std::string row_mixer(const batch& rows) const {
        return detail::row_mixer_of(*copies_.front(), rows);
    }

private:
    std::vector<std::unique_ptr<const M>> copies_;
    std::vector<std::size_t> node_of_cpu_;
};
template <class Make>
replicas(const topology&, const Make&) -> replicas<std::invoke_result_t<const Make&>>;

}  // namespace fanfold::inline FANFOLD_ABI
