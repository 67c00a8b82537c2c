// SPDX-License-Identifier: MIT
#include <fanfold/kernel/resize.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::antialias;
using kernel::interpolation;
using kernel::resize_axis;

namespace {

/// Sums over all input elements of an axis: half-pixel coordinates, border repeated, written without tables.
double weight_at(interpolation mode, antialias smooth, double scale, std::int64_t in, std::int64_t o, std::int64_t i) {
    const double x = (static_cast<double>(o) + 0.5) / scale - 0.5;
    const double shrink = smooth == antialias::on ? std::min(scale, 1.0) : 1.0;
    const auto weight = [&](std::int64_t at) {
        const double d = std::abs((static_cast<double>(at) - x) * shrink);
        if (mode == interpolation::linear) return std::max(0.0, 1 - d);
        const double a = -0.75;
        if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
        return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0.0;
    };
    double total = 0, here = 0;
    for (std::int64_t at = -40; at < in + 40; ++at) {
        total += weight(at);
        if (std::min(std::max<std::int64_t>(at, 0), in - 1) == i) here += weight(at);
    }
    return here / total;
}

}  // namespace

TEST_CASE("linear and cubic resizing agree with sums over the whole image, amid poison",
          "[kernel][resize][every_isa]") {
    numbers next(1);
    workspace space;
    const shape from{2, 3, 5, 7};
    const std::vector<float> values = next.some(from.volume());
    for (const auto set : every_isa())
        for (const auto mode : {interpolation::linear, interpolation::cubic})
            for (const auto smooth : {antialias::off, antialias::on})
                for (const auto& [height, width] :
                     {std::pair<std::int64_t, std::int64_t>{9, 19}, {2, 3}, {5, 4}, {10, 7}}) {
                    const shape to{2, 3, height, width};
                    const double sy = static_cast<double>(height) / 5, sx = static_cast<double>(width) / 7;
                    const std::array<resize_axis, 4> axes{{{1}, {1}, {sy}, {sx}}};
                    guarded in(values, 3), out(to.volume());
                    kernel::detail::resize_weighted<float>(set, in.as(from), axes, out.as(to),
                                                           {.mode = mode, .antialias = smooth}, space);
                    CHECK(out.intact());
                    bool right = true;
                    for (std::int64_t plane = 0; plane < 6; ++plane)
                        for (std::int64_t y = 0; y < height; ++y)
                            for (std::int64_t x = 0; x < width; ++x) {
                                double sum = 0;
                                for (std::int64_t i = 0; i < 5; ++i)
                                    for (std::int64_t k = 0; k < 7; ++k)
                                        sum += weight_at(mode, smooth, sy, 5, y, i) *
                                               weight_at(mode, smooth, sx, 7, x, k) *
                                               values[static_cast<std::size_t>((plane * 5 + i) * 7 + k)];
                                right = right &&
                                        near(out.span()[static_cast<std::size_t>((plane * height + y) * width + x)],
                                             sum, 3, 8);
                            }
                    CHECK(right);
                    std::vector<float> one(to.volume() / 2);
                    kernel::detail::resize_weighted<float>(set, {in.data() + 105, from.with(0, 1)}, axes,
                                                           {one.data(), to.with(0, 1)},
                                                           {.mode = mode, .antialias = smooth}, space);
                    CHECK(same_bits(one, out.span().subspan(one.size())));
                }
}

TEST_CASE("nearest resizing copies elements of any type along any axes", "[kernel][resize]") {
    workspace space;
    tensor in(element::int16, {2, 3, 4});
    for (std::int16_t i = 0; i < 24; ++i) in.as<std::int16_t>().flat()[static_cast<std::size_t>(i)] = i;
    const auto source = in.as<std::int16_t>();
    for (const shape& to : {shape{2, 6, 8}, shape{4, 3, 4}, shape{2, 9, 4}, shape{1, 2, 3}, shape{2, 3, 4}}) {
        tensor out(element::int16, to);
        std::array<resize_axis, 3> axes;
        for (std::size_t a = 0; a < 3; ++a)
            axes[a].scale = static_cast<double>(to[a]) / static_cast<double>(in.shape()[a]);
        kernel::resize(in, axes, out,
                       {.coordinates = kernel::coordinates::asymmetric, .nearest = kernel::nearest_rounding::floor},
                       space);
        bool right = true;
        for (std::int64_t a = 0; a < to[0]; ++a)
            for (std::int64_t b = 0; b < to[1]; ++b)
                for (std::int64_t c = 0; c < to[2]; ++c)
                    right =
                        right && out.as<std::int16_t>()(a, b, c) == source(a * 2 / to[0], b * 3 / to[1], c * 4 / to[2]);
        CHECK(right);
    }
}

TEST_CASE("what lies outside the region of a crop is extrapolated; doubles keep their digits", "[kernel][resize]") {
    workspace space;
    const tensor in = tensor::of<double>({3}, {1, 2, 1 + 0x1p-40});
    tensor out(element::float64, {5});
    const std::array<resize_axis, 1> axes{{{5.0 / 3, 0.5, 1.5}}};  // at 1, 1.5, 2, 2.5, 3
    for (const auto mode : {interpolation::linear, interpolation::nearest}) {
        kernel::resize(in, axes, out,
                       {.mode = mode,
                        .coordinates = kernel::coordinates::tf_crop_and_resize,
                        .nearest = kernel::nearest_rounding::floor,
                        .extrapolation_value = 10},
                       space);
        const double between = mode == interpolation::linear ? 1.5 + 0x1p-41 : 2;
        const auto got = out.as<double>().flat();
        CHECK(got[0] == 2);
        CHECK(std::abs(got[1] - between) < 1e-15);
        CHECK(std::abs(got[2] - (1 + 0x1p-40)) < 1e-15);
        CHECK((got[3] == 10 && got[4] == 10));
    }
}

TEST_CASE("resizing refuses what does not fit", "[kernel][resize]") {
    workspace space;
    const tensor in(element::float32, {2, 3});
    tensor out(element::float32, {2, 6}), other(element::int32, {2, 6});
    const std::array<resize_axis, 1> few{};
    const std::array<resize_axis, 2> none{{{1}, {0}}}, fine{{{1}, {2}}};
    CHECK_THROWS_AS(kernel::resize(in, few, out, {}, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::resize(in, none, out, {}, space), std::invalid_argument);
    CHECK_THROWS_AS(kernel::resize(in, fine, other, {}, space), std::invalid_argument);
}
