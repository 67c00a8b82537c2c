// SPDX-License-Identifier: MIT
#include <fanfold/model/weight_guard.hpp>

#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

std::vector<kernel::product_sums> two() { return std::vector<kernel::product_sums>(2); }

}  // namespace

TEST_CASE("Sums of weights are made once, by whoever asks first, and all see the same") {
    const std::vector<float> weights(100, 1.5F);
    const detail::weight_guard guard(std::as_bytes(std::span(weights)));
    int made = 0;
    const auto make = [&] { return ++made, two(); };
    const std::vector<kernel::product_sums>* seen[4];
    {
        std::vector<std::jthread> threads;
        for (auto& place : seen)
            threads.emplace_back([&] { place = &guard.sums(std::as_bytes(std::span(weights)), {}, make); });
    }
    CHECK(made == 1);
    for (const auto* one : seen) CHECK((one == seen[0] && one->size() == 2));
    CHECK_FALSE(guard.late());
}

TEST_CASE("Weights that change after load are seen before sums are made of them, and after") {
    std::vector<float> weights(100, 1.5F);
    const auto bytes = std::as_bytes(std::span(weights));
    const detail::weight_guard early(bytes), late(bytes);
    (void)early.sums(bytes, {}, two);
    weights[40] = 1.75F;
    CHECK_FALSE(early.intact(bytes));
    CHECK_FALSE(early.late());
    CHECK_FALSE(late.intact(bytes));
    (void)late.sums(bytes, {}, two);
    CHECK(late.late());
    weights[40] = 1.5F;
    CHECK(early.intact(bytes));
    CHECK_FALSE(late.intact(bytes));  // its sums are of other weights
}

TEST_CASE("A bias that is kept apart is guarded, too") {
    const std::vector<float> weights(100, 1.5F);
    std::vector<float> bias(16, 0.5F);
    const auto bytes = std::as_bytes(std::span(weights));
    const detail::weight_guard alone(bytes), both(alone, bias);
    CHECK(both.intact(bytes, bias));
    bias[3] = 0;
    CHECK_FALSE(both.intact(bytes, bias));
    CHECK(alone.intact(bytes));
}
