// SPDX-License-Identifier: MIT
#include <fanfold/schedule/doorbell.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A ring between the announcement and the sleep is not missed") {
    detail::doorbell bell;
    detail::doorbell::sleeper here(bell);
    bell.ring();
    here.sleep(time_point::max());  // returns
}

TEST_CASE("Without a ring a sleeper wakes at its time") {
    detail::doorbell bell;
    detail::doorbell::sleeper here(bell);
    const time_point until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    here.sleep(until);
    CHECK(std::chrono::steady_clock::now() >= until);
}

TEST_CASE("One ring wakes every sleeper") {
    detail::doorbell bell;
    std::atomic<int> announced{0}, awake{0};
    {
        std::vector<std::jthread> sleepers;
        for (int i = 0; i < 4; ++i)
            sleepers.emplace_back([&] {
                detail::doorbell::sleeper here(bell);
                ++announced;
                here.sleep(time_point::max());
                ++awake;
            });
        while (announced != 4) std::this_thread::yield();
        bell.ring();
    }
    CHECK(awake == 4);
}
