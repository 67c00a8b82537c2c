// fanfold/schedule/threads.hpp - threads by hand: started for the job, each with its share of the shards, then joined.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>     // std::min
#include <cstddef>       // std::size_t
#include <string_view>   // std::string_view
#include <system_error>  // std::system_error
#include <thread>        // std::jthread
#include <vector>        // std::vector

#include "../placement/topology.hpp"
#include "../placement/workspaces.hpp"
#include "executor.hpp"

namespace fanfold::inline FANFOLD_ABI {

struct threads_options {
    std::size_t workers = 0;  ///< the caller included; 0: the CPUs that this process may use
};

/// Worker w starts with the w-th of `workers` consecutive shares of the shards, then takes what others have left.
/// The calling thread is worker 0. No thread outlives a job.
///
/// cost     about 20 us a thread and job
/// errors   fewer threads than asked for when the system gives no more; their shares are taken by the others
class threads_executor {
public:
    explicit threads_executor(threads_options options = {})
        : workers_(options.workers != 0 ? options.workers : usable_cpus()) {}

    [[nodiscard]] std::size_t workers() const noexcept { return workers_; }
    [[nodiscard]] static std::string_view name() noexcept { return "threads"; }
    [[nodiscard]] static claim_order order() noexcept { return claim_order::own_share_first; }

    void run(const work& job) const {
        detail::run_state state(job);
        const detail::stop_bell waker(state);
        const std::size_t others = std::min(workers_, std::max<std::size_t>(job.parallelism, 1)) - 1;
        const auto take_part = [&](std::size_t worker) {
            state.guard([&] {
                const workspace_store::loan space = spaces_.lend(job.workspace_bytes);
                state.equip(*space);
                state.work_to_the_end(worker, *space);
            });
        };
        {
            std::vector<std::jthread> threads(others);  // joined at the end of this block
            for (std::size_t worker = 1; worker <= others; ++worker) {
                try {
                    threads[worker - 1] = std::jthread(take_part, worker);
                } catch (const std::system_error&) {
                    break;  // no more threads to be had
                }
            }
            take_part(0);
        }
        state.rethrow();
    }

private:
    std::size_t workers_;
    mutable workspace_store spaces_;
};
static_assert(executor<threads_executor>);

}  // namespace fanfold::inline FANFOLD_ABI
