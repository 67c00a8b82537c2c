// After fork(), in the child: serial and threads give the right bits; tbb says that it cannot, and never hangs.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "../catch.hpp"
#include "networks.hpp"

#if !defined(__SANITIZE_THREAD__)  // ThreadSanitizer ends a forked child that starts a thread

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

constexpr int right = 0, wrong = 1, threw = 2, refused = 3, hung = 4, killed = 5;

/// What `call` returns in a child of this process, or that it hung; the child ends without touching this one's objects.
template <class F>
int in_a_child(F&& call) {
    const pid_t child = fork();
    if (child == 0) {
        int code = threw;
        try {
            code = call();
        } catch (const std::runtime_error& error) {
            const std::string text = error.what();
            if (text.find("fork") != std::string::npos && text.find("threads_executor") != std::string::npos)
                code = refused;
        } catch (...) {
        }
        _exit(code);
    }
    const auto patience = std::chrono::steady_clock::now() + 60s;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > patience) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            return hung;
        }
        std::this_thread::sleep_for(1ms);  // a bounded wait: a hang fails the test instead of blocking it
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : killed;
}

template <class E>
std::uint64_t digest_by(const E& executor, const graph& model, const tensor& rows) {
    const job done = infer(executor, model, rows, {.partition = contiguous{.rows_per_shard = 7}});
    if (!done.failures.empty()) throw std::logic_error("rows without answers");
    return digest(done.answers);
}

struct scene {
    graph model = networks::lenet5();
    tensor rows = networks::noise(64);
    std::uint64_t expected = digest_by(serial_executor(), model, rows);

    template <class E>
    [[nodiscard]] int check(const E& executor) const {
        return digest_by(executor, model, rows) == expected ? right : wrong;
    }
};

}  // namespace

TEST_CASE("In a forked child serial and threads give the right bits, with executors made before the fork or after",
          "[fork]") {
    const scene s;
    const serial_executor serial;
    const threads_executor threads({.workers = 3});
    const tbb_executor cores({.workers = 2});
    for (int round = 0; round < 5; ++round) {
        REQUIRE(s.check(threads) == right);
        REQUIRE(s.check(cores) == right);
        CHECK(in_a_child([&] { return s.check(serial); }) == right);
        CHECK(in_a_child([&] { return s.check(threads); }) == right);
        CHECK(in_a_child([&] { return s.check(serial_executor()); }) == right);
        CHECK(in_a_child([&] { return s.check(threads_executor({.workers = 2})); }) == right);
    }
}

TEST_CASE("In a forked child tbb says that it cannot work after a fork and what can, and is destroyed in peace",
          "[fork]") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const scene s;
    auto cores = std::make_unique<tbb_executor>(tbb_options{.workers = 3});
    tbb::task_arena arena(2);
    const tbb_executor callers(arena);
    for (int round = 0; round < 100; ++round) {
        REQUIRE(s.check(*cores) == right);
        REQUIRE(s.check(callers) == right);
        REQUIRE(in_a_child([&] { return s.check(*cores); }) == refused);
        REQUIRE(in_a_child([&] { return s.check(callers); }) == refused);
        REQUIRE(in_a_child([&] { return s.check(tbb_executor()); }) == refused);
        REQUIRE(in_a_child([&] {
                    cores.reset();
                    return right;
                }) == right);
    }
    REQUIRE(in_a_child([&] { return in_a_child([&] { return s.check(*cores); }); }) == refused);
    CHECK(s.check(*cores) == right);  // and here nothing has changed
}

TEST_CASE("A fork while other threads infer leaves them alone, and the child may infer", "[fork]") {
    const scene s;
    const tbb_executor cores({.workers = 2});
    std::atomic<bool> enough{false};
    std::atomic<int> different{0};
    std::atomic<int> jobs{0};
    std::jthread by_tbb([&] {
        while (!enough) {
            if (s.check(cores) != right) ++different;
            ++jobs;
            jobs.notify_all();
        }
    });
    jobs.wait(0);
    for (int round = 0; round < 10; ++round) {
        CHECK(in_a_child([&] { return s.check(serial_executor()); }) == right);
        CHECK(in_a_child([&] { return s.check(threads_executor({.workers = 2})); }) == right);
        CHECK(in_a_child([&] { return s.check(cores); }) == refused);
    }
    enough = true;
    by_tbb.join();
    CHECK(different == 0);
}

#endif
