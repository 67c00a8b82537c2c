// SPDX-License-Identifier: MIT
#include <fanfold/kernel/deformable.hpp>

#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("taps move, and read between pixels, beside the image nothing", "[kernel][deformable]") {
    std::vector<float> image{0, 1, 2, 3, 4, 5, 6, 7, 8}, weights(4, 1.0F), offsets(32, 0.0F), out(4);
    offsets[0] = 0.5F;                     // tap 0, down, at answer 0
    offsets[(2 * 2 + 1) * 4 + 1] = -0.1F;  // tap 2, right, at answer 1
    offsets[(3 * 2) * 4 + 3] = 5;          // tap 3, down, at answer 3: beyond the image
    const kernel::deformable_input<float> in{
        {image.data(), {1, 1, 3, 3}}, {weights.data(), {1, 1, 2, 2}}, {offsets.data(), {1, 8, 2, 2}}, {}, {}};
    workspace space;
    kernel::deformable_convolution<float>(in, {}, 1, {out.data(), {1, 1, 2, 2}}, space);
    CHECK(std::abs(out[0] - 9.5F) < 1e-5F);
    CHECK(std::abs(out[1] - 11.9F) < 1e-5F);
    CHECK(out[2] == 20);
    CHECK(out[3] == 16);
}

TEST_CASE("groups of weights and of offsets, a mask and a bias", "[kernel][deformable]") {
    numbers next(1);
    const std::vector<float> x = next.some(2 * 4 * 30), w = next.some(6 * 2 * 6), moved = next.some(2 * 24 * 15);
    const std::vector<float> mask = next.some(2 * 12 * 15), bias = next.some(6);
    guarded xs(x, 1), ws(w, 2), ms(moved, 3), ks(mask, 1), bs(bias, 2), out(2 * 6 * 15);
    const kernel::deformable_input<float> in{xs.as({2, 4, 5, 6}), ws.as({6, 2, 3, 2}), ms.as({2, 24, 3, 5}),
                                             ks.as({2, 12, 3, 5}), bs.span()};
    workspace space;
    const kernel::conv2d_geometry g{{1, 1}, {1, 1}, {0, 0, 0, 0}, 2};
    kernel::deformable_convolution<float>(in, g, 2, out.as({2, 6, 3, 5}), space);
    CHECK(out.intact());
    bool right = true;
    for (std::size_t n = 0; n < 2; ++n)
        for (std::size_t o = 0; o < 6; ++o)
            for (std::size_t p = 0; p < 15; ++p) {
                double sum = bias[o];
                for (std::size_t c = 0; c < 2; ++c)
                    for (std::size_t tap = 0; tap < 6; ++tap) {
                        const std::size_t channel = o / 3 * 2 + c, at = (n * 2 + channel / 2) * 6 + tap;
                        const double y = static_cast<double>(p / 5 + tap / 2) + moved[at * 30 + p];
                        const double z = static_cast<double>(p % 5 + tap % 2) + moved[at * 30 + 15 + p];
                        double value = 0;
                        for (int i = 0; i < 5; ++i)
                            for (int j = 0; j < 6; ++j)
                                value += std::max(0.0, 1 - std::abs(i - y)) * std::max(0.0, 1 - std::abs(j - z)) *
                                         x[((n * 4 + channel) * 5 + static_cast<std::size_t>(i)) * 6 +
                                           static_cast<std::size_t>(j)];
                        sum += w[(o * 2 + c) * 6 + tap] * value * mask[at * 15 + p];
                    }
                right = right && std::abs(out.span()[(n * 6 + o) * 15 + p] - sum) < 1e-5;
            }
    CHECK(right);
    CHECK_THROWS_AS(kernel::deformable_convolution<float>(in, g, 1, out.as({2, 6, 3, 5}), space),
                    std::invalid_argument);
}
