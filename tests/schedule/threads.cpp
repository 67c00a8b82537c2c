// SPDX-License-Identifier: MIT
#include <fanfold/schedule/threads.hpp>

#include "contract.hpp"

using namespace fanfold;

TEST_CASE("The threads executor keeps the contract with any number of workers") {
    for (const std::size_t workers : {1UL, 2UL, 3UL, 8UL}) {
        const threads_executor executor({.workers = workers});
        REQUIRE(executor.workers() == workers);
        contract::is_kept_by(executor);
    }
}

TEST_CASE("Threads neither let a wait delay a ready claim nor stay asleep when there is work") {
    contract::no_wait_delays_a_ready_claim(threads_executor({.workers = 2}));
    contract::no_wait_delays_a_ready_claim(threads_executor({.workers = 5}));
    contract::idle_workers_are_called_back(threads_executor({.workers = 6}), 6);
}

TEST_CASE("Idle threads take tiles where the job asks for it") {
    contract::help_is_given_where_asked(threads_executor({.workers = 3}));
    contract::idle_workers_take_tiles(threads_executor({.workers = 2}), 2);
    contract::idle_workers_take_tiles(threads_executor({.workers = 6}), 6);
    contract::operations_are_split_for_idle_workers(threads_executor({.workers = 2}), 2);
    contract::operations_are_split_for_idle_workers(threads_executor({.workers = 6}), 6);
}

TEST_CASE("Threads that wait for a claim take tiles, too") {
    contract::waiting_workers_take_tiles(threads_executor({.workers = 2}));
}

TEST_CASE("Each thread starts with its own share of the shards") {
    const threads_executor executor({.workers = 4});
    counter_claims source(400, executor.order(), 4);
    contract::meeting all(4);
    std::vector<std::size_t> first(4, SIZE_MAX);
    std::mutex mutex;
    const auto next = [&](std::size_t worker, time_point now) {
        const next_claim given = source.next(worker, now);
        const std::lock_guard lock(mutex);
        if (first[worker] == SIZE_MAX) first[worker] = std::get<claim>(given).shard;
        return given;
    };
    const auto done = [](const attempt&, const outcome&) {};
    std::atomic<std::size_t> started{0};
    const auto attempt_of = [&](const claim&, workspace&) {
        if (++started <= 4) all.wait();
        return outcome{};
    };
    executor.run({next, done, attempt_of, 4, 0, {}, {}});
    CHECK(first == std::vector<std::size_t>{0, 100, 200, 300});
}

TEST_CASE("By default there are as many threads as CPUs that may be used") {
    CHECK(threads_executor().workers() == usable_cpus());
}

TEST_CASE("On a machine of several nodes threads keep to the CPUs of theirs, and the caller is free again afterwards") {
    const cpu_list mine = read_topology().cpus;
    topology machine{mine, {}, {{mine.front()}, {mine.back()}}, 0};
    if (mine.size() < 2) machine.nodes = {mine, {mine.back() + 1}};
    contract::is_kept_by(threads_executor({.workers = 3}, machine));
    CHECK(detail::affinity_cpus() == mine);
    if (mine.size() < 2) return;
    const threads_executor executor({.workers = 2, .pin = pinning::cpus}, machine);
    std::atomic<int> strange{0};
    counter_claims source(64, executor.order(), 2);
    contract::run(executor, source, [&](const claim&, workspace& space) {
        if (detail::affinity_cpus() != machine.nodes[space.node]) ++strange;
        return outcome{};
    });
    CHECK(strange == 0);
}
