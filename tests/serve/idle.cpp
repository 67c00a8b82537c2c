// What a batcher costs while nothing is to be done, and which threads there are.
// SPDX-License-Identifier: MIT
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/batcher.hpp>

#include <atomic>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <memory>
#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

const auto same = [](std::span<const float> rows) { return std::vector<float>(rows.begin(), rows.end()); };

std::size_t threads_now() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

template <class Server>
void use(Server& server) {
    std::atomic<int> answered{0};
    {
        std::vector<std::jthread> clients;
        for (int client = 0; client < 4; ++client)
            clients.emplace_back([&] {
                for (int i = 0; i < 50; ++i) answered += server.submit(std::vector<float>{1}).get().answered() ? 1 : 0;
            });
    }
    REQUIRE(answered == 4 * 50);
}

double cpu_seconds() {
    timespec spent{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

/// Whether a tenth of a second comes in which the process uses less than 0.1 % of a core.
bool comes_to_rest() {
    for (int attempt = 0; attempt < 100; ++attempt) {
        const double before = cpu_seconds();
        std::this_thread::sleep_for(100ms);
        if (cpu_seconds() - before < 0.0001) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("A batcher has as many threads as its executor has workers, and one that keeps time") {
    const std::size_t before = threads_now();
    for (int round = 0; round < 3; ++round) {
        const threads_executor executor({.workers = 3});
        batcher server(executor, same);
        CHECK(threads_now() <= before + 1);  // before anything is asked
        use(server);
        CHECK(threads_now() <= before + 3 + 1);
    }
    CHECK(threads_now() == before);
}

TEST_CASE("In a caller's arena TBB's threads compute, and only the one that keeps time is added") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 3);
    tbb::task_arena arena(3);
    std::atomic<int> outside{0};
    const auto model = [&](std::span<const float> rows) {
        if (tbb::this_task_arena::max_concurrency() != 3) ++outside;
        return same(rows);
    };
    const tbb_executor executor(arena);
    const std::size_t before = threads_now();
    {
        batcher server(executor, model);
        use(server);
        CHECK(threads_now() <= before + 2 + 1);  // those of TBB that the arena has room for
    }
    CHECK(outside == 0);
}

#if !defined(__SANITIZE_THREAD__)  // the sanitizer has a thread of its own, which does not rest
TEST_CASE("Nothing spins while a batcher has nothing to do") {
    const threads_executor by_hand({.workers = 2});
    const tbb_executor cores({.workers = 2});
    batcher one(by_hand, same);
    batcher other(cores, same, {.max_delay = 1ms});
    CHECK(comes_to_rest());
    use(one);
    use(other);
    CHECK(comes_to_rest());
}
#endif
