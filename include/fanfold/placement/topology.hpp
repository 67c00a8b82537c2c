// fanfold/placement/topology.hpp - which CPUs this process may really use: affinity mask and cgroup quota.
// SPDX-License-Identifier: MIT
#pragma once
#include <sched.h>  // sched_getaffinity

#include <algorithm>   // std::clamp
#include <cstddef>     // std::size_t
#include <filesystem>  // std::filesystem::path
#include <fstream>     // std::ifstream
#include <string>      // std::string
#include <thread>      // std::thread::hardware_concurrency
#include <vector>      // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The CPUs of a process.
struct topology {
    std::size_t affinity_cpus = 1;  ///< in the affinity mask
    double quota_cpus = 0;          ///< CPU time per wall time that cgroups allow; 0: no quota

    /// Workers that can all run at once: whole CPUs of the quota, at least one.
    [[nodiscard]] std::size_t usable_cpus() const noexcept {
        if (quota_cpus <= 0) return affinity_cpus;
        const double whole = std::clamp(quota_cpus, 1.0, static_cast<double>(affinity_cpus));
        return static_cast<std::size_t>(whole);
    }
};

namespace detail {

/// CPUs in this thread's affinity mask; the machine's when the mask cannot be read.
[[nodiscard]] inline std::size_t affinity_cpus() {
    for (std::size_t cpus = 1024; cpus <= (std::size_t{1} << 20); cpus *= 2) {
        std::vector<unsigned long> mask(cpus / (8 * sizeof(unsigned long)));
        if (sched_getaffinity(0, mask.size() * sizeof(unsigned long), reinterpret_cast<cpu_set_t*>(mask.data())) != 0)
            continue;  // EINVAL: the kernel's mask is longer
        std::size_t count = 0;
        for (const unsigned long word : mask) count += static_cast<std::size_t>(__builtin_popcountl(word));
        return std::max<std::size_t>(count, 1);
    }
    return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

/// "max 100000" or "150000 100000" -> CPUs, 0 when unlimited or unreadable.
[[nodiscard]] inline double read_cpu_max(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string quota;
    double period = 0;
    if (!(in >> quota >> period) || quota == "max" || period <= 0) return 0;
    char* end = nullptr;
    const double allowed = std::strtod(quota.c_str(), &end);
    return *end == '\0' && allowed > 0 ? allowed / period : 0;
}

/// The smallest quota of this process's cgroup (version 2) and of those it lies in; `root` is "/" but for tests.
[[nodiscard]] inline double cgroup_quota(const std::filesystem::path& root) {
    std::ifstream memberships(root / "proc/self/cgroup");
    std::string line;
    std::filesystem::path group;
    bool found = false;
    while (std::getline(memberships, line)) {
        if (!line.starts_with("0::/")) continue;
        group = line.substr(4);
        found = true;
    }
    if (!found) return 0;
    double least = 0;
    for (std::filesystem::path at = group;; at = at.parent_path()) {
        const double here = read_cpu_max(root / "sys/fs/cgroup" / at / "cpu.max");
        if (here > 0 && (least == 0 || here < least)) least = here;
        if (at.empty() || at == at.parent_path()) return least;
    }
}

}  // namespace detail

/// Reads the mask of the calling thread and the quota of the process; nothing is cached.
///
/// cost     a system call and a few small files, about 50 us
[[nodiscard]] inline topology read_topology() { return {detail::affinity_cpus(), detail::cgroup_quota("/")}; }

/// The number of workers that an executor starts unless told otherwise.
[[nodiscard]] inline std::size_t usable_cpus() { return read_topology().usable_cpus(); }

}  // namespace fanfold::inline FANFOLD_ABI
