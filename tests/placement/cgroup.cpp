// SPDX-License-Identifier: MIT
#include <fanfold/placement/cgroup.hpp>

#include "../catch.hpp"
#include "fake_root.hpp"

using namespace fanfold;

TEST_CASE("A quota is CPU time over period; unlimited, absurd and unreadable ones are none") {
    using fanfold::detail::quota_of;
    CHECK(quota_of("150000", "100000") == 1.5);
    CHECK(quota_of("max", "100000") == 0);
    CHECK(quota_of("-1", "100000") == 0);
    CHECK(quota_of("100000", "0") == 0);
    CHECK(quota_of("12x", "100000") == 0);
    CHECK(quota_of("", "") == 0);
}

TEST_CASE("The smallest quota on the way up to the mount counts") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/a/b\n");
    root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
    CHECK(fanfold::detail::cgroup_quota(root.path().string()) == 3);
    root.write("sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    CHECK(fanfold::detail::cgroup_quota(root.path().string()) == 0.5);
}

TEST_CASE("A cpuset takes CPUs away and never adds any") {
    const fake_root root;
    root.write("proc/self/cgroup", "0::/a\n");
    root.write("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    root.write("sys/fs/cgroup/a/cpuset.cpus.effective", "2-5,9\n");
    cpu_list cpus{0, 1, 2, 3, 4};
    fanfold::detail::narrow_to_cpusets(cpus, root.path().string());
    CHECK(cpus == cpu_list{2, 3, 4});
}

TEST_CASE("Escaped spaces of mount points are read as what they stand for") {
    CHECK(fanfold::detail::unescaped("my\\040groups") == "my groups");
    CHECK(fanfold::detail::unescaped("plain") == "plain");
}
