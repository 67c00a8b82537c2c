// SPDX-License-Identifier: MIT
#include <fanfold/placement/topology.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// A folder that stands for "/" and goes with the test.
class fake_root {
public:
    fake_root() : path_(std::filesystem::temp_directory_path() / ("fanfold-topology-" + std::to_string(getpid()))) {
        std::filesystem::remove_all(path_);
    }
    ~fake_root() { std::filesystem::remove_all(path_); }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((path_ / file).parent_path());
        std::ofstream(path_ / file) << text;
    }
    [[nodiscard]] double quota() const { return detail::cgroup_quota(path_); }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("A quota is the smallest on the way from the process's group to the root") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/a/b\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    CHECK(root.quota() == 3.5);
    root.write("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    CHECK(root.quota() == 0.5);
    root.write("sys/fs/cgroup/cpu.max", "20000 100000\n");
    CHECK(root.quota() == 0.2);
}

TEST_CASE("A group at the root, a version-1 hierarchy or garbage give no quota") {
    const fake_root root;
    CHECK(root.quota() == 0);
    root.write("proc/self/cgroup", "4:memory:/x\n1:cpu:/\n0::/\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/cpu.max", "garbage\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/cpu.max", "12x 100000\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/cpu.max", "-5 100000\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/cpu.max", "200000 0\n");
    CHECK(root.quota() == 0);
    root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
    CHECK(root.quota() == 2);
    root.write("proc/self/cgroup", "4:memory:/x\n1:cpu:/\n");
    CHECK(root.quota() == 0);
}

TEST_CASE("Workers are whole CPUs, at least one, never more than mask or quota allow") {
    CHECK(topology{.affinity_cpus = 8, .quota_cpus = 0}.usable_cpus() == 8);
    CHECK(topology{.affinity_cpus = 8, .quota_cpus = 3.5}.usable_cpus() == 3);
    CHECK(topology{.affinity_cpus = 8, .quota_cpus = 0.5}.usable_cpus() == 1);
    CHECK(topology{.affinity_cpus = 2, .quota_cpus = 16}.usable_cpus() == 2);
}

TEST_CASE("A narrower affinity mask lowers the number of workers") {
    std::size_t before = 0;
    std::size_t narrowed = 0;
    std::thread([&] {
        before = detail::affinity_cpus();
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof(set), &set);
        int first = 0;
        while (!CPU_ISSET(first, &set)) ++first;
        CPU_ZERO(&set);
        CPU_SET(first, &set);
        sched_setaffinity(0, sizeof(set), &set);
        narrowed = usable_cpus();
    }).join();
    CHECK(before >= 1);
    CHECK(before <= std::max(std::thread::hardware_concurrency(), 1U));
    CHECK(narrowed == 1);
}
