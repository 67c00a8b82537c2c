// SPDX-License-Identifier: MIT
#include <fanfold/infer/submit.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <atomic>
#include <coroutine>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"
#include "every_executor.hpp"

using namespace fanfold;
using namespace callables;

namespace {

const std::vector<float> some{1, 2, 3, 4, 5};
const std::vector<float> doubled{2, 4, 6, 8, 10};

std::vector<float> floats_of(const job& done) {
    const auto values = done.answers.as<float>().flat();
    return {values.begin(), values.end()};
}

/// A coroutine that nobody waits for; it ends itself.
struct started {
    struct promise_type {
        started get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

}  // namespace

TEST_CASE("A submitted job gives what infer gives: by get, by then, by co_await") {
    with_executors([](const auto& executor) {
        for (int round = 0; round < 20; ++round) {
            pending<job> answers = submit(executor, twice, some);
            CHECK(floats_of(answers.get()) == doubled);
            CHECK(text_of([&] { (void)answers.ready(); }) == "pending: the result has been taken already");

            pending<float> sum = submit(executor, twice, some).then([](const job& done) {
                float all = 0;
                for (const float x : floats_of(done)) all += x;
                return all;
            });
            CHECK(sum.get() == 30);

            std::atomic<int> right{0};
            const auto waiting = [&]() -> started {
                const job done = co_await submit(executor, twice, some);
                const job again = co_await submit(executor, twice, some);
                if (floats_of(done) == doubled && floats_of(again) == doubled) ++right;
                ++right;
            };
            (void)waiting();
            while (right < 2) std::this_thread::yield();
            CHECK(right == 2);
        }
    });
}

TEST_CASE("Any number of jobs is in flight, in any order of getting") {
    with_executors([](const auto& executor) {
        std::vector<pending<job>> all;
        for (int i = 0; i < 300; ++i)
            all.push_back(submit(executor, twice, std::vector<float>(50, static_cast<float>(i)),
                                 {.partition = contiguous{.rows_per_shard = 7}}));
        for (std::size_t i = all.size(); i-- > 0;) {
            const job done = all[i].get();
            REQUIRE(done.failures.empty());
            REQUIRE(floats_of(done) == std::vector<float>(50, 2 * static_cast<float>(i)));
        }
    });
}

TEST_CASE("What infer throws, and what then throws, is thrown by get") {
    with_executors([](const auto& executor) {
        const options wrong{.partition = contiguous{.shards = 1, .rows_per_shard = 1}};
        CHECK(text_of([&] { (void)submit(executor, twice, some, wrong).get(); }) ==
              "contiguous: give shards or rows_per_shard, not both");
        CHECK(text_of([&] { submit(executor, twice, some, wrong).then([](const job&) {}).get(); }) ==
              "contiguous: give shards or rows_per_shard, not both");
        CHECK(text_of([&] {
                  submit(executor, twice, some).then([](const job&) { throw std::runtime_error("no more"); }).get();
              }) == "no more");
    });
}

TEST_CASE("A job that runs is stopped and waited for when its pending goes; one that has not begun never begins") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const options whole{.partition = contiguous{.shards = 1}};
    const auto check = [&](const auto& executor) {
        for (int round = 0; round < 50; ++round) {
            std::atomic<bool> inside{false};
            std::atomic<int> called{0};
            {
                const auto until_stopped = [&](std::span<const float> rows, workspace& space) {
                    ++called;
                    inside = true;
                    while (!space.stop.reason()) std::this_thread::yield();
                    inside = false;
                    return twice(rows);
                };
                auto first = std::make_unique<pending<job>>(submit(executor, until_stopped, some, whole));
                auto second = std::make_unique<pending<job>>(submit(executor, until_stopped, some, whole));
                while (!inside) std::this_thread::yield();
                second.reset();
                first.reset();
                CHECK_FALSE(inside);
            }
            CHECK((called == 1 || called == 2));
        }
    };
    check(threads_executor({.workers = 1}));
    check(threads_executor({.workers = 3}));
    check(tbb_executor({.workers = 2}));
}

TEST_CASE("The caller's own stop token and deadline reach a submitted job") {
    with_executors([](const auto& executor) {
        std::stop_source stopper;
        stopper.request_stop();
        const job stopped = submit(executor, twice, some, {.stop = stopper.get_token()}).get();
        CHECK(stopped.failed_rows() == some.size());
        const job late = submit(executor, twice, some, {.deadline = std::chrono::steady_clock::now()}).get();
        CHECK(late.failures.at(0).kind == fault_kind::timed_out);
    });
}

TEST_CASE("Waiting for a job on the executor's only thread does not hang") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const auto check = [](const auto& executor) {
        const auto nesting = [&](std::span<const float> rows) {
            const std::vector<float> owned(rows.begin(), rows.end());
            return floats_of(submit(executor, twice, owned).get());
        };
        for (int round = 0; round < 50; ++round) {
            pending<job> one = submit(executor, nesting, some);
            pending<job> two = submit(executor, nesting, some);
            CHECK(floats_of(two.get()) == doubled);
            CHECK(floats_of(one.get()) == doubled);
        }
    };
    check(threads_executor({.workers = 1}));
    check(threads_executor({.workers = 2}));
    check(tbb_executor({.workers = 1}));
    check(tbb_executor({.workers = 2}));
}

TEST_CASE("Pending jobs, executors and models go at any moment, ten thousand times") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const tbb_executor cores({.workers = 2});
    const threads_executor threads({.workers = 2});
    std::atomic<int> wrong{0};
    for (int round = 0; round < 10'000; ++round) {
        const auto model = std::make_unique<std::atomic<bool>>(true);
        const auto alive = [&there = *model, &wrong](std::span<const float> rows) {
            if (!there) ++wrong;
            return std::vector<float>(rows.begin(), rows.end());
        };
        const std::vector<float> rows(static_cast<std::size_t>(1 + round % 40), 1.0F);
        const auto check = [&](const auto& executor) {
            pending<job> a = submit(executor, alive, rows, {.partition = contiguous{.rows_per_shard = 4}});
            pending<std::size_t> b =
                submit(executor, alive, rows).then([](const job& done) { return done.failed_rows(); });
            if (round % 3 == 0) wrong += b.get() != 0;
            if (round % 5 == 0) a.wait();
        };
        if (round % 64 == 0) check(threads_executor({.workers = 2}));
        round % 2 == 0 ? check(cores) : check(threads);
        *model = false;
    }
    CHECK(wrong == 0);
}

TEST_CASE("A coroutine that waits for a job may be destroyed") {
    const threads_executor executor({.workers = 1});
    for (int round = 0; round < 200; ++round) {
        std::atomic<bool> inside{false};
        std::atomic<bool> resumed{false};
        const auto until_stopped = [&](std::span<const float> rows, workspace& space) {
            inside = true;
            while (!space.stop.reason()) std::this_thread::yield();
            return twice(rows);
        };
        const auto waiting = [&]() -> started {
            (void)co_await submit(executor, until_stopped, some);
            resumed = true;
        };
        const started coroutine = waiting();
        while (round % 2 == 0 && !inside) std::this_thread::yield();
        coroutine.handle.destroy();
        CHECK_FALSE(resumed);
    }
}
