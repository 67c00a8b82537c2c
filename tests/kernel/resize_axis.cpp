// SPDX-License-Identifier: MIT
#include <fanfold/kernel/resize_axis.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using namespace fanfold::kernel;

namespace {

std::vector<std::int64_t> nearest(coordinates where, nearest_rounding rounding, std::int64_t in, std::int64_t out,
                                  double scale) {
    workspace space;
    const auto table =
        kernel::detail::resize_table_for<float>({.coordinates = where, .nearest = rounding}, {scale}, in, out, space);
    return {table.index.begin(), table.index.end()};
}

}  // namespace

TEST_CASE("nearest elements follow the coordinates and the rounding", "[kernel][resize]") {
    using enum coordinates;
    using indices = std::vector<std::int64_t>;
    CHECK(nearest(half_pixel, nearest_rounding::round_prefer_floor, 2, 4, 2) == indices{0, 0, 1, 1});
    CHECK(nearest(half_pixel, nearest_rounding::ceil, 4, 8, 2) == indices{0, 1, 1, 2, 2, 3, 3, 3});
    CHECK(nearest(asymmetric, nearest_rounding::round_prefer_floor, 3, 6, 2) == indices{0, 0, 1, 1, 2, 2});
    CHECK(nearest(asymmetric, nearest_rounding::round_prefer_ceil, 3, 6, 2) == indices{0, 1, 1, 2, 2, 2});
    CHECK(nearest(align_corners, nearest_rounding::floor, 4, 8, 2) == indices{0, 0, 0, 1, 1, 2, 2, 3});
    CHECK(nearest(tf_half_pixel_for_nn, nearest_rounding::floor, 4, 3, 0.75) == indices{0, 2, 3});
    CHECK(nearest(asymmetric, nearest_rounding::ceil_when_smaller, 4, 2, 0.6F) == indices{0, 2});
    CHECK(nearest(asymmetric, nearest_rounding::ceil_when_smaller, 2, 3, 1.5) == indices{0, 0, 1});
    CHECK(nearest(half_pixel_symmetric, nearest_rounding::floor, 4, 2, 0.6) == indices{0, 2});
}

TEST_CASE("weights of every output element sum to one, indices stay within", "[kernel][resize]") {
    workspace space;
    for (const auto mode : {interpolation::linear, interpolation::cubic})
        for (const auto where : {coordinates::half_pixel, coordinates::half_pixel_symmetric,
                                 coordinates::pytorch_half_pixel, coordinates::align_corners, coordinates::asymmetric})
            for (const auto border : {outside::border, outside::excluded})
                for (const auto smooth : {antialias::off, antialias::on})
                    for (const std::int64_t out : {1, 3, 7, 20}) {
                        const auto table = kernel::detail::resize_table_for<double>(
                            {.mode = mode, .coordinates = where, .outside = border, .antialias = smooth},
                            {static_cast<double>(out) / 7}, 7, out, space);
                        bool right = true;
                        for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o) {
                            double total = 0;
                            for (std::size_t t = 0; t < table.taps; ++t) {
                                total += table.weights[o * table.taps + t];
                                const auto at = table.index[o * table.taps + t];
                                right = right && at >= 0 && at < 7;
                            }
                            right = right && std::abs(total - 1) < 1e-12;
                        }
                        CHECK(right);
                    }
}

TEST_CASE("wild scales and regions stay within the input", "[kernel][resize]") {
    workspace space;
    for (const double scale : {1e-300, 1e300, 0.5})
        for (const double to : {1e300, -1e300, 1.0}) {
            const auto table = kernel::detail::resize_table_for<float>(
                {.mode = interpolation::linear, .coordinates = coordinates::tf_crop_and_resize}, {scale, 0.0, to}, 5, 4,
                space);
            for (const auto at : table.index) CHECK((at >= 0 && at < 5));
        }
}
