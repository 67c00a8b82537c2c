// SPDX-License-Identifier: MIT
#include <fanfold/kernel/image_rows.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("every row of every image is covered once, however the rows are shared", "[kernel][tiles]") {
    const shape images{3, 7, 2, 1};
    for (const tile_loop& tiles : {tile_loop(), backwards(4)})
        for (const std::uint64_t work : {std::uint64_t{1}, std::uint64_t{1} << 40}) {
            std::vector<int> seen(21, 0);
            kernel::detail::over_image_rows(tiles, images, work,
                                            [&](std::size_t image, std::int64_t first, std::int64_t last) {
                                                for (std::int64_t row = first; row < last; ++row)
                                                    ++seen[image * 7 + static_cast<std::size_t>(row)];
                                            });
            CHECK(seen == std::vector<int>(21, 1));
        }
}
