// SPDX-License-Identifier: MIT
#include <fanfold/model/weight_guard.hpp>

#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("Sums of weights are made once, by whoever asks first, and all see the same") {
    const detail::weight_guard guard;
    int made = 0;
    const auto make = [&] { return ++made, std::vector<kernel::product_sums>(2); };
    const std::vector<kernel::product_sums>* seen[4];
    {
        std::vector<std::jthread> threads;
        for (auto& place : seen) threads.emplace_back([&] { place = &guard.sums(make); });
    }
    CHECK(made == 1);
    for (const auto* one : seen) CHECK((one == seen[0] && one->size() == 2));
}
