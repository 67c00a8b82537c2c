// SPDX-License-Identifier: MIT
#include <fanfold/infer/worker_slots.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("A job is settled when as many attempts have ended as are expected") {
    detail::basic_worker_slots<detail::worker_slot> slots(2);
    slots.open(3);
    slots.settle(0, time_point(1s));
    slots.settle(2, time_point(2s));
    CHECK(slots.all_settled());
    slots.expect_one_more();
    CHECK_FALSE(slots.all_settled());
    slots.settle(2, time_point(3s));
    CHECK((slots.all_settled() && slots.settled() == 3));
    CHECK(slots[2].left.load() == duration(3s).count());
    slots.expect_one_less();
    CHECK_FALSE(slots.all_settled());
}
