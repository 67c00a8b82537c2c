// tests/kernel/max_roi_pool.cpp - maxima of bins that a person can find.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/max_roi_pool.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("the greatest element of each bin of each region") {
    std::vector<float> image(16);
    for (std::size_t i = 0; i < 16; ++i) image[i] = static_cast<float>(i);
    const std::vector<float> regions{0, 0, 0, 3, 3, 0, 2, 2, 2, 2, 0, 8, 8, 9, 9};
    std::vector<float> out(12);
    kernel::max_roi_pool(view<const float>(image.data(), shape{1, 1, 4, 4}),
                         view<const float>(regions.data(), shape{3, 5}), 1, view<float>(out.data(), shape{3, 1, 2, 2}));
    CHECK(out == std::vector<float>{5, 7, 13, 15, 10, 10, 10, 10, 0, 0, 0, 0});
}

TEST_CASE("regions of images that do not exist are refused") {
    const std::vector<float> image(4), regions{1, 0, 0, 1, 1};
    std::vector<float> out(1);
    const view<float> to(out.data(), shape{1, 1, 1, 1});
    CHECK_THROWS(kernel::max_roi_pool(view<const float>(image.data(), shape{1, 1, 2, 2}),
                                      view<const float>(regions.data(), shape{1, 5}), 1, to));
    CHECK_THROWS(kernel::max_roi_pool(view<const float>(image.data(), shape{1, 1, 2, 2}),
                                      view<const float>(regions.data(), shape{1, 4}), 1, to));
}
