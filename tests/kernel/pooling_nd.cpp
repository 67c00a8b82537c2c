// SPDX-License-Identifier: MIT
#include <fanfold/kernel/pooling_nd.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::window_nd;

namespace {

struct pooled {
    double greatest = 0, sum = 0, squares = 0;
    std::int64_t place = -1, inside = 0, counted = 0;
};

/// One window, tap by tap; extents of images with fewer axes stand behind ones.
pooled window_of(const std::vector<float>& in, const std::array<std::int64_t, 3>& image, const window_nd& w,
                 std::size_t axes, std::int64_t plane, std::array<std::int64_t, 3> at) {
    pooled found;
    std::array<std::int64_t, 3> size{1, 1, 1};
    for (std::size_t a = 0; a < axes; ++a) size[a + 3 - axes] = w.size[a];
    for (std::int64_t i = 0; i < size[0]; ++i)
        for (std::int64_t j = 0; j < size[1]; ++j)
            for (std::int64_t k = 0; k < size[2]; ++k) {
                const std::array<std::int64_t, 3> tap{i, j, k};
                bool inside = true, counted = true;
                std::int64_t offset = 0;
                for (std::size_t b = 0; b < 3; ++b) {
                    std::int64_t p = 0, after = 0;
                    if (b + axes >= 3) {
                        const std::size_t a = b + axes - 3;
                        p = at[b] * w.stride[a] - w.before[a] + tap[b] * w.dilation[a];
                        after = w.after[a];
                    }
                    inside = inside && p >= 0 && p < image[b];
                    counted = counted && p < image[b] + after;
                    offset = offset * image[b] + p;
                }
                found.counted += counted ? 1 : 0;
                if (!inside) continue;
                const double x = in[static_cast<std::size_t>(plane * image[0] * image[1] * image[2] + offset)];
                if (found.inside == 0 || x > found.greatest) {
                    found.greatest = x;
                    found.place = offset;
                }
                found.sum += x;
                found.squares += x * x;
                ++found.inside;
            }
    return found;
}

}  // namespace

TEST_CASE("pooling over one to three axes agrees with naive loops, amid poison", "[kernel][pooling]") {
    numbers next(1);
    const auto ceil = kernel::window2d::rounding::ceil;
    for (const auto& [extents, w] :
         {std::pair<shape, window_nd>{{2, 3, 17}, {.size = {3}, .stride = {2}, .before = {1}, .after = {2}}},
          {{2, 2, 7, 9},
           {.size = {2, 3}, .stride = {2, 1}, .dilation = {2, 2}, .before = {1, 0}, .after = {1, 3}, .rounding = ceil}},
          {{2, 2, 5, 6, 7},
           {.size = {2, 3, 2}, .stride = {1, 2, 3}, .before = {0, 2, 1}, .after = {1, 1, 0}, .rounding = ceil}},
          {{1, 3, 4, 5, 3}, {.size = {2, 1, 2}, .stride = {2, 2, 2}, .dilation = {2, 1, 1}}}}) {
        const std::size_t axes = extents.rank() - 2;
        const shape to = kernel::pooled_shape(extents, w);
        const std::vector<float> values = next.some(extents.volume());
        guarded in(values, 3), most(to.volume()), marked(to.volume()), mean(to.volume()), all(to.volume()),
            norm(to.volume());
        std::vector<std::int64_t> places(to.volume()), turned(to.volume());
        const view<const float> x = in.as(extents);
        kernel::max_pool(x, w, most.as(to));
        kernel::max_pool(x, w, marked.as(to), {places.data(), to});
        kernel::max_pool(x, w, marked.as(to), {turned.data(), to}, kernel::storage_order::column_major);
        kernel::average_pool(x, w, mean.as(to));
        kernel::average_pool(x, w, all.as(to), kernel::padding_counts::yes);
        kernel::lp_pool(x, w, 2, norm.as(to));
        CHECK((most.intact() && marked.intact() && mean.intact() && all.intact() && norm.intact()));
        CHECK(same_bits(most.span(), marked.span()));
        std::array<std::int64_t, 3> image{1, 1, 1}, answer{1, 1, 1};
        for (std::size_t a = 0; a < axes; ++a) {
            image[a + 3 - axes] = extents[a + 2];
            answer[a + 3 - axes] = to[a + 2];
        }
        bool right = true;
        std::size_t i = 0;
        for (std::int64_t plane = 0; plane < extents[0] * extents[1]; ++plane)
            for (std::int64_t z = 0; z < answer[0]; ++z)
                for (std::int64_t y = 0; y < answer[1]; ++y)
                    for (std::int64_t xx = 0; xx < answer[2]; ++xx, ++i) {
                        const pooled p = window_of(values, image, w, axes, plane, {z, y, xx});
                        const std::int64_t base = plane * image[0] * image[1] * image[2];
                        const std::int64_t a = p.place / image[2] / image[1], b = p.place / image[2] % image[1],
                                           c = p.place % image[2];
                        right = right && double{most.span()[i]} == p.greatest && places[i] == base + p.place &&
                                turned[i] == base + (c * image[1] + b) * image[0] + a &&
                                near(mean.span()[i], p.sum / static_cast<double>(p.inside), 1) &&
                                near(all.span()[i], p.sum / static_cast<double>(p.counted), 1) &&
                                near(norm.span()[i], std::sqrt(p.squares), 4);
                    }
        CHECK(right);
        const shape one_in = extents.with(0, 1), one_out = to.with(0, 1);
        std::vector<float> one(one_out.volume());
        kernel::average_pool<float>({in.data() + (extents.volume() - one_in.volume()), one_in}, w,
                                    {one.data(), one_out});
        CHECK(same_bits(one, mean.span().subspan(to.volume() - one.size())));
        // Every other type that the operators have.
        std::vector<double> wide(values.begin(), values.end()), wide_mean(to.volume());
        kernel::average_pool<double>({wide.data(), extents}, w, {wide_mean.data(), to});
        std::vector<std::int8_t> bytes(values.size()), best(to.volume());
        for (std::size_t k = 0; k < values.size(); ++k) bytes[k] = static_cast<std::int8_t>(values[k] * 127);
        kernel::max_pool<std::int8_t>({bytes.data(), extents}, w, {best.data(), to});
        bool agree = true;
        for (std::size_t k = 0; k < best.size(); ++k)
            agree = agree && best[k] == static_cast<std::int8_t>(most.span()[k] * 127) &&
                    near(mean.span()[k], wide_mean[k], 1);
        CHECK(agree);
    }
}

TEST_CASE("global pooling takes whole channels", "[kernel][pooling]") {
    const std::vector<float> values = numbers(2).some(2 * 3 * 35);
    std::vector<float> most(6), norm(6), cubes(6);
    const view<const float> in(values.data(), {2, 3, 5, 7});
    kernel::global_max_pool<float>(in, {most.data(), {2, 3, 1, 1}});
    kernel::global_lp_pool<float>(in, 2, {norm.data(), {2, 3, 1, 1}});
    kernel::global_lp_pool<float>(in, 3, {cubes.data(), {2, 3, 1, 1}});
    for (std::size_t c = 0; c < 6; ++c) {
        double best = -2, squares = 0, third = 0;
        for (std::size_t i = c * 35; i < c * 35 + 35; ++i) {
            best = std::max<double>(best, values[i]);
            squares += double{values[i]} * values[i];
            third += std::pow(std::abs(double{values[i]}), 3);
        }
        CHECK(double{most[c]} == best);
        CHECK(near(norm[c], std::sqrt(squares), 4));
        CHECK(near(cubes[c], std::cbrt(third), 4));
    }
    CHECK_THROWS_AS(kernel::global_max_pool<float>(in, {most.data(), {2, 3, 1, 2}}), std::invalid_argument);
}

TEST_CASE("unpooling puts elements where they came from, also into a larger image", "[kernel][pooling]") {
    const std::vector<float> values{1, 2, 3, 4};
    const std::vector<std::int64_t> places{5, 7, 13, 15};
    const view<const float> in(values.data(), {1, 1, 2, 2});
    const view<const std::int64_t> at(places.data(), {1, 1, 2, 2});
    std::vector<float> same(16, 9.0F), larger(25, 9.0F);
    kernel::max_unpool<float>(in, at, {1, 1, 4, 4}, {same.data(), {1, 1, 4, 4}});
    CHECK(same == std::vector<float>{0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4});
    kernel::max_unpool<float>(in, at, {1, 1, 4, 4}, {larger.data(), {1, 1, 5, 5}});
    CHECK(larger == std::vector<float>{0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0, 0});
    CHECK_THROWS_AS(kernel::max_unpool<float>(in, at, {1, 1, 3, 5}, {larger.data(), {1, 1, 5, 5}}),
                    std::invalid_argument);
}

TEST_CASE("pooling refuses windows and shapes that do not fit", "[kernel][pooling]") {
    CHECK_THROWS_AS(kernel::pooled_shape({1, 1}, window_nd{}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape({1, 1, 4}, window_nd{.size = {6}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::pooled_shape({1, 1, 4}, window_nd{.size = {2}, .before = {2}}), std::invalid_argument);
    std::vector<double> a(8), b(8);
    CHECK_THROWS_AS(kernel::lp_pool<double>({a.data(), {1, 1, 8}}, {.size = {2}}, 0, {b.data(), {1, 1, 7}}),
                    std::invalid_argument);
}
