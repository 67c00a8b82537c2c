// SPDX-License-Identifier: MIT
#include <fanfold/kernel/pooling.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::padding_counts;
using kernel::window2d;

namespace {

struct expected {
    double greatest, mean, mean_with_padding;
    bool nan;
};

expected naive(const view<const float>& in, const window2d& w, std::int64_t n, std::int64_t c, std::int64_t y,
               std::int64_t x) {
    expected e{-std::numeric_limits<double>::infinity(), 0, 0, false};
    std::int64_t inside = 0, padded = 0;
    for (std::int64_t ky = 0; ky < w.size[0]; ++ky)
        for (std::int64_t kx = 0; kx < w.size[1]; ++kx) {
            const std::int64_t v = y * w.stride[0] + ky * w.dilation[0] - w.padding[0];
            const std::int64_t u = x * w.stride[1] + kx * w.dilation[1] - w.padding[1];
            if (v < in.extent(2) + w.padding[2] && u < in.extent(3) + w.padding[3]) ++padded;
            if (v < 0 || v >= in.extent(2) || u < 0 || u >= in.extent(3)) continue;
            ++inside;
            const double value = in(n, c, v, u);
            e.nan = e.nan || value != value;
            e.greatest = std::max(e.greatest, value);
            e.mean += value;
        }
    e.mean_with_padding = e.mean / static_cast<double>(padded);
    e.mean /= static_cast<double>(inside);
    return e;
}

const std::pair<shape, window2d> cases[] = {
    {{2, 6, 28, 28}, {.size = {2, 2}, .stride = {2, 2}}},  // LeNet
    {{2, 16, 10, 10}, {.size = {2, 2}, .stride = {2, 2}}},
    {{1, 2, 7, 71}, {.size = {2, 2}, .stride = {2, 2}}},
    {{1, 2, 7, 71}, {.size = {2, 2}, .stride = {2, 2}, .rounding = window2d::rounding::ceil}},
    {{1, 3, 9, 40}, {.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}}},
    {{1, 3, 8, 37}, {.size = {3, 3}, .stride = {2, 2}, .padding = {0, 1, 1, 0}, .rounding = window2d::rounding::ceil}},
    {{2, 1, 12, 35}, {.size = {3, 2}}},
    {{2, 1, 12, 35}, {.size = {3, 5}, .padding = {2, 4, 1, 3}}},
    {{1, 2, 15, 33}, {.size = {2, 3}, .stride = {1, 2}, .dilation = {3, 2}, .padding = {1, 2, 2, 1}}},
    {{1, 2, 15, 33}, {.size = {4, 4}, .stride = {3, 3}, .padding = {1, 1, 1, 1}, .rounding = window2d::rounding::ceil}},
    {{1, 1, 1, 1}, {}},
    {{1, 1, 3, 4},
     {.stride = {std::int64_t{1} << 62, std::int64_t{1} << 62},
      .dilation = {std::int64_t{1} << 62, std::int64_t{1} << 62}}},
    {{1, 1, 5, 5}, {.size = {5, 5}}},
    {{3, 1, 4, 4}, {.size = {1, 1}, .stride = {3, 3}, .rounding = window2d::rounding::ceil}},
    {{0, 3, 4, 4}, {.size = {2, 2}}},
};

}  // namespace

TEST_CASE("pooling agrees with a naive loop for all windows, amid poison", "[kernel][pooling][every_isa]") {
    numbers next(5);
    for (const auto set : every_isa())
        for (const auto& [extents, w] : cases) {
            const shape out_shape = kernel::pooled_shape(extents, w);
            INFO(kernel::name_of(set) << " " << extents.text() << " to " << out_shape.text());
            guarded in(next.some(extents.volume()), 3);
            guarded most(out_shape.volume()), mean(out_shape.volume(), 2), padded(out_shape.volume(), 5);
            kernel::detail::max_pool2d(set, in.as(extents), w, most.as(out_shape));
            kernel::detail::average_pool2d(set, in.as(extents), w, mean.as(out_shape), padding_counts::no);
            kernel::detail::average_pool2d(set, in.as(extents), w, padded.as(out_shape), padding_counts::yes);
            CHECK((most.intact() && mean.intact() && padded.intact()));
            bool right = true;
            for (std::int64_t n = 0; n < out_shape[0]; ++n)
                for (std::int64_t c = 0; c < out_shape[1]; ++c)
                    for (std::int64_t y = 0; y < out_shape[2]; ++y)
                        for (std::int64_t x = 0; x < out_shape[3]; ++x) {
                            const expected e = naive(in.as(extents), w, n, c, y, x);
                            right = right && most.as(out_shape)(n, c, y, x) == static_cast<float>(e.greatest) &&
                                    near(mean.as(out_shape)(n, c, y, x), e.mean, 1) &&
                                    near(padded.as(out_shape)(n, c, y, x), e.mean_with_padding, 1);
                        }
            CHECK(right);
        }
}

TEST_CASE("a NaN reaches exactly the windows that contain it", "[kernel][pooling][every_isa]") {
    const shape extents{1, 1, 9, 40};
    for (const auto set : every_isa())
        for (const window2d& w : {window2d{.size = {2, 2}, .stride = {2, 2}}, window2d{.size = {3, 3}},
                                  window2d{.size = {3, 3}, .stride = {2, 2}, .padding = {1, 1, 1, 1}},
                                  window2d{.size = {3, 3}, .stride = {3, 3}, .padding = {1, 1, 1, 1}}})
            for (std::size_t where = 0; where < extents.volume(); where += 7) {
                std::vector<float> values = numbers(9).some(extents.volume());
                values[where] = std::numeric_limits<float>::quiet_NaN();
                guarded in(values);
                const shape out_shape = kernel::pooled_shape(extents, w);
                guarded out(out_shape.volume());
                kernel::detail::max_pool2d(set, in.as(extents), w, out.as(out_shape));
                bool right = true;
                for (std::int64_t y = 0; y < out_shape[2]; ++y)
                    for (std::int64_t x = 0; x < out_shape[3]; ++x)
                        right = right &&
                                std::isnan(out.as(out_shape)(0, 0, y, x)) == naive(in.as(extents), w, 0, 0, y, x).nan;
                REQUIRE(right);
            }
}

TEST_CASE("rounding up keeps a partial last window unless it starts behind the image", "[kernel][pooling]") {
    const auto width = [](std::int64_t extent, std::int64_t size, std::int64_t stride, std::int64_t before,
                          std::int64_t after, enum window2d::rounding rounding) {
        return kernel::pooled_shape(
            {1, 1, 8, extent},
            {.size = {1, size}, .stride = {1, stride}, .padding = {0, before, 0, after}, .rounding = rounding})[3];
    };
    CHECK(width(5, 2, 2, 0, 0, window2d::rounding::floor) == 2);
    CHECK(width(5, 2, 2, 0, 0, window2d::rounding::ceil) == 3);
    CHECK(width(4, 2, 2, 0, 0, window2d::rounding::ceil) == 2);
    CHECK(width(4, 3, 2, 0, 1, window2d::rounding::ceil) == 2);
    CHECK(width(4, 2, 3, 1, 1, window2d::rounding::ceil) == 2);
    CHECK(width(2, 2, 3, 1, 1, window2d::rounding::ceil) == 1);  // a second one would start in the padding behind
    CHECK(width(4, 1, 3, 0, 0, window2d::rounding::ceil) == 2);
}

TEST_CASE("garbage windows are refused", "[kernel][pooling]") {
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max(), low = std::numeric_limits<std::int64_t>::min();
    const shape in{1, 1, 8, 8};
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-3}, low}) {
        CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.size = {bad, 1}}), std::invalid_argument);
        CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.stride = {1, bad}}), std::invalid_argument);
        CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.dilation = {1, bad}}), std::invalid_argument);
    }
    for (const std::int64_t bad : {std::int64_t{-1}, low, huge, std::int64_t{2}})
        for (std::size_t side = 0; side < 4; ++side) {
            window2d w{.size = {2, 2}};
            w.padding[side] = bad;
            CHECK_THROWS_AS(kernel::pooled_shape(in, w), std::invalid_argument);
        }
    CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.size = {9, 1}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.size = {huge, huge}, .dilation = {huge, huge}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape(in, window2d{.stride = {huge, 1}, .padding = {0, 0, huge, 0}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape({8, 8}, window2d{}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape({1, 1, 0, 8}, window2d{}), std::invalid_argument);
    std::vector<float> a(64), b(64);
    CHECK_THROWS_AS(kernel::max_pool2d({a.data(), in}, {.size = {2, 2}}, {b.data(), in}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::max_pool2d({a.data(), in, {64, 64, 1, 8}}, {}, {b.data(), in}), std::invalid_argument);
}

TEST_CASE("a window far beyond the image takes no longer than the image", "[kernel][pooling][every_isa]") {
    constexpr std::int64_t huge = std::int64_t{1} << 40, half = huge / 2;
    const shape in{1, 2, 4, 6};
    const std::vector<float> x = numbers(5).some(in.volume());
    double sum = 0, largest = x[0];
    for (std::size_t i = 0; i < 24; ++i) {
        sum += x[i];
        largest = std::max(largest, static_cast<double>(x[i]));
    }
    for (const auto set : every_isa())
        for (const std::int64_t stride : {1, 3}) {
            const window2d w{
                .size = {huge, huge}, .stride = {stride, stride}, .padding = {half, half, half - 2, half - 4}};
            const shape extents = kernel::pooled_shape(in, w);
            CHECK(extents == (stride == 1 ? shape{1, 2, 3, 3} : shape{1, 2, 1, 1}));
            guarded from(x);
            guarded greatest(extents.volume()), mean(extents.volume()), with_padding(extents.volume());
            kernel::detail::max_pool2d(set, from.as(in), w, greatest.as(extents));
            kernel::detail::average_pool2d(set, from.as(in), w, mean.as(extents), padding_counts::no);
            kernel::detail::average_pool2d(set, from.as(in), w, with_padding.as(extents), padding_counts::yes);
            for (std::size_t at = 0; at < extents.volume() / 2; ++at) {  // each window covers all of the first plane
                CHECK(greatest.span()[at] == static_cast<float>(largest));
                CHECK(near(mean.span()[at], sum / 24, 1));
                CHECK(std::abs(static_cast<double>(with_padding.span()[at]) / (sum * 0x1p-80) - 1) < 1e-6);
            }
        }
}

TEST_CASE("taps as far apart as numbers reach are counted right", "[kernel][pooling][every_isa]") {
    constexpr std::int64_t far = (std::int64_t{1} << 62) - 100;
    const window2d w{.size = {3, 1}, .dilation = {far, 1}, .padding = {2 * far, 0, 0, 0}};
    const shape in{1, 1, 2, 1};
    CHECK(kernel::pooled_shape(in, w) == shape{1, 1, 2, 1});
    for (const auto set : every_isa()) {
        guarded from(std::vector<float>{1, 2}), out(2);
        kernel::detail::max_pool2d(set, from.as(in), w, out.as(in));
        CHECK(out.span()[0] == 1);
        CHECK(out.span()[1] == 2);
    }
}

TEST_CASE("global average pooling takes the mean of each channel, for any number of axes",
          "[kernel][pooling][every_isa]") {
    numbers next(2);
    for (const auto set : every_isa())
        for (const shape& extents : {shape{3, 5, 7, 7}, shape{2, 3, 1}, shape{2, 2, 100}, shape{1, 4, 3, 5, 11}}) {
            guarded in(next.some(extents.volume()), 1);
            shape out_shape = extents;
            for (std::size_t axis = 2; axis < extents.rank(); ++axis) out_shape = out_shape.with(axis, 1);
            guarded out(out_shape.volume());
            kernel::detail::global_average_pool2d(set, in.as(extents), out.as(out_shape));
            CHECK(out.intact());
            const std::size_t size = extents.volume() / out_shape.volume();
            for (std::size_t plane = 0; plane < out_shape.volume(); ++plane) {
                double sum = 0;
                for (const float x : in.span().subspan(plane * size, size)) sum += x;
                CHECK(near(out.span()[plane], sum / static_cast<double>(size), 1));
            }
        }
    std::vector<float> a(24), b(24);
    CHECK_THROWS_AS(kernel::global_average_pool2d({a.data(), shape{2, 3, 4}}, {b.data(), shape{2, 3}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::global_average_pool2d({a.data(), shape{2, 3, 0}}, {b.data(), shape{2, 3, 1}}),
                    std::invalid_argument);
}

TEST_CASE("avx2 and avx512 pooling agree in every bit", "[kernel][pooling]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    numbers next(8);
    for (const auto& c : cases) {
        const shape& extents = c.first;
        const window2d& w = c.second;
        const std::vector<float> in = next.some(extents.volume());
        const shape out_shape = kernel::pooled_shape(extents, w);
        std::vector<float> a(out_shape.volume()), b(a.size());
        const auto run = [&](kernel::isa set, std::vector<float>& out, int which) {
            const view<float> to(out.data(), out_shape);
            if (which == 0) kernel::detail::max_pool2d(set, {in.data(), extents}, w, to);
            if (which == 1) kernel::detail::average_pool2d(set, {in.data(), extents}, w, to, padding_counts::no);
            if (which == 2) kernel::detail::average_pool2d(set, {in.data(), extents}, w, to, padding_counts::yes);
        };
        for (int which = 0; which < 3; ++which) {
            run(kernel::isa::avx2, a, which);
            run(kernel::isa::avx512, b, which);
            CHECK(same_bits(a, b));
        }
    }
}
