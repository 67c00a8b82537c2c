// SPDX-License-Identifier: MIT
#include <fanfold/kernel/window.hpp>

#include <limits>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold::kernel;
using fanfold::kernel::detail::window_axis;

TEST_CASE("The number of windows is that of trying every start") {
    for (std::int64_t extent = 1; extent < 9; ++extent)
        for (std::int64_t size = 1; size < 5; ++size)
            for (std::int64_t stride = 1; stride < 4; ++stride)
                for (std::int64_t dilation = 1; dilation < 4; ++dilation)
                    for (std::int64_t before = 0; before < 3; ++before)
                        for (std::int64_t after = 0; after < 3; ++after) {
                            const window_axis axis{"test", extent, size, stride, dilation, before, after};
                            const std::int64_t padded = extent + before + after;
                            if (axis.reach() > padded) {
                                REQUIRE_THROWS_AS(axis.positions(window2d::rounding::floor), std::invalid_argument);
                                continue;
                            }
                            std::int64_t whole = 0;
                            std::int64_t started =
                                0;  // ceil: also one that ends outside, if it starts before the far padding
                            for (std::int64_t at = 0; at + axis.reach() <= padded; at += stride) ++whole;
                            started = whole;
                            if (const std::int64_t at = whole * stride;
                                at - stride + axis.reach() < padded && at < extent + before)
                                ++started;
                            REQUIRE(axis.positions(window2d::rounding::floor) == whole);
                            REQUIRE(axis.positions(window2d::rounding::ceil) == started);
                        }
}

TEST_CASE("Numbers that make no sense or overflow are refused with all of them in the text") {
    constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    for (const window_axis& axis :
         {window_axis{"pool", 0, 1, 1, 1, 0, 0}, window_axis{"pool", 5, 0, 1, 1, 0, 0},
          window_axis{"pool", 5, 1, 0, 1, 0, 0}, window_axis{"pool", 5, 1, 1, 0, 0, 0},
          window_axis{"pool", 5, 1, 1, 1, -1, 0}, window_axis{"pool", 5, huge, 1, huge, 0, 0},
          window_axis{"pool", 5, 1, 1, 1, huge, huge}, window_axis{"pool", 5, 1, huge, 1, huge - 6, 0}})
        CHECK_THROWS_AS(axis.positions(window2d::rounding::ceil), std::invalid_argument);
    CHECK(text_of([] { (void)window_axis{"pool", 4, 3, 2, 2, 0, 0}.positions(window2d::rounding::floor); }) ==
          "pool: a window of 3, stride 2, dilation 2 does not fit an extent of 4 padded by 0 and 0");
    CHECK(text_of([] { (void)fanfold::kernel::detail::checked_mul("pool", huge, 2); }) ==
          "pool: 9223372036854775807 * 2 overflows");
}

TEST_CASE(
    "The answers of convolutions [N, H, W, C] follow from the images' shape; images with other channels are refused") {
    using fanfold::shape;
    const fanfold::kernel::conv2d_geometry g{.stride = {2, 1}, .padding = {1, 0, 0, 2}};
    CHECK(detail::conv_output_nhwc(g, {3, 2}, 5, 7, {4, 8, 6, 5}) == shape{4, 4, 7, 7});
    CHECK_THROWS_WITH(detail::conv_output_nhwc(g, {3, 2}, 5, 7, {4, 8, 6, 4}),
                      "conv2d: [4, 8, 6, 4] is not [N, H, W, 5]");
    CHECK_THROWS_WITH(detail::conv_output_nhwc(g, {3, 2}, 5, 7, {8, 6, 5}), "conv2d: [8, 6, 5] is not [N, H, W, 5]");
}

TEST_CASE("pixels at equal steps are found, whatever the steps of axes of one") {
    using fanfold::shape;
    std::vector<float> room(2000);
    const auto step = [&](const shape& extents, const fanfold::strides& steps) {
        return detail::pixel_step(fanfold::view<float>(room.data(), extents, steps));
    };
    CHECK(step({2, 3, 4, 5}, {60, 20, 5, 1}) == 5);
    CHECK(step({2, 3, 4, 5}, {84, 28, 7, 1}) == 7);
    CHECK(step({2, 1, 4, 5}, {28, 999, 7, 1}) == 7);
    CHECK(step({1, 3, 1, 5}, {999, 7, 999, 1}) == 7);
    CHECK(step({1, 1, 1, 5}, {999, 999, 999, 1}) == 5);
    CHECK(step({2, 3, 4, 1}, {84, 28, 7, 999}) == 7);
    CHECK(step({2, 3, 4, 5}, {84, 28, 7, 2}) == 0);  // channels apart
    CHECK(step({2, 3, 4, 5}, {84, 29, 7, 1}) == 0);  // room behind a row
    CHECK(step({2, 3, 4, 5}, {85, 28, 7, 1}) == 0);  // room behind an image
    CHECK(step({2, 3, 4, 5}, {48, 16, 4, 1}) == 0);  // pixels overlap
}
