// SPDX-License-Identifier: MIT
#include <fanfold/context/clock.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A clock reads the steady clock unless told otherwise") {
    const fanfold::clock machine;
    const time_point before = std::chrono::steady_clock::now();
    const time_point read = machine.now();
    const time_point after = std::chrono::steady_clock::now();
    CHECK(before <= read);
    CHECK(read <= after);
}

TEST_CASE("A virtual clock reads what its source says, copies included") {
    time_point now{std::chrono::seconds(5)};
    const fanfold::clock virtual_clock([](const void* source) { return *static_cast<const time_point*>(source); },
                                       &now);
    const fanfold::clock copy = virtual_clock;
    CHECK(virtual_clock.now() == time_point{std::chrono::seconds(5)});
    now += std::chrono::milliseconds(1);
    CHECK(virtual_clock.now() == time_point{std::chrono::milliseconds(5001)});
    CHECK(copy.now() == virtual_clock.now());
}
