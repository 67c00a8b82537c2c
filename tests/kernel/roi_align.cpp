// SPDX-License-Identifier: MIT
#include <fanfold/kernel/roi_align.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::roi_options;

TEST_CASE("regions of a plane that rises evenly have the values at the centres of their bins", "[kernel][roi]") {
    // f(y, x) = 3 y + x + 10 c: bilinear samples and their means are exact wherever no border is touched.
    const std::int64_t height = 12, width = 15;
    std::vector<float> values;
    for (std::int64_t plane = 0; plane < 4; ++plane)
        for (std::int64_t i = 0; i < height * width; ++i)
            values.push_back(static_cast<float>(3 * (i / width) + i % width + 10 * plane));
    const std::vector<float> regions{2, 3, 10, 9, 4, 4, 20, 16};
    const std::vector<std::int64_t> images{1, 0};
    workspace space;
    for (const auto where : {roi_options::coordinates::half_pixel, roi_options::coordinates::output_half_pixel})
        for (const std::int64_t ratio : {0, 1, 3}) {
            guarded in(values), out(2 * 2 * 3 * 4);
            kernel::roi_align(in.as({2, 2, height, width}), {regions.data(), {2, 4}}, images,
                              {.coordinates = where, .sampling_ratio = ratio, .spatial_scale = 0.5F},
                              out.as({2, 2, 3, 4}), space);
            CHECK(out.intact());
            const double shift = where == roi_options::coordinates::half_pixel ? 0.5 : 0;
            bool right = true;
            for (std::size_t r = 0; r < 2; ++r)
                for (std::size_t c = 0; c < 2; ++c)
                    for (std::size_t i = 0; i < 12; ++i) {
                        const double x0 = regions[r * 4] * 0.5 - shift, y0 = regions[r * 4 + 1] * 0.5 - shift;
                        const double x1 = regions[r * 4 + 2] * 0.5 - shift, y1 = regions[r * 4 + 3] * 0.5 - shift;
                        const double y = y0 + (static_cast<double>(i / 4) + 0.5) * (y1 - y0) / 3;
                        const double x = x0 + (static_cast<double>(i % 4) + 0.5) * (x1 - x0) / 4;
                        const double exact =
                            3 * y + x + 10 * static_cast<double>(static_cast<std::size_t>(images[r]) * 2 + c);
                        right = right && std::abs(out.span()[(r * 2 + c) * 12 + i] - exact) < 1e-4;
                    }
            CHECK(right);
        }
}

TEST_CASE("the maximum is that of weighted neighbours; samples outside count as zero", "[kernel][roi]") {
    const std::vector<float> image{1, 2, 3, 4};
    const std::vector<float> regions{0, 0, 2, 2, 50, 50, 60, 60};
    const std::vector<std::int64_t> images{0, 0};
    std::vector<float> out(2);
    workspace space;
    kernel::roi_align({image.data(), {1, 1, 2, 2}}, {regions.data(), {2, 4}}, images,
                      {.pooling = roi_options::pooling::maximum, .sampling_ratio = 1}, {out.data(), {2, 1, 1, 1}},
                      space);
    CHECK(out == std::vector<float>{1, 0});  // a quarter of each neighbour; nothing
}

TEST_CASE("regions of images that do not exist, and endless ones, are refused", "[kernel][roi]") {
    const std::vector<float> image(4);
    std::vector<float> region{0, 0, 1, 1}, out(1);
    const std::vector<std::int64_t> wrong{1}, fine{0};
    workspace space;
    const auto run = [&](const std::vector<std::int64_t>& images) {
        kernel::roi_align({image.data(), {1, 1, 2, 2}}, {region.data(), {1, 4}}, images, {}, {out.data(), {1, 1, 1, 1}},
                          space);
    };
    CHECK_THROWS_AS(run(wrong), std::invalid_argument);
    CHECK_THROWS_AS(run({}), std::invalid_argument);
    region[2] = 1e30F;
    CHECK_THROWS_AS(run(fine), std::invalid_argument);
    region[2] = poison();
    CHECK_THROWS_AS(run(fine), std::invalid_argument);
}
