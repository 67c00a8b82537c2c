// SPDX-License-Identifier: MIT
#include <fanfold/placement/topology.hpp>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "fake_root.hpp"

using namespace fanfold;

namespace {

const std::string cpu0 = "sys/devices/system/cpu/";
const std::string node = "sys/devices/system/node/";
const std::string v2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string tmpfs = "29 24 0:25 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n";

struct machine {
    std::string name;
    std::vector<std::pair<std::string, std::string>> files;
    std::string cpus;
    double quota = 0;
    std::size_t usable = 1;
    std::vector<cpu_list> cores = {};  ///< empty: each CPU its own
    std::vector<cpu_list> nodes = {};  ///< empty: one
};

std::pair<std::string, std::string> mask(const std::string& cpus) {
    return {"proc/self/status",
            "Name:\tmain\nCpus_allowed:\tff\nCpus_allowed_list:\t" + cpus + "\nMems_allowed_list:\t0\n"};
}
std::pair<std::string, std::string> groups(const std::string& lines) { return {"proc/self/cgroup", lines}; }
std::pair<std::string, std::string> mounts(const std::string& lines) {
    return {"proc/self/mountinfo", "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n" + lines};
}
std::pair<std::string, std::string> siblings(int cpu, const std::string& list) {
    return {cpu0 + "cpu" + std::to_string(cpu) + "/topology/thread_siblings_list", list + "\n"};
}
std::pair<std::string, std::string> memory(int number, const std::string& list) {
    return {node + "node" + std::to_string(number) + "/cpulist", list + "\n"};
}

const std::vector<machine> machines = {
    {"nothing at all", {}, "0", 0, 1},
    {"a mask and no groups", {mask("0-7")}, "0-7", 0, 8},
    {"a mask with holes", {mask("0-3,8,10-11")}, "0-3,8,10-11", 0, 7},
    {"no mask, but online CPUs", {{cpu0 + "online", "0-5\n"}}, "0-5", 0, 6},
    {"offline CPUs in the mask", {mask("0-7"), {cpu0 + "online", "0-2,6\n"}}, "0-2,6", 0, 4},
    {"a garbage mask", {mask("zebra"), {cpu0 + "online", "0-1\n"}}, "0-1", 0, 2},
    {"a mask and an online list of other CPUs", {mask("4-5"), {cpu0 + "online", "0-1\n"}}, "4-5", 0, 2},
    {"docker, version 2, a namespace of its own",
     {mask("0-7"), groups("0::/\n"), mounts(v2), {"sys/fs/cgroup/cpu.max", "200000 100000\n"}},
     "0-7",
     2,
     2},
    {"docker, version 2, on the host's namespace",
     {mask("0-7"),
      groups("0::/system.slice/docker-1f.scope\n"),
      mounts("30 24 0:26 /system.slice/docker-1f.scope /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
      {"sys/fs/cgroup/cpu.max", "350000 100000\n"}},
     "0-7",
     3.5,
     3},
    {"docker, version 1, the container's group mounted",
     {mask("0-7"),
      groups("4:cpu,cpuacct:/docker/1f\n3:cpuset:/docker/1f\n1:name=systemd:/docker/1f\n"),
      mounts(tmpfs + "36 29 0:33 /docker/1f /sys/fs/cgroup/cpu,cpuacct ro master:9 - cgroup cgroup rw,cpu,cpuacct\n"),
      {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}},
     "0-7",
     2.5,
     2},
    {"version 1 seen from the host, the smallest of all levels",
     {mask("0-15"),
      groups("4:cpu,cpuacct:/kubepods/burstable/pod7/c1\n"),
      mounts(tmpfs + "36 29 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"),
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod7/c1/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod7/c1/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod7/cpu.cfs_quota_us", "400000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/burstable/pod7/cpu.cfs_period_us", "50000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_quota_us", "1200000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/kubepods/cpu.cfs_period_us", "100000\n"}},
     "0-15",
     8,
     8},
    {"version 1 without a quota",
     {mask("0-3"),
      groups("4:cpu:/a\n"),
      mounts("36 29 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"),
      {"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"}},
     "0-3",
     0,
     4},
    {"version 1, a mount at a place with a space",
     {mask("0-3"),
      groups("4:cpu:/a b\n"),
      mounts("36 29 0:33 / /my\\040groups rw - cgroup cgroup rw,cpu\n"),
      {"my groups/a b/cpu.cfs_quota_us", "200000\n"},
      {"my groups/a b/cpu.cfs_period_us", "100000\n"}},
     "0-3",
     2,
     2},
    {"version 1, another controller's group of the same name says nothing",
     {mask("0-3"),
      groups("5:cpuacct:/x\n4:cpu:/a\n"),
      mounts("36 29 0:33 / /cpu rw - cgroup cgroup rw,cpu\n37 29 0:34 / /acct rw - cgroup cgroup rw,cpuacct\n"),
      {"cpu/x/cpu.cfs_quota_us", "100000\n"},
      {"cpu/x/cpu.cfs_period_us", "100000\n"},
      {"acct/a/cpu.cfs_quota_us", "100000\n"},
      {"acct/a/cpu.cfs_period_us", "100000\n"}},
     "0-3",
     0,
     4},
    {"nested quotas, the outer one smaller",
     {mask("0-15"),
      groups("0::/a/b/c\n"),
      mounts(v2),
      {"sys/fs/cgroup/a/b/c/cpu.max", "900000 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}},
     "0-15",
     3,
     3},
    {"nested quotas, the inner one smaller, other periods",
     {mask("0-15"),
      groups("0::/a/b\n"),
      mounts(v2),
      {"sys/fs/cgroup/a/b/cpu.max", "20000 10000\n"},
      {"sys/fs/cgroup/a/cpu.max", "3000000 1000000\n"}},
     "0-15",
     2,
     2},
    {"kubernetes, one and a half CPUs",
     {mask("0-31"), groups("0::/\n"), mounts(v2), {"sys/fs/cgroup/cpu.max", "150000 100000\n"}},
     "0-31",
     1.5,
     1},
    {"kubernetes, three tenths of a CPU",
     {mask("0-31"), groups("0::/\n"), mounts(v2), {"sys/fs/cgroup/cpu.max", "30000 100000\n"}},
     "0-31",
     0.3,
     1},
    {"kubernetes, a quota above the machine",
     {mask("0-1"), groups("0::/\n"), mounts(v2), {"sys/fs/cgroup/cpu.max", "6400000 100000\n"}},
     "0-1",
     64,
     2},
    {"systemd slices, the service without a cpu.max of its own",
     {mask("0-7"),
      groups("0::/system.slice/web.service\n"),
      mounts(v2),
      {"sys/fs/cgroup/system.slice/cpu.max", "400000 100000\n"},
      {"sys/fs/cgroup/system.slice/web.service/tasks", ""}},
     "0-7",
     4,
     4},
    {"a user's session, CPUQuota on the user's slice",
     {mask("0-7"),
      groups("0::/user.slice/user-1000.slice/session-2.scope\n"),
      mounts(v2),
      {"sys/fs/cgroup/user.slice/user-1000.slice/cpu.max", "520000 100000\n"}},
     "0-7",
     5.2,
     5},
    {"hybrid, the quota in version 1",
     {mask("0-7"),
      groups("4:cpu,cpuacct:/u\n1:name=systemd:/u\n0::/u\n"),
      mounts(tmpfs + "30 29 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n" +
             "36 29 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"),
      {"sys/fs/cgroup/cpu,cpuacct/u/cpu.cfs_quota_us", "600000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/u/cpu.cfs_period_us", "100000\n"}},
     "0-7",
     6,
     6},
    {"hybrid, quotas in both",
     {mask("0-7"),
      groups("4:cpu:/u\n0::/w\n"),
      mounts("30 29 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
             "36 29 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"),
      {"sys/fs/cgroup/cpu/u/cpu.cfs_quota_us", "600000\n"},
      {"sys/fs/cgroup/cpu/u/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/unified/w/cpu.max", "500000 100000\n"}},
     "0-7",
     5,
     5},
    {"no mountinfo, version 2 where it usually is",
     {mask("0-7"), groups("0::/a\n"), {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}},
     "0-7",
     3,
     3},
    {"no mountinfo, version 1 where it usually is",
     {mask("0-7"),
      groups("2:cpuset:/a\n4:cpu,cpuacct:/a\n"),
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/cpuset/a/cpuset.cpus", "0-4\n"}},
     "0-4",
     3,
     3},
    {"a namespace that the process was moved out of: what is mounted counts",
     {mask("0-7"),
      groups("0::/../other\n"),
      mounts(v2),
      {"sys/fs/cgroup/cpu.max", "200000 100000\n"},
      {"sys/fs/other/cpu.max", "100000 100000\n"}},
     "0-7",
     2,
     2},
    {"a namespace below what is mounted",
     {mask("0-7"),
      groups("0::/\n"),
      mounts("30 24 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
      {"sys/fs/cgroup/cpu.max", "400000 100000\n"}},
     "0-7",
     4,
     4},
    {"an outer group mounted, the process in one beside the namespace",
     {mask("0-7"),
      groups("0::/../../pod2/c\n"),
      mounts("30 24 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
      {"sys/fs/cgroup/pod2/c/cpu.max", "200000 100000\n"},
      {"sys/fs/cgroup/cpu.max", "400000 100000\n"}},
     "0-7",
     2,
     2},
    {"another container's group mounted as well says nothing",
     {mask("0-7"),
      groups("0::/a\n"),
      mounts(v2 + "31 24 0:26 /b /mnt/b rw - cgroup2 cgroup rw\n"),
      {"sys/fs/cgroup/a/cpu.max", "500000 100000\n"},
      {"mnt/b/cpu.max", "100000 100000\n"}},
     "0-7",
     5,
     5},
    {"a group whose name begins like the mounted one's",
     {mask("0-7"),
      groups("0::/ab\n"),
      mounts(v2 + "31 24 0:26 /a /mnt/a rw - cgroup2 cgroup rw\n"),
      {"mnt/a/cpu.max", "100000 100000\n"},
      {"mnt/ab/cpu.max", "100000 100000\n"}},
     "0-7",
     0,
     8},
    {"a group that was deleted: those around it still count",
     {mask("0-7"), groups("0::/a/gone (deleted)\n"), mounts(v2), {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}},
     "0-7",
     3,
     3},
    {"a cpuset narrower than the mask, version 2",
     {mask("0-7"), groups("0::/a\n"), mounts(v2), {"sys/fs/cgroup/a/cpuset.cpus.effective", "2-4\n"}},
     "2-4",
     0,
     3},
    {"a cpuset of an outer group, version 2, and a quota",
     {mask("0-7"),
      groups("0::/a/b\n"),
      mounts(v2),
      {"sys/fs/cgroup/a/cpuset.cpus.effective", "0-5\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "450000 100000\n"}},
     "0-5",
     4.5,
     4},
    {"a partition: the outer group lacks the CPUs that it gave away",
     {mask("4-7"),
      groups("0::/p\n"),
      mounts(v2),
      {"sys/fs/cgroup/p/cpuset.cpus.effective", "4-7\n"},
      {"sys/fs/cgroup/cpuset.cpus.effective", "0-3\n"}},
     "4-7",
     0,
     4},
    {"cpusets that overlap: the innermost counts",
     {mask("0-7"),
      groups("0::/p/q\n"),
      mounts(v2),
      {"sys/fs/cgroup/p/q/cpuset.cpus.effective", "4-7\n"},
      {"sys/fs/cgroup/p/cpuset.cpus.effective", "0-5\n"}},
     "4-7",
     0,
     4},
    {"a cpuset, version 1",
     {mask("0-7"),
      groups("3:cpuset:/docker/1f\n"),
      mounts("35 29 0:31 /docker/1f /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"),
      {"sys/fs/cgroup/cpuset/cpuset.cpus", "1,3\n"}},
     "1,3",
     0,
     2},
    {"a cpuset, version 1, the effective one first",
     {mask("0-7"),
      groups("3:cpuset:/a\n"),
      mounts("35 29 0:31 / /cs rw - cgroup cgroup rw,cpuset\n"),
      {"cs/a/cpuset.cpus", "0-7\n"},
      {"cs/a/cpuset.effective_cpus", "5-6\n"}},
     "5-6",
     0,
     2},
    {"an empty and a garbage cpuset",
     {mask("0-3"),
      groups("3:cpuset:/a\n0::/\n"),
      mounts(v2 + "35 29 0:31 / /cs rw - cgroup cgroup rw,cpuset\n"),
      {"cs/a/cpuset.cpus", "\n"},
      {"sys/fs/cgroup/cpuset.cpus.effective", "all of them"}},
     "0-3",
     0,
     4},
    {"SMT siblings two by two",
     {mask("0-7"), siblings(0, "0,4"), siblings(1, "1,5"), siblings(2, "2,6"), siblings(3, "3,7"), siblings(4, "0,4"),
      siblings(5, "1,5"), siblings(6, "2,6"), siblings(7, "3,7")},
     "0-7",
     0,
     8,
     {{0, 4}, {1, 5}, {2, 6}, {3, 7}}},
    {"SMT siblings side by side, one of them not allowed",
     {mask("0-2"), siblings(0, "0-1"), siblings(1, "0-1"), siblings(2, "2-3")},
     "0-2",
     0,
     3,
     {{0, 1}, {2}}},
    {"SMT siblings that make no sense",
     {mask("0-3"), siblings(0, "7"), siblings(1, "x"), siblings(2, "2-3"), siblings(3, "0-3")},
     "0-3",
     0,
     4,
     {{0}, {1}, {2, 3}}},
    {"two NUMA nodes",
     {mask("0-7"), memory(0, "0-3"), memory(1, "4-7")},
     "0-7",
     0,
     8,
     {},
     {{0, 1, 2, 3}, {4, 5, 6, 7}}},
    {"two NUMA nodes and a mask on one",
     {mask("4-6"), memory(0, "0-3"), memory(1, "4-7")},
     "4-6",
     0,
     3,
     {},
     {{4, 5, 6}}},
    {"NUMA nodes whose CPUs alternate",
     {mask("0-3"), memory(0, "0,2"), memory(1, "1,3")},
     "0-3",
     0,
     4,
     {},
     {{0, 2}, {1, 3}}},
    {"nodes of memory without CPUs, ten and more of them in order",
     {mask("0-3"), memory(2, "0-1"), memory(3, ""), memory(10, "2-3"), {node + "online", "2-3,10\n"}},
     "0-3",
     0,
     4,
     {},
     {{0, 1}, {2, 3}}},
    {"a node that makes no sense, and one that lists a CPU twice",
     {mask("0-3"), memory(0, "0-1"), memory(1, "1-2"), memory(2, "3..4"), {node + "nodeX/cpulist", "0-3"}},
     "0-3",
     0,
     4,
     {},
     {{0, 1}, {2}, {3}}},
    {"garbage everywhere",
     {mask("0-1"), groups("\n::\n0::\n0::relative\nx\n4:cpu\n99999999999999999999:cpu:/\n"),
      mounts("- \n - \n30 24\n - cgroup2\n30 24 0:26 / /sys/fs/cgroup - cgroup\n\\\n\\0 \\777 - cgroup x rw,cpu\n"),
      siblings(0, "garbage"), memory(0, "garbage")},
     "0-1",
     0,
     2},
    {"garbage quotas",
     {mask("0-3"),
      groups("0::/a/b/c/d/e/f\n4:cpu:/\n"),
      mounts(v2 + "36 29 0:33 / /c rw - cgroup cgroup rw,cpu\n"),
      {"sys/fs/cgroup/a/b/c/d/e/f/cpu.max", "garbage\n"},
      {"sys/fs/cgroup/a/b/c/d/e/cpu.max", "12x 100000\n"},
      {"sys/fs/cgroup/a/b/c/d/cpu.max", "-5 100000\n"},
      {"sys/fs/cgroup/a/b/c/cpu.max", "200000 0\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "nan 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "100000\n"},
      {"sys/fs/cgroup/cpu.max", ""},
      {"c/cpu.cfs_quota_us", "100000\n"},
      {"c/cpu.cfs_period_us", "0\n"}},
     "0-3",
     0,
     4},
    {"huge numbers",
     {mask("0-1"),
      groups("0::/a/b\n"),
      mounts(v2),
      {"sys/fs/cgroup/a/b/cpu.max", "99999999999999999999999999 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "18446744073709551615 1\n"}},
     "0-1",
     18446744073709551615.0,
     2},
    {"a quota so small that it is next to nothing",
     {mask("0-1"), groups("0::/\n"), mounts(v2), {"sys/fs/cgroup/cpu.max", "1 18446744073709551615\n"}},
     "0-1",
     1 / 18446744073709551615.0,
     1},
    {"a path that never ends",
     {mask("0-3"),
      groups("0::" +
             [] {
                 std::string deep;
                 for (int i = 0; i < 100'000; ++i) deep += "/x";
                 return deep;
             }() +
             "\n4:cpu:/\n"),
      mounts(v2),
      {"sys/fs/cgroup/cpu.max", "100000 100000\n"}},
     "0-3",
     0,
     4},
};

}  // namespace

TEST_CASE("Machines, containers and slices are read for what they allow") {
    for (const machine& m : machines) {
        INFO(m.name);
        const fake_root root;
        for (const auto& [file, text] : m.files) root.write(file, text);
        const topology t = read_topology(root.path());
        const cpu_list expected = *detail::parse_cpu_list(m.cpus);
        CHECK(t.cpus == expected);
        CHECK(t.quota_cpus == m.quota);
        CHECK(t.usable_cpus() == m.usable);
        CHECK(t.usable_cpus() <= t.cpus.size());
        if (m.cores.empty()) {
            CHECK(t.cores.size() == expected.size());
        } else {
            CHECK(t.cores == m.cores);
        }
        CHECK(t.nodes == (m.nodes.empty() ? std::vector<cpu_list>{expected} : m.nodes));
    }
}

TEST_CASE("Lists and files that never end are read to a limit") {
    const fake_root root;
    root.write("proc/self/status", "Cpus_allowed_list:\t0-18446744073709551615\n");
    root.write("sys/devices/system/cpu/online", "0-3\n");
    for (const char* file :
         {"proc/self/cgroup", "proc/self/mountinfo", "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
          "sys/devices/system/node/node0/cpulist", "sys/fs/cgroup/cpu.max"}) {
        const std::filesystem::path at = root.path() / file;
        std::filesystem::create_directories(at.parent_path());
        std::filesystem::create_symlink("/dev/zero", at);
    }
    const topology t = read_topology(root.path());
    CHECK(t.cpus == cpu_list{0, 1, 2, 3});
    CHECK(t.cores.size() == 4);
    CHECK(t.nodes.size() == 1);
    CHECK(t.quota_cpus == 0);
}

TEST_CASE("Workers are whole CPUs, at least one, never more than mask or quota allow") {
    const auto usable = [](std::size_t cpus, double quota) {
        return topology{detail::first_cpus(cpus), {}, {}, quota}.usable_cpus();
    };
    CHECK(topology{}.usable_cpus() == 1);
    CHECK(usable(8, 0) == 8);
    CHECK(usable(8, 3.5) == 3);
    CHECK(usable(8, 0.5) == 1);
    CHECK(usable(8, 1e-300) == 1);
    CHECK(usable(2, 16) == 2);
    CHECK(usable(2, 1e300) == 2);
    CHECK(usable(4, 3.999) == 3);
}

TEST_CASE("A narrower affinity mask lowers the number of workers, of the thread that has it") {
    cpu_list before;
    topology narrowed;
    std::size_t usable = 0;
    std::thread([&] {
        before = detail::affinity_cpus();
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(before.back(), &set);
        sched_setaffinity(0, sizeof(set), &set);
        narrowed = read_topology();
        usable = usable_cpus();
    }).join();
    REQUIRE_FALSE(before.empty());
    CHECK(before.size() <= std::max(std::thread::hardware_concurrency(), 1U));
    CHECK(narrowed.cpus == cpu_list{before.back()});
    CHECK(narrowed.cores == std::vector<cpu_list>{{before.back()}});
    CHECK(narrowed.nodes == std::vector<cpu_list>{{before.back()}});
    CHECK(usable == 1);
}

TEST_CASE("On this machine every CPU is in one core and in one node, and the default asks for no more than there are") {
    const topology t = read_topology();
    const auto together = [](const std::vector<cpu_list>& parts) {
        cpu_list all;
        for (const cpu_list& part : parts) {
            CHECK_FALSE(part.empty());
            all.insert(all.end(), part.begin(), part.end());
        }
        std::sort(all.begin(), all.end());
        return all;
    };
    CHECK(together(t.cores) == t.cpus);
    CHECK(together(t.nodes) == t.cpus);
    CHECK(usable_cpus() == t.usable_cpus());
    CHECK(usable_cpus() <= detail::affinity_cpus().size());
}
