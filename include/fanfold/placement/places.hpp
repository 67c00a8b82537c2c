// fanfold/placement/places.hpp - which worker belongs to which NUMA node, and on which CPUs it may be kept.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint8_t
#include <utility>    // std::move
#include <vector>     // std::vector

#include "topology.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Where workers are kept while they take part in a job. What a thread's own mask excludes stays excluded.
enum class pinning : std::uint8_t {
    none,   ///< wherever the system puts them
    nodes,  ///< on the CPUs of their node, where there are several
    cpus,   ///< each on one CPU: physical cores first, then their siblings
};

/// Where one worker belongs.
struct worker_place {
    std::size_t node = 0;
    cpu_list cpus;  ///< it is kept on these; empty: not kept
};

namespace detail {

/// What `worker_places` needs to know of this machine.
template <class = void>
[[nodiscard]] topology machine_for(pinning how) {
    if (how == pinning::cpus) return read_topology();
    topology t{allowed_cpus("/"), {}, {}, cgroup_quota("/")};
    if (how == pinning::nodes) t.nodes = numa_nodes(t.cpus, "/");
    return t;
}

/// A node's CPUs, the first of each core before the second of any.
template <class = void>
[[nodiscard]] cpu_list spread_over_cores(const cpu_list& node, const std::vector<cpu_list>& cores) {
    cpu_list order;
    for (std::size_t sibling = 0; order.size() < node.size(); ++sibling) {
        const std::size_t before = order.size();
        for (const cpu_list& core : cores) {
            const cpu_list here = common(core, node);
            if (sibling < here.size()) order.push_back(here[sibling]);
        }
        if (order.size() == before) return node;  // CPUs in no core
    }
    return order;
}

}  // namespace detail

/// Workers in the order of nodes, to each node in proportion to its CPUs (largest remainder first), so that consecutive
/// shares of rows lie in one node.
///
/// example  6 workers, nodes of 8 and 4 CPUs  ->  nodes 0 0 0 0 1 1
template <class = void>
[[nodiscard]] std::vector<worker_place> worker_places(const topology& machine, std::size_t workers, pinning how) {
    const std::size_t nodes = std::max<std::size_t>(machine.nodes.size(), 1);
    std::vector<std::size_t> count(nodes, 0);
    std::size_t left = workers;
    if (nodes == 1 || how == pinning::none) {
        count[0] = std::exchange(left, 0);
    } else {
        std::size_t all = 0;
        for (const cpu_list& node : machine.nodes) all += node.size();
        std::vector<std::size_t> rest(nodes);
        for (std::size_t k = 0; k < nodes; ++k) {
            count[k] = workers * machine.nodes[k].size() / all;
            rest[k] = workers * machine.nodes[k].size() % all;
            left -= count[k];
        }
        for (; left != 0; --left) {
            std::size_t most = 0;
            for (std::size_t k = 1; k < nodes; ++k)
                if (rest[k] > rest[most]) most = k;
            ++count[most];
            rest[most] = 0;
        }
    }
    std::vector<worker_place> places;
    places.reserve(workers);
    for (std::size_t k = 0; k < nodes; ++k) {
        cpu_list one_by_one;
        if (how == pinning::cpus)
            one_by_one =
                detail::spread_over_cores(k < machine.nodes.size() ? machine.nodes[k] : machine.cpus, machine.cores);
        for (std::size_t i = 0; i < count[k]; ++i) {
            worker_place place{k, {}};
            if (how == pinning::nodes && nodes > 1) place.cpus = machine.nodes[k];
            if (!one_by_one.empty()) place.cpus = {one_by_one[i % one_by_one.size()]};
            places.push_back(std::move(place));
        }
    }
    return places;
}

}  // namespace fanfold::inline FANFOLD_ABI
