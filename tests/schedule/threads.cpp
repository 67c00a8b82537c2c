// SPDX-License-Identifier: MIT
#include <fanfold/schedule/threads.hpp>

#include <atomic>
#include <system_error>
#include <thread>

#include "contract.hpp"

using namespace fanfold;

namespace {

/// A thread that is to be had `left` times.
class scarce_thread {
public:
    template <class Part>
    explicit scarce_thread(Part part) : thread_((take(), part)) {}

    static inline std::atomic<int> left{0};

private:
    static void take() {
        if (left-- <= 0) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    std::jthread thread_;
};

/// Four workers where a job gets so many threads beside the caller's.
struct short_of_threads {
    int threads = 0;
    threads_executor four{{.workers = 4}};

    [[nodiscard]] std::size_t workers() const { return four.workers(); }
    [[nodiscard]] static claim_order order() { return threads_executor::order(); }
    void run(const work& job) const {
        scarce_thread::left = threads;
        four.run<void, scarce_thread>(job);
    }
};

}  // namespace

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

TEST_CASE("With fewer threads than asked for every shard runs, and operations are split for nobody who is not there") {
    constexpr std::uint64_t much = std::uint64_t{1} << 40;
    for (const int threads : {0, 1, 2, 3}) {
        const short_of_threads executor{.threads = threads};
        const auto there = static_cast<std::size_t>(threads) + 1;
        contract::meeting all(there), asked(there);
        std::atomic<std::size_t> ran{0}, split{0};
        contract::run_tiled(executor, 8, [&](std::size_t, workspace& space) {
            if (++ran > there) return;
            all.wait();  // now each of them has a shard
            split += space.tiles.tiles(much, 1000) != 1;
            asked.wait();
        });
        CHECK(ran == 8);
        CHECK(split == 0);
        contract::run_tiled(executor, 1, [&](std::size_t, workspace& space) {
            space.tiles(2, [](std::size_t) {});  // calls for helpers
            split += space.tiles.tiles(much, 1000) != 1;
        });
        CHECK(split == (threads == 0 ? 0 : 1));
        contract::every_tile_once(executor);
    }
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
