// SPDX-License-Identifier: MIT
#include <fanfold/kernel/image_panels.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("panels hold what lies under each tap at each position, zeros elsewhere", "[kernel][convolution]") {
    for (const std::int64_t before : {0, 1, 4})
        for (const std::int64_t stride : {1, 2, 3})
            for (const std::int64_t dilation : {1, 2}) {
                kernel::detail::window3 w("", {1, 2, 6, 7},
                                          {.size = {2, 3},
                                           .stride = {stride, stride},
                                           .dilation = {dilation, dilation},
                                           .before = {before, before},
                                           .after = {1, 2}});
                w.place("", kernel::window2d::rounding::floor);
                const std::int64_t skipped = before, taps = 11 - skipped, positions = w.out_plane();
                const std::int64_t first = positions / 3, count = positions - first;
                std::vector<int> panels(static_cast<std::size_t>((count + 15) / 16 * 16 * taps), -1);
                kernel::detail::image_to_panels(
                    w, skipped, 11, first, count, panels.data(),
                    [](std::int64_t c, std::int64_t i) { return static_cast<int>(1000 * (c + 1) + i); });
                bool right = true;
                for (std::int64_t q = 0; q < (count + 15) / 16 * 16; ++q)
                    for (std::int64_t k = skipped; k < 11; ++k) {
                        const std::int64_t p = first + q;
                        const std::int64_t y = p / w.out[2] * stride - before + k / 3 % 2 * dilation;
                        const std::int64_t x = p % w.out[2] * stride - before + k % 3 * dilation;
                        const bool inside = q < count && y >= 0 && y < 6 && x >= 0 && x < 7;
                        const std::int64_t expected = inside ? 1000 * (k / 6 + 1) + y * 7 + x : 0;
                        right =
                            right &&
                            panels[static_cast<std::size_t>((q / 16 * taps + k - skipped) * 16 + q % 16)] == expected;
                    }
                CHECK(right);
            }
}

TEST_CASE("blocks of positions are whole panels and never more than needed", "[kernel][convolution]") {
    CHECK(kernel::detail::panel_positions(9, 1) == 16);
    CHECK(kernel::detail::panel_positions(std::int64_t{1} << 20, 1000) == 64);
    CHECK(kernel::detail::panel_positions(1, 1 << 20) == 1 << 14);
}
