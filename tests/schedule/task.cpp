// SPDX-License-Identifier: MIT
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "contract.hpp"

using namespace fanfold;

static_assert(posting_executor<tbb_executor>);
static_assert(posting_executor<threads_executor>);

namespace {

template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const std::size_t workers : {1UL, 2UL, 5UL}) {
        each(threads_executor({.workers = workers}));
        each(tbb_executor({.workers = workers}));
    }
}

struct counted {
    std::atomic<int> begun{0};
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> ended{0};
};

}  // namespace

TEST_CASE("Posted tasks run once each, on no more threads than the executor has workers, none of them the caller's") {
    with_executors([](const auto& executor) {
        static thread_local bool here = false;
        here = true;
        const auto seen = std::make_shared<counted>();
        static std::atomic<int> on_caller;
        on_caller = 0;
        for (int i = 0; i < 500; ++i)
            executor.post({seen, [](void* self) {
                               auto& s = *static_cast<counted*>(self);
                               ++s.begun;
                               const int now = ++s.inside;
                               for (int most = s.most; most < now && !s.most.compare_exchange_weak(most, now);) {
                               }
                               if (here) ++on_caller;
                               std::this_thread::yield();
                               --s.inside;
                               ++s.ended;
                           }});
        while (seen->ended != 500) std::this_thread::yield();
        CHECK(seen->begun == 500);
        CHECK(seen->most <= static_cast<int>(executor.workers()));
        CHECK(on_caller == 0);
        here = false;
    });
}

TEST_CASE("Threads for tasks end with their executor; tasks that have not begun are dropped") {
    for (int round = 0; round < 200; ++round) {
        const auto seen = std::make_shared<counted>();
        {
            const threads_executor executor({.workers = 2});
            for (int i = 0; i < 20; ++i)
                executor.post({seen, [](void* self) {
                                   ++static_cast<counted*>(self)->begun;
                                   std::this_thread::yield();
                                   ++static_cast<counted*>(self)->ended;
                               }});
        }
        CHECK(seen->begun == seen->ended);
        CHECK(seen.use_count() == 1);
    }
}

TEST_CASE("What was posted to an executor over a caller's arena and has not begun is dropped with the executor") {
    tbb::task_arena arena(1, 0);  // one thread of TBB's
    struct gate {
        std::atomic<bool> entered{false}, open{false}, left{false};
    };
    const auto held = std::make_shared<gate>();
    const auto seen = std::make_shared<counted>();
    {
        const tbb_executor executor(arena);
        executor.post({held, [](void* self) {
                           auto& g = *static_cast<gate*>(self);
                           g.entered = true;
                           while (!g.open) std::this_thread::yield();
                           g.left = true;
                       }});
        while (!held->entered) std::this_thread::yield();
        for (int i = 0; i < 10; ++i) executor.post({seen, [](void* self) { ++static_cast<counted*>(self)->begun; }});
    }
    CHECK(seen.use_count() == 1);
    held->open = true;
    while (!held->left) std::this_thread::yield();
    CHECK(seen->begun == 0);
}

TEST_CASE("Waiting tasks are taken in order, also where there are always some") {
    detail::task_queue queue;
    std::vector<int> ran;
    struct entry {
        std::vector<int>* ran;
        int number;
    };
    int next = 0;
    const auto push = [&] {
        queue.push({std::make_shared<entry>(entry{&ran, next++}), [](void* self) {
                        const auto& e = *static_cast<entry*>(self);
                        e.ran->push_back(e.number);
                    }});
    };
    push();
    for (int i = 0; i < 100; ++i) {
        push();
        queue.pop()();
        CHECK(queue.size() == 1);
    }
    for (int i = 0; i < 100; ++i) CHECK(ran[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("An executor of posted workers keeps the contract, also where its caller is one of the workers") {
    with_executors([](const auto& executor) {
        const detail::posted_workers workers(executor);
        contract::is_kept_by(workers);
        std::atomic<bool> ended{false};
        struct inner {
            decltype(workers)& of;
            std::atomic<bool>& ended;
        };
        executor.post({std::make_shared<inner>(inner{workers, ended}), [](void* self) {
                           contract::every_shard_once(static_cast<inner*>(self)->of);
                           static_cast<inner*>(self)->ended = true;
                       }});
        while (!ended) std::this_thread::yield();
    });
}
