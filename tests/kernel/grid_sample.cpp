// SPDX-License-Identifier: MIT
#include <fanfold/kernel/grid_sample.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::grid_options;

namespace {

double cubic(double d) {
    d = std::abs(d);
    const double a = -0.75;
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0.0;
}
double mirrored(double x, double low, double high) {
    if (high <= low) return low;
    while (x < low || x > high) x = x < low ? 2 * low - x : 2 * high - x;
    return x;
}
double position(double normalized, double extent, const grid_options& o) {
    const bool centres = o.corners == grid_options::corners::centres;
    const double low = centres ? 0 : -0.5, high = centres ? extent - 1 : extent - 0.5;
    double x = centres ? (normalized + 1) / 2 * (extent - 1) : ((normalized + 1) * extent - 1) / 2;
    if (o.mode == grid_options::mode::nearest) x = std::nearbyint(x);
    if (o.padding == grid_options::padding::border && (x < low || x > high)) x = std::min(std::max(x, 0.0), extent - 1);
    if (o.padding == grid_options::padding::reflection) x = mirrored(x, low, high);
    return o.mode == grid_options::mode::nearest ? std::nearbyint(x) : x;
}
/// The pixel that stands at index i, or -1.
int pixel(int i, int extent, const grid_options& o) {
    if (o.padding == grid_options::padding::border) return std::min(std::max(i, 0), extent - 1);
    if (o.padding == grid_options::padding::reflection) {
        const bool centres = o.corners == grid_options::corners::centres;
        return static_cast<int>(mirrored(i, centres ? 0 : -0.5, centres ? extent - 1 : extent - 0.5));
    }
    return i >= 0 && i < extent ? i : -1;
}

}  // namespace

TEST_CASE("samples agree with weights written as functions of distance, for every mode, padding and corner",
          "[kernel][grid]") {
    numbers next(1);
    const int height = 5, width = 7;
    const std::vector<float> values = next.some(2 * 3 * 35);
    std::vector<float> points = next.some(2 * 4 * 6 * 2);
    for (float& x : points) x *= 1.9F;
    for (const auto mode : {grid_options::mode::bilinear, grid_options::mode::nearest, grid_options::mode::bicubic})
        for (const auto padding :
             {grid_options::padding::zeros, grid_options::padding::border, grid_options::padding::reflection})
            for (const auto corners : {grid_options::corners::edges, grid_options::corners::centres}) {
                const grid_options o{mode, padding, corners};
                guarded in(values, 2), grid(points, 3), out(2 * 3 * 24);
                kernel::grid_sample(in.as({2, 3, height, width}), grid.as({2, 4, 6, 2}), o, out.as({2, 3, 4, 6}));
                CHECK(out.intact());
                bool right = true;
                for (std::size_t i = 0; i < 144; ++i) {
                    const std::size_t n = i / 72, p = i % 24;
                    const double x = position(points[(n * 24 + p) * 2], width, o);
                    const double y = position(points[(n * 24 + p) * 2 + 1], height, o);
                    const auto weight = [&](double d) {
                        if (mode == grid_options::mode::bicubic) return cubic(d);
                        return mode == grid_options::mode::nearest ? (d == 0 ? 1.0 : 0.0)
                                                                   : std::max(0.0, 1 - std::abs(d));
                    };
                    double sum = 0;
                    for (int iy = -20; iy < 30; ++iy)
                        for (int ix = -20; ix < 30; ++ix) {
                            const int py = pixel(iy, height, o), px = pixel(ix, width, o);
                            if (py < 0 || px < 0) continue;
                            sum +=
                                weight(iy - y) * weight(ix - x) *
                                values[(i / 24 * 5 + static_cast<std::size_t>(py)) * 7 + static_cast<std::size_t>(px)];
                        }
                    right = right && std::abs(out.span()[i] - sum) < 2e-5;
                }
                CHECK(right);
            }
}

TEST_CASE("volumes, with the third coordinate in depth", "[kernel][grid]") {
    numbers next(2);
    const std::vector<float> values = next.some(2 * 3 * 4 * 5), points = next.some(2 * 7 * 3);
    guarded in(values, 1), grid(points, 2), out(2 * 7);
    kernel::grid_sample(in.as({2, 1, 3, 4, 5}), grid.as({2, 1, 1, 7, 3}), {.corners = grid_options::corners::centres},
                        out.as({2, 1, 1, 1, 7}));
    CHECK(out.intact());
    bool right = true;
    for (std::size_t i = 0; i < 14; ++i) {
        const double x = (points[i * 3] + 1) / 2 * 4, y = (points[i * 3 + 1] + 1) / 2 * 3, z = points[i * 3 + 2] + 1;
        double sum = 0;
        for (int k = 0; k < 60; ++k)
            sum += std::max(0.0, 1 - std::abs(k / 20 - z)) * std::max(0.0, 1 - std::abs(k / 5 % 4 - y)) *
                   std::max(0.0, 1 - std::abs(k % 5 - x)) * values[i / 7 * 60 + static_cast<std::size_t>(k)];
        right = right && std::abs(out.span()[i] - sum) < 1e-5;
    }
    CHECK(right);
}

TEST_CASE("points at infinity and NaN read nothing astray", "[kernel][grid]") {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> values{1, 2, 3, 4};
    std::vector<float> points{inf, -inf, poison(), 3e38F}, out(2);
    for (const auto padding :
         {grid_options::padding::zeros, grid_options::padding::border, grid_options::padding::reflection})
        for (const auto mode :
             {grid_options::mode::bilinear, grid_options::mode::nearest, grid_options::mode::bicubic}) {
            kernel::grid_sample({values.data(), {1, 1, 2, 2}}, {points.data(), {1, 1, 2, 2}},
                                {.mode = mode, .padding = padding}, {out.data(), {1, 1, 1, 2}});
            CHECK((std::abs(out[0]) < 10 && std::abs(out[1]) < 10));
        }
    CHECK_THROWS_AS(kernel::grid_sample({values.data(), {1, 1, 2, 2}}, {points.data(), {1, 1, 4, 1}}, {},
                                        {out.data(), {1, 1, 1, 2}}),
                    std::invalid_argument);
}
