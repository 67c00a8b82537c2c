// SPDX-License-Identifier: MIT
#include <fanfold/schedule/entrance.hpp>

#include <atomic>
#include <thread>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("who has entered is waited for, who comes later is turned away") {
    for (int round = 0; round < 100; ++round) {
        detail::entrance door;
        std::atomic<bool> closed{false};
        std::atomic<int> inside{0}, late{0};
        const auto visit = [&] {
            if (!door.enter()) return;
            if (closed) ++late;
            ++inside;
            std::this_thread::yield();
            --inside;
            door.leave();
        };
        const std::jthread first([&] { visit(); }), second([&] { visit(); });
        REQUIRE(door.enter());
        door.leave();
        door.close();
        CHECK(inside == 0);
        closed = true;
        CHECK_FALSE(door.enter());
        CHECK(late == 0);
    }
}
