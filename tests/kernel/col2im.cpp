// SPDX-License-Identifier: MIT
#include <fanfold/kernel/col2im.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("blocks land where they were cut out, and add up where they overlap", "[kernel][col2im]") {
    const kernel::block_grid grid{{3, 2}, {1, 2}, {2, 1}, {1, 0}, {0, 1}};
    const std::int64_t height = 7, width = 5, oh = grid.positions(0, height), ow = grid.positions(1, width);
    CHECK((oh == 4 && ow == 3));
    numbers next(1);
    const std::vector<float> columns = next.some(static_cast<std::size_t>(2 * 3 * 6 * oh * ow));
    guarded in(columns, 1), out(2 * 3 * 35);
    kernel::col2im<float>(in.as({2, 18, oh * ow}), grid, out.as({2, 3, height, width}));
    CHECK(out.intact());
    bool right = true;
    for (std::int64_t image = 0; image < 6; ++image)
        for (std::int64_t y = 0; y < height; ++y)
            for (std::int64_t x = 0; x < width; ++x) {
                double sum = 0;
                for (std::int64_t i = 0; i < 3; ++i)
                    for (std::int64_t j = 0; j < 2; ++j)
                        for (std::int64_t p = 0; p < oh; ++p)
                            for (std::int64_t q = 0; q < ow; ++q)
                                if (p + 2 * i - 1 == y && 2 * q + j == x)
                                    sum += columns[static_cast<std::size_t>((image * 6 + i * 2 + j) * oh * ow + p * ow +
                                                                            q)];
                const auto at = static_cast<std::size_t>((image * height + y) * width + x);
                right = right && std::abs(out.span()[at] - sum) < 1e-5;
            }
    CHECK(right);
    CHECK_THROWS_AS(kernel::col2im<float>(in.as({2, 18, 11}), grid, out.as({2, 3, height, width})),
                    std::invalid_argument);
    CHECK_THROWS_AS(grid.positions(0, 2), std::invalid_argument);
}
