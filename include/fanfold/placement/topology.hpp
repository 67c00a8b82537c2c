// fanfold/placement/topology.hpp - the CPUs that this process may really use: how many, and how they lie together.
// SPDX-License-Identifier: MIT
#pragma once
#include <dirent.h>  // opendir
#include <sched.h>   // sched_getaffinity
#include <unistd.h>  // sysconf

#include <algorithm>    // std::min, std::max, std::sort
#include <cstddef>      // std::size_t
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "cgroup.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What a process may use of a machine. Every CPU of `cpus` is in one core and in one node.
struct topology {
    cpu_list cpus;                ///< in the affinity mask, in the cpuset, online
    std::vector<cpu_list> cores;  ///< those of `cpus` that share a physical core (SMT siblings), a list a core
    std::vector<cpu_list> nodes;  ///< those of `cpus` near the same memory, a list a NUMA node that has any
    double quota_cpus = 0;        ///< CPU time per wall time that cgroups allow; 0: no quota

    /// Workers that can all run at once: whole CPUs of the quota, at least one.
    [[nodiscard]] std::size_t usable_cpus() const noexcept {
        const std::size_t present = std::max<std::size_t>(cpus.size(), 1);
        if (quota_cpus <= 0 || quota_cpus >= static_cast<double>(present)) return present;
        return std::max<std::size_t>(static_cast<std::size_t>(quota_cpus), 1);
    }
};

namespace detail {

template <class = void>
[[nodiscard]] cpu_list first_cpus(std::size_t count) {
    cpu_list cpus{0};
    while (cpus.size() < count) cpus.push_back(cpus.size());
    return cpus;
}

/// The affinity mask of the calling thread; the machine's CPUs when it cannot be read.
template <class = void>
[[nodiscard]] cpu_list affinity_cpus() {
    constexpr std::size_t bits = 8 * sizeof(unsigned long);
    for (std::size_t length = 1024; length <= (std::size_t{1} << 20); length *= 2) {
        std::vector<unsigned long> mask(length / bits);
        if (sched_getaffinity(0, length / 8, reinterpret_cast<cpu_set_t*>(mask.data())) != 0)
            continue;  // EINVAL: the kernel's mask is longer
        cpu_list cpus;
        for (std::size_t cpu = 0; cpu < length; ++cpu)
            if ((mask[cpu / bits] >> (cpu % bits) & 1UL) != 0) cpus.push_back(cpu);
        if (!cpus.empty()) return cpus;
    }
    return first_cpus(static_cast<std::size_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L)));
}

/// The mask as a tree of files tells it: of the main thread, offline CPUs left out as the system call does.
template <class = void>
[[nodiscard]] cpu_list affinity_cpus(const std::string& root) {
    const std::string online = read_text(below(root, "sys/devices/system/cpu/online"));
    const std::string status = read_text(below(root, "proc/self/status"));
    constexpr std::string_view label = "Cpus_allowed_list:";
    for (std::string_view rest = status; !rest.empty();) {
        const std::string_view line = cut(rest, '\n');
        if (!line.starts_with(label)) continue;
        auto cpus = parse_cpu_list(line.substr(label.size()));
        if (!cpus || cpus->empty()) break;
        narrow(*cpus, online);
        return *std::move(cpus);
    }
    auto cpus = parse_cpu_list(online);
    return cpus && !cpus->empty() ? *std::move(cpus) : first_cpus(1);
}

/// Of a fake tree the mask is read as well; of the real one the calling thread's own is asked for.
template <class = void>
[[nodiscard]] cpu_list allowed_cpus(const std::string& root) {
    cpu_list cpus = root == "/" ? affinity_cpus() : affinity_cpus(root);
    narrow_to_cpusets(cpus, root);
    return cpus;
}

/// Parts `cpus` by lists that overlap them: one that an earlier list took stays there, one in no list is left.
template <class = void>
class parted {
public:
    explicit parted(cpu_list cpus) : left_(std::move(cpus)) {}

    void take(const cpu_list& listed) {
        cpu_list both = common(left_, listed);
        if (both.empty()) return;
        cpu_list others;
        for (const std::size_t cpu : left_)
            if (!has(both, cpu)) others.push_back(cpu);
        left_ = std::move(others);
        parts_.push_back(std::move(both));
    }
    [[nodiscard]] const cpu_list& left() const noexcept { return left_; }
    [[nodiscard]] std::vector<cpu_list> parts() && { return std::move(parts_); }

private:
    cpu_list left_;
    std::vector<cpu_list> parts_;
};

template <class = void>
[[nodiscard]] std::vector<cpu_list> physical_cores(const cpu_list& cpus, const std::string& root) {
    parted cores(cpus);
    while (!cores.left().empty()) {
        const std::size_t cpu = cores.left().front();
        const std::string folder = below(root, "sys/devices/system/cpu/cpu" + std::to_string(cpu));
        const auto siblings = parse_cpu_list(read_text(below(folder, "topology/thread_siblings_list")));
        const bool plausible = siblings && has(*siblings, cpu);
        cores.take(plausible ? *siblings : cpu_list{cpu});
    }
    return std::move(cores).parts();
}

template <class = void>
[[nodiscard]] std::vector<cpu_list> numa_nodes(const cpu_list& cpus, const std::string& root) {
    const std::string folder = below(root, "sys/devices/system/node");
    std::vector<std::size_t> numbers;
    struct listing {
        DIR* entries;
        ~listing() {
            if (entries != nullptr) closedir(entries);
        }
    };
    const listing names{opendir(folder.c_str())};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this listing
    while (const dirent* entry = names.entries != nullptr ? readdir(names.entries) : nullptr) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with("node")) continue;
        if (const auto number = parse_number(name.substr(4))) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    parted nodes(cpus);
    for (const std::size_t number : numbers)
        if (const auto listed = parse_cpu_list(read_text(below(folder, "node" + std::to_string(number) + "/cpulist"))))
            nodes.take(*listed);
    nodes.take(cpu_list(nodes.left()));  // all of them on a machine without nodes
    return std::move(nodes).parts();
}

}  // namespace detail

/// Reads the mask of the calling thread, the limits of its process and the machine's shape; nothing is cached. Files
/// that are missing or make no sense limit nothing. `root` is where proc/ and sys/ lie.
///
/// cost     a few system calls a CPU, about 10 us each
template <class = void>
[[nodiscard]] topology read_topology(const std::string& root = "/") {
    topology t;
    t.cpus = detail::allowed_cpus(root);
    t.cores = detail::physical_cores(t.cpus, root);
    t.nodes = detail::numa_nodes(t.cpus, root);
    t.quota_cpus = detail::cgroup_quota(root);
    return t;
}

/// The number of workers that an executor starts unless told otherwise: never above what the process may use.
///
/// cost     a system call and a few small files, about 100 us
template <class = void>
[[nodiscard]] std::size_t usable_cpus() {
    return topology{detail::allowed_cpus("/"), {}, {}, detail::cgroup_quota("/")}.usable_cpus();
}

}  // namespace fanfold::inline FANFOLD_ABI
