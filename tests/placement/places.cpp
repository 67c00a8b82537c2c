// SPDX-License-Identifier: MIT
#include <fanfold/placement/places.hpp>

#include <algorithm>
#include <vector>

#include "../catch.hpp"
#include "fake_root.hpp"

using namespace fanfold;

namespace {

topology machine(std::vector<cpu_list> nodes, std::vector<cpu_list> cores = {}) {
    topology t{{}, std::move(cores), std::move(nodes), 0};
    for (const cpu_list& node : t.nodes) t.cpus.insert(t.cpus.end(), node.begin(), node.end());
    return t;
}
std::vector<std::size_t> nodes_of(const std::vector<worker_place>& places) {
    std::vector<std::size_t> nodes;
    for (const worker_place& p : places) nodes.push_back(p.node);
    return nodes;
}
using list = std::vector<std::size_t>;

}  // namespace

TEST_CASE("Workers belong to nodes in proportion to their CPUs, neighbours to the same node") {
    const auto places = [](const topology& t, std::size_t workers) {
        return nodes_of(worker_places(t, workers, pinning::nodes));
    };
    CHECK(places(machine({{0, 1}, {2, 3}}), 4) == list{0, 0, 1, 1});
    CHECK(places(machine({{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11}}), 6) == list{0, 0, 0, 0, 1, 1});
    CHECK(places(machine({{0}, {1}, {2}}), 1) == list{0});
    CHECK(places(machine({{0}, {1}, {2}}), 2) == list{0, 1});
    CHECK(places(machine({{0}, {1, 2, 3}}), 2) == list{0, 1});
    CHECK(places(machine({{0, 1}, {2}}), 9) == list{0, 0, 0, 0, 0, 0, 1, 1, 1});
    CHECK(places(machine({{0, 1}}), 3) == list{0, 0, 0});
    CHECK(places(topology{}, 2) == list{0, 0});
    CHECK(places(machine({{0}, {1}}), 0).empty());
    for (std::size_t workers = 1; workers <= 40; ++workers) {
        const topology t = machine({{0, 1, 2}, {3}, {4, 5, 6, 7, 8}});
        const auto nodes = places(t, workers);
        REQUIRE(nodes.size() == workers);
        REQUIRE(std::is_sorted(nodes.begin(), nodes.end()));
        for (std::size_t k = 0; k < 3; ++k) {
            const auto count = static_cast<double>(std::count(nodes.begin(), nodes.end(), k));
            const double share = static_cast<double>(workers * t.nodes[k].size()) / 9;
            REQUIRE(count > share - 1);
            REQUIRE(count < share + 1);
        }
    }
}

TEST_CASE(
    "With one node nothing is kept anywhere; with several each worker on its node's CPUs; or on one CPU, if asked") {
    const topology one = machine({{0, 1, 2, 3}}, {{0, 1}, {2, 3}});
    for (const worker_place& p : worker_places(one, 4, pinning::nodes)) CHECK(p.cpus.empty());
    const topology two = machine({{0, 1, 2, 3}, {4, 5}}, {{0, 2}, {1, 3}, {4, 5}});
    const auto by_node = worker_places(two, 3, pinning::nodes);
    CHECK(by_node[1].cpus == cpu_list{0, 1, 2, 3});
    CHECK(by_node[2].cpus == cpu_list{4, 5});
    for (const worker_place& p : worker_places(two, 6, pinning::none)) CHECK((p.node == 0 && p.cpus.empty()));
    std::vector<cpu_list> each;
    for (const worker_place& p : worker_places(two, 6, pinning::cpus)) each.push_back(p.cpus);
    CHECK(each ==
          std::vector<cpu_list>{{0}, {1}, {2}, {3}, {4}, {5}});  // of cores {0, 2} and {1, 3}: one of each first
    each.clear();
    for (const worker_place& p : worker_places(one, 3, pinning::cpus)) each.push_back(p.cpus);
    CHECK(each == std::vector<cpu_list>{{0}, {2}, {1}});
}

TEST_CASE("Places on a machine as its files tell it: what mask and cpuset exclude has no worker") {
    const fake_root root;
    root.write("proc/self/status", "Cpus_allowed_list:\t0-5\n");
    root.write("proc/self/cgroup", "0::/a\n");
    root.write("proc/self/mountinfo", "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("sys/fs/cgroup/a/cpuset.cpus.effective", "1-7\n");
    root.write("sys/devices/system/node/node0/cpulist", "0-3\n");
    root.write("sys/devices/system/node/node1/cpulist", "4-7\n");
    const topology t = read_topology(root.path().string());
    REQUIRE(t.nodes == std::vector<cpu_list>{{1, 2, 3}, {4, 5}});
    std::vector<cpu_list> each;
    for (const worker_place& p : worker_places(t, t.usable_cpus(), pinning::cpus)) each.push_back(p.cpus);
    CHECK(each == std::vector<cpu_list>{{1}, {2}, {3}, {4}, {5}});
}
