// Many jobs at once, on one executor or several, from wherever a caller may be: all give the serial run's bits.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <tbb/parallel_for.h>

#include <atomic>
#include <cstring>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

constexpr std::size_t images = 15;

/// One model and its rows, for all threads of a test; answers are compared where they come back and counted here.
struct scene {
    graph model = networks::lenet5();
    tensor rows = networks::noise(images);
    job expected = infer(serial_executor(), model, rows);
    mutable std::atomic<std::size_t> right{0};
    mutable std::atomic<std::size_t> wrong{0};

    template <class E>
    void infer_with(const E& executor, std::size_t rows_per_shard = 3) const {
        try {
            const job done = infer(executor, model, rows, {.partition = contiguous{.rows_per_shard = rows_per_shard}});
            const bool same =
                done.failures.empty() && done.answers.shape() == expected.answers.shape() &&
                std::memcmp(done.answers[0].data(), expected.answers[0].data(), expected.answers[0].bytes()) == 0;
            ++(same ? right : wrong);
        } catch (...) {
            ++wrong;
        }
    }
    void all_right(std::size_t count) const {
        CHECK(wrong == 0);
        CHECK(right == count);
    }
};

/// Calls `each(executor)` with the kinds that these tests are about.
template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each(serial_executor());
    for (const std::size_t workers : {1UL, 3UL}) {
        each(threads_executor({.workers = workers}));
        each(tbb_executor({.workers = workers}));
    }
}

/// Runs `each(caller)` on `callers` threads, which begin together.
template <class F>
void at_once(std::size_t callers, F&& each) {
    std::latch begin(static_cast<std::ptrdiff_t>(callers));
    std::vector<std::jthread> threads;
    for (std::size_t caller = 0; caller < callers; ++caller)
        threads.emplace_back([&, caller] {
            begin.arrive_and_wait();
            each(caller);
        });
}

}  // namespace

TEST_CASE("One model serves several threads at once on one executor, and on executors of their own") {
    with_executors([](const auto& executor) {
        const scene s;
        at_once(4, [&](std::size_t caller) {
            for (std::size_t round = 0; round < 8; ++round) s.infer_with(executor, 1 + caller + round);
        });
        s.all_right(32);
    });
    const scene s;
    at_once(6, [&](std::size_t caller) {
        const serial_executor serial;
        const threads_executor threads({.workers = 2});
        const tbb_executor cores;
        for (std::size_t round = 0; round < 4; ++round) {
            s.infer_with(serial, 7);
            s.infer_with(threads, 1 + caller);
            s.infer_with(cores, 1 + caller);
        }
    });
    s.all_right(72);
}

TEST_CASE("Threads that come, infer and go leave an executor as it was") {
    with_executors([](const auto& executor) {
        const scene s;
        for (int round = 0; round < 40; ++round) std::thread([&] { s.infer_with(executor); }).join();
        for (int round = 0; round < 10; ++round) at_once(3, [&](std::size_t) { s.infer_with(executor); });
        s.all_right(70);
    });
}

TEST_CASE("A job runs inside a task of TBB") {
    with_executors([](const auto& executor) {
        const scene s;
        tbb::task_group tasks;
        for (int task = 0; task < 12; ++task) tasks.run([&] { s.infer_with(executor); });
        s.infer_with(executor);
        tasks.wait();
        s.all_right(13);
    });
}

TEST_CASE("A job runs inside the body of a parallel loop of TBB") {
    with_executors([](const auto& executor) {
        const scene s;
        tbb::parallel_for(0, 16, [&](int) { s.infer_with(executor); });
        tbb::parallel_for(0, 3, [&](int) { tbb::parallel_for(0, 3, [&](int) { s.infer_with(executor); }); });
        s.all_right(25);
    });
}

TEST_CASE("A job runs inside a caller's arena, and several jobs in one arena") {
    with_executors([](const auto& executor) {
        const scene s;
        tbb::task_arena arena(2);
        const tbb_executor inside(arena);
        at_once(3, [&](std::size_t) {
            arena.execute([&] { s.infer_with(executor); });
            arena.execute([&] { s.infer_with(inside); });
            s.infer_with(inside);
            arena.execute([&] { tbb::parallel_for(0, 4, [&](int) { s.infer_with(inside); }); });
        });
        s.all_right(21);
    });
}

TEST_CASE("A job runs inside a model, on the same executor and on another") {
    with_executors([](const auto& outer) {
        with_executors([&](const auto& inner) {
            const scene s;
            const auto nesting = [&](std::span<const float> rows) {
                s.infer_with(inner, 8);
                s.infer_with(outer, 8);
                return std::vector<float>(rows.begin(), rows.end());
            };
            const std::vector<float> xs{1, 2, 3, 4, 5};
            const job done = infer(outer, nesting, xs, {.partition = contiguous{.rows_per_shard = 1}});
            REQUIRE(done.failures.empty());
            for (std::size_t row = 0; row < xs.size(); ++row) CHECK(done.answers.as<float>()(row) == xs[row]);
            s.all_right(10);
        });
    });
}

TEST_CASE("Jobs that fail disturb no other job on the same executor") {
    with_executors([](const auto& executor) {
        const scene s;
        const std::vector<float> xs(30, 1.0F);
        std::atomic<int> wrong{0};
        struct watching {
            void operator()(const event& e) const {
                if (e.shard == 7) throw std::runtime_error("a watcher that throws");
            }
        };
        const auto throwing = [](std::span<const float> rows) -> std::vector<float> {
            if (rows.size() == 1) throw std::runtime_error("a model that throws");
            return {rows.begin(), rows.end()};
        };
        const auto copying = [](std::span<const float> rows) { return std::vector<float>(rows.begin(), rows.end()); };
        const options single{.partition = contiguous{.rows_per_shard = 1}};
        at_once(4, [&](std::size_t caller) {
            for (int round = 0; round < 10; ++round) {
                if (caller == 0) {
                    s.infer_with(executor);
                } else if (caller == 1) {
                    const job done = infer(executor, throwing, xs, single);
                    if (done.failed_rows() != 30) ++wrong;
                } else {
                    const watching watcher;
                    options watched = single;
                    watched.on_event = watcher;
                    if (text_of([&] { (void)infer(executor, copying, xs, watched); }) != "a watcher that throws")
                        ++wrong;
                }
            }
        });
        CHECK(wrong == 0);
        s.all_right(10);
    });
}

namespace {

/// Executor work of which one stage throws; what it throws is told by `text_of`.
enum class stage { next, done, attempt };

template <class E>
std::string thrown_by(const E& executor, stage which, std::size_t at) {
    std::atomic<std::size_t> claimed{0}, ended{0}, inside{0};
    const auto fail = [&](stage here, std::size_t number) {
        if (here == which && number == at) throw std::runtime_error("here");
    };
    const auto next = [&](std::size_t, time_point) -> next_claim {
        const std::size_t shard = claimed++;
        fail(stage::next, shard);
        if (shard >= 50) return finished{};
        return claim{.shard = shard};
    };
    const auto done = [&](const attempt&, const outcome&) { fail(stage::done, ended++); };
    const auto attempt_of = [&](const claim& what, workspace&) {
        ++inside;
        std::this_thread::yield();
        --inside;
        fail(stage::attempt, what.shard);
        return outcome{};
    };
    const std::string text = text_of([&] { executor.run({next, done, attempt_of, 8, 64, {}, {}}); });
    return inside == 0 ? text : "returned while an attempt was running";
}

}  // namespace

TEST_CASE(
    "What next, done or an attempt throws reaches the caller of every executor, from the first to the last claim") {
    with_executors([](const auto& executor) {
        for (const stage which : {stage::next, stage::done, stage::attempt})
            for (const std::size_t at : {0UL, 1UL, 25UL, 49UL}) {
                CHECK(thrown_by(executor, which, at) == "here");
                CHECK(thrown_by(executor, which, 1000) == "");  // and the executor goes on working
            }
        std::atomic<int> wrong{0};
        at_once(4, [&](std::size_t caller) {
            for (std::size_t at = 0; at < 20; ++at)
                if (thrown_by(executor, static_cast<stage>(caller % 3), at) != "here") ++wrong;
        });
        CHECK(wrong == 0);
    });
}
