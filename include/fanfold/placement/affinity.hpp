// fanfold/placement/affinity.hpp - the calling thread kept on some CPUs for a while.
// SPDX-License-Identifier: MIT
#pragma once
#include <sched.h>  // sched_setaffinity

#include <cstddef>  // std::size_t
#include <vector>   // std::vector

#include "topology.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// While it lives, the calling thread runs on those of `cpus` only that its mask has; then where it could before.
/// Does nothing where that would be no CPU, or all that it has already.
///
/// cost     nothing for an empty list; else one system call to look, and one each to narrow and to restore
/// requires destroyed by the thread that made it; scopes end in the reverse order
/// errors   none: where the system refuses (a cpuset that has changed), the thread stays as it is
class affinity_scope {
public:
    template <class = void>
    explicit affinity_scope(const cpu_list& cpus) {
        if (cpus.empty()) return;
        cpu_list before = detail::affinity_cpus();
        const cpu_list kept = detail::common(before, cpus);
        if (kept.empty() || kept.size() == before.size()) return;
        if (set(kept)) before_ = std::move(before);
    }
    ~affinity_scope() {
        if (!before_.empty()) set(before_);
    }
    affinity_scope(const affinity_scope&) = delete;
    affinity_scope& operator=(const affinity_scope&) = delete;

    [[nodiscard]] bool narrowed() const noexcept { return !before_.empty(); }

private:
    template <class = void>
    static bool set(const cpu_list& cpus) noexcept {
        constexpr std::size_t bits = 8 * sizeof(unsigned long);
        unsigned long mask[detail::most_cpus / bits] = {};
        for (const std::size_t cpu : cpus) mask[cpu / bits] |= 1UL << (cpu % bits);
        const std::size_t bytes = (cpus.back() / bits + 1) * sizeof(unsigned long);
        return sched_setaffinity(0, bytes, reinterpret_cast<const cpu_set_t*>(mask)) == 0;
    }

    cpu_list before_;  // empty: nothing to restore
};

}  // namespace fanfold::inline FANFOLD_ABI
