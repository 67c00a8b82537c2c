// SPDX-License-Identifier: MIT
#include <fanfold/schedule/tbb.hpp>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>

#include "contract.hpp"

using namespace fanfold;

TEST_CASE("The TBB executor keeps the contract with any number of workers") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const std::size_t workers : {1UL, 2UL, 3UL, 8UL}) {
        const tbb_executor executor({.workers = workers});
        REQUIRE(executor.workers() == workers);
        contract::is_kept_by(executor);
    }
}

TEST_CASE("TBB tasks neither let a wait delay a ready claim nor stay away when there is work") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    contract::no_wait_delays_a_ready_claim(tbb_executor({.workers = 2}));
    contract::no_wait_delays_a_ready_claim(tbb_executor({.workers = 5}));
    contract::idle_workers_are_called_back(tbb_executor({.workers = 6}), 6);
}

TEST_CASE("Idle TBB threads take tiles where the job asks for it") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    contract::help_is_given_where_asked(tbb_executor({.workers = 3}));
    contract::idle_workers_take_tiles(tbb_executor({.workers = 2}), 2);
    contract::idle_workers_take_tiles(tbb_executor({.workers = 6}), 6);
    contract::operations_are_split_for_idle_workers(tbb_executor({.workers = 2}), 2);
    contract::operations_are_split_for_idle_workers(tbb_executor({.workers = 6}), 6);
}

TEST_CASE("A TBB task that waits for a claim takes tiles, too") {
    contract::waiting_workers_take_tiles(tbb_executor({.workers = 2}));
    tbb::task_arena arena(2);
    contract::waiting_workers_take_tiles(tbb_executor(arena));
}

TEST_CASE("The TBB executor runs inside the caller's arena, from inside and outside of it") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    tbb::task_arena arena(3);
    const tbb_executor executor(arena);
    REQUIRE(executor.workers() == 3);
    contract::every_shard_once(executor);
    arena.execute([&] { contract::every_shard_once(executor); });
    contract::every_tile_once(executor);
    arena.execute([&] { contract::every_tile_once(executor); });
    counter_claims source(50, executor.order(), 3);
    std::atomic<int> outside{0};
    contract::run(executor, source, [&](const claim&, workspace&) {
        if (tbb::this_task_arena::max_concurrency() != 3) ++outside;
        return outcome{};
    });
    CHECK(outside == 0);
}

TEST_CASE("The TBB executor never asks for more workers than are allowed") {
    const std::size_t limit = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    CHECK(tbb_executor({.workers = limit + 100}).workers() == limit);
    const tbb::global_control fewer(tbb::global_control::max_allowed_parallelism, 1);
    CHECK(tbb_executor({.workers = 8}).workers() == 1);
    contract::every_shard_once(tbb_executor({.workers = 8}));
}

TEST_CASE("A thread that waits inside of a shard and picks up another one meanwhile has two workspaces") {
    const auto made = [] {
        const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
        return std::make_unique<tbb_executor>(tbb_options{.workers = 2});
    }();
    const tbb_executor& executor = *made;
    REQUIRE(executor.workers() == 2);
    const tbb::global_control alone(tbb::global_control::max_allowed_parallelism, 1);  // so only the waiting thread can
    for (int round = 0; round < 50; ++round) {
        counter_claims source(2, executor.order(), 2);
        tbb::task_group inner;
        tbb::task_handle last;  // the inner wait ends when this has run: that is up to the other shard
        std::set<std::thread::id> threads;
        std::set<const workspace*> spaces;
        int deepest = 0, depth = 0;
        bool intact = true;
        contract::run(executor, source, [&](const claim& what, workspace& space) {
            deepest = std::max(deepest, ++depth);
            threads.insert(std::this_thread::get_id());
            spaces.insert(&space);
            const workspace::scope scratch(space);
            const std::span<std::size_t> mine = space.take<std::size_t>(10'000);
            std::fill(mine.begin(), mine.end(), what.shard);
            if (last) {
                inner.run(std::move(last));
            } else {
                last = inner.defer([] {});
                inner.wait();
            }
            for (const std::size_t one : mine) intact &= one == what.shard;
            --depth;
            return outcome{};
        });
        REQUIRE(threads.size() == 1);
        REQUIRE(deepest == 2);
        REQUIRE(spaces.size() == 2);
        REQUIRE(intact);
    }
}

TEST_CASE("On a machine of several nodes each has an arena, and the contract is kept all the same") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const cpu_list mine = read_topology().cpus;
    topology machine{mine, {}, {{mine.front()}, {mine.back()}}, 0};
    if (mine.size() < 2) machine.nodes = {mine, {mine.back() + 1}};
    for (const std::size_t workers : {2UL, 3UL, 8UL}) {
        const tbb_executor executor({.workers = workers}, machine);
        REQUIRE(executor.workers() == workers);
        contract::is_kept_by(executor);
    }
    contract::no_wait_delays_a_ready_claim(tbb_executor({.workers = 5}, machine));
    contract::idle_workers_are_called_back(tbb_executor({.workers = 6}, machine), 6);
    contract::every_shard_once(tbb_executor({.workers = 4, .pin = pinning::cpus}, machine));
}

TEST_CASE("Who helps is kept to the CPUs of the node whose operation it is") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const cpu_list mine = read_topology().cpus;
    if (mine.size() < 2) return;
    const topology machine{mine, {}, {{mine[0]}, {mine[1]}}, 0};
    std::atomic<int> strange{0};
    for (int job = 0; job < 20; ++job)
        contract::run_tiled(tbb_executor({.workers = 4}, machine), 1, [&](std::size_t, workspace& space) {
            contract::meeting both(2);
            CHECK(space.tiles.width() == 2);  // of four workers, two are on this node
            space.tiles(2, [&](std::size_t) {
                both.wait();
                if (detail::affinity_cpus() != machine.nodes[space.node]) ++strange;
            });
        });
    CHECK(strange == 0);
}

TEST_CASE("Workers of a node run on its CPUs with memory of its own, and a borrowed thread is free again afterwards") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const cpu_list mine = read_topology().cpus;
    if (mine.size() < 2) return;
    const topology machine{mine, {}, {{mine[0]}, {mine[1]}}, 0};
    const tbb_executor executor({.workers = 4}, machine);
    std::atomic<int> strange{0};
    for (int job = 0; job < 20; ++job) {
        counter_claims source(64, executor.order(), 4);
        contract::run(executor, source, [&](const claim&, workspace& space) {
            const cpu_list kept = detail::affinity_cpus();
            if (kept != machine.nodes[space.node]) ++strange;
            return outcome{};
        });
        REQUIRE(detail::affinity_cpus() == mine);
    }
    CHECK(strange == 0);
}

TEST_CASE("Posted tasks run on all nodes, each on its node's CPUs") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const cpu_list mine = read_topology().cpus;
    if (mine.size() < 2) return;
    const topology machine{mine, {}, {{mine[0]}, {mine[1]}}, 0};
    const tbb_executor executor({.workers = 4}, machine);
    struct seen {
        std::mutex mutex;
        std::condition_variable come;
        std::set<cpu_list> where;
        std::size_t inside = 0;
    };
    const auto all = std::make_shared<seen>();
    for (int i = 0; i < 4; ++i)
        executor.post({all, [](void* self) {
                           seen& s = *static_cast<seen*>(self);
                           std::unique_lock lock(s.mutex);
                           s.where.insert(detail::affinity_cpus());
                           ++s.inside;
                           s.come.notify_all();
                           s.come.wait(lock, [&] { return s.inside >= 4; });  // one for each worker, at once
                       }});
    std::unique_lock lock(all->mutex);
    all->come.wait(lock, [&] { return all->inside == 4; });
    CHECK(all->where == std::set<cpu_list>{{mine[0]}, {mine[1]}});
}
