// SPDX-License-Identifier: MIT
#include <fanfold/kernel/winograd_choice.hpp>

#include "../catch.hpp"

using namespace fanfold::kernel;

TEST_CASE("large layers are convolved by tiles, layers of few channels directly") {
    constexpr auto two = winograd_tile::two, four = winograd_tile::four;
    CHECK(fastest_tile({64, 64, 224, 224}, four) == four);
    CHECK(fastest_tile({512, 512, 14, 14}, four) == four);
    CHECK(fastest_tile({64, 64, 56, 56}, two) == two);
    CHECK(fastest_tile({16, 16, 28, 28}, four) == four);
    CHECK(fastest_tile({512, 512, 7, 7}, four) == two);       // weights would be most of what is read
    CHECK(fastest_tile({128, 128, 28, 28, 2}, four) == two);  // every second window: tiles of two alone
    CHECK(fastest_tile({256, 256, 14, 14, 2}, two) == two);
    CHECK(fastest_tile({512, 512, 7, 7, 2}, four) == std::nullopt);
    CHECK(fastest_tile({16, 32, 14, 14, 2}, four) == std::nullopt);
    CHECK(fastest_tile({3, 64, 224, 224}, four) == std::nullopt);
    CHECK(fastest_tile({64, 1, 224, 224}, four) == std::nullopt);
    CHECK(fastest_tile({512, 512, 1, 1}, four) == std::nullopt);
}

TEST_CASE("the estimate does not overflow") {
    constexpr std::int64_t huge = std::int64_t{1} << 40;
    CHECK(winograd_time({huge, huge, huge, huge}, winograd_tile::four) > 0);
    CHECK(direct_time({huge, huge, huge, huge}) > 0);
}
