// tests/model/memory_plan.cpp - values that live at the same time never share a slot; others do.
// SPDX-License-Identifier: MIT
#include <fanfold/model/memory_plan.hpp>
#include <random>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("a chain needs two slots") {
    const std::vector<lifetime> chain{{0, 1, 100}, {1, 2, 50}, {2, 3, 80}, {3, 4, 60}};
    const memory_plan plan = plan_memory(chain);
    CHECK(plan.bytes_per_row.size() == 2);
    CHECK(plan.total_per_row() == 160);
    CHECK(plan.slot_of[0] != plan.slot_of[1]);
}

TEST_CASE("a value takes the free slot that wastes least") {
    const std::vector<lifetime> values{{0, 0, 100}, {0, 0, 10}, {1, 1, 9}};
    const memory_plan plan = plan_memory(values);
    CHECK(plan.slot_of[2] == plan.slot_of[1]);
    CHECK(plan.total_per_row() == 110);
}

TEST_CASE("no values, no slots") {
    CHECK(plan_memory({}).bytes_per_row.empty());
    CHECK(plan_memory({}).total_per_row() == 0);
}

TEST_CASE("random lifetimes: nothing overlaps, everything fits") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<lifetime> values;
        std::size_t sum = 0;
        for (std::size_t step = 0; step < 30; ++step) {
            values.push_back({step, step + random() % 6, 1 + random() % 1000});
            sum += values.back().bytes_per_row;
        }
        const memory_plan plan = plan_memory(values);
        bool sound = plan.total_per_row() <= sum;
        for (std::size_t a = 0; a < values.size(); ++a) {
            sound = sound && plan.bytes_per_row[plan.slot_of[a]] >= values[a].bytes_per_row;
            for (std::size_t b = 0; b < a; ++b)
                if (values[b].last_step >= values[a].first_step) sound = sound && plan.slot_of[a] != plan.slot_of[b];
        }
        REQUIRE(sound);
    }
}
