// SPDX-License-Identifier: MIT
#include <fanfold/placement/affinity.hpp>

#include <thread>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A thread is kept on some of its CPUs for a while, and free again afterwards") {
    const cpu_list mine = detail::affinity_cpus();
    for (const std::size_t cpu : mine) {
        const affinity_scope kept(cpu_list{cpu});
        CHECK(kept.narrowed() == (mine.size() > 1));
        CHECK(detail::affinity_cpus() == cpu_list{cpu});
        cpu_list inherited;
        std::thread([&] { inherited = detail::affinity_cpus(); }).join();
        CHECK(inherited == cpu_list{cpu});
        if (mine.size() > 1) {
            const affinity_scope inner(cpu_list{cpu == mine.front() ? mine.back() : mine.front()});
            CHECK_FALSE(inner.narrowed());  // what is excluded stays excluded
            CHECK(detail::affinity_cpus() == cpu_list{cpu});
        }
        CHECK(detail::affinity_cpus() == cpu_list{cpu});
    }
    CHECK(detail::affinity_cpus() == mine);
}

TEST_CASE("CPUs that the thread may not use, none, or all that it has already change nothing") {
    const cpu_list mine = detail::affinity_cpus();
    for (const cpu_list& cpus : {cpu_list{}, cpu_list{mine.back() + 1, mine.back() + 900}, mine}) {
        const affinity_scope kept(cpus);
        CHECK_FALSE(kept.narrowed());
        CHECK(detail::affinity_cpus() == mine);
    }
    cpu_list more = mine;
    more.push_back(mine.back() + 7);
    const affinity_scope kept(more);
    CHECK(detail::affinity_cpus() == mine);
}
