// fanfold/schedule/serial.hpp - the calling thread alone: the specification that other executors are compared with.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../placement/workspaces.hpp"
#include "executor.hpp"

namespace fanfold::inline FANFOLD_ABI {

class serial_executor {
public:
    [[nodiscard]] static std::size_t workers() noexcept { return 1; }
    [[nodiscard]] static std::string_view name() noexcept { return "serial"; }
    [[nodiscard]] static claim_order order() noexcept { return claim_order::shared; }

    template <class Later = void>
    void run(const work& job) const {
        detail::basic_run_state<Later> state(job);
        const detail::basic_stop_bell<Later> waker(state);
        const workspace_store::loan space = spaces_.lend(job.workspace_bytes);
        state.equip(*space);
        state.work_to_the_end(0, *space);
        state.rethrow();
    }

private:
    mutable workspace_store spaces_;
};
static_assert(executor<serial_executor>);

}  // namespace fanfold::inline FANFOLD_ABI
