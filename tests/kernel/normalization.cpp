// SPDX-License-Identifier: MIT
#include <fanfold/kernel/normalization.hpp>

#include <cmath>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

struct exact {
    double mean = 0, variance = 0;
};
exact moments_of(const std::vector<double>& values) {
    exact m;
    for (const double x : values) m.mean += x / static_cast<double>(values.size());
    for (const double x : values) m.variance += (x - m.mean) * (x - m.mean) / static_cast<double>(values.size());
    return m;
}
std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

TEST_CASE("layer and RMS normalization agree with a naive loop, amid poison, one row as many",
          "[kernel][norm][every_isa]") {
    numbers next(1);
    for (const auto set : every_isa())
        for (const auto& [rows, n] : {std::pair<std::int64_t, std::int64_t>{5, 37}, {1, 1}, {3, 16}, {2, 9000}}) {
            std::vector<float> values = next.some(at(rows * n));
            for (float& x : values) x = x * 3 + 5;
            guarded in(values, 3), scale(next.some(at(n)), 2), bias(next.some(at(n)), 5), out(values.size(), 1);
            guarded mean(at(rows)), inv(at(rows)), rms(values.size());
            const shape extents{rows, n};
            kernel::detail::normalize_rows(set, "", kernel::detail::centre::mean, in.as(extents), scale.span(),
                                           bias.span(), 1e-5F, out.as(extents), {mean.data(), at(rows)},
                                           {inv.data(), at(rows)});
            kernel::detail::normalize_rows(set, "", kernel::detail::centre::origin, in.as(extents), scale.span(), {},
                                           1e-5F, rms.as(extents), {}, {});
            CHECK((out.intact() && mean.intact() && inv.intact() && rms.intact()));
            bool right = true;
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::vector<double> row(values.begin() + r * n, values.begin() + (r + 1) * n);
                const exact m = moments_of(row);
                const double factor = 1 / std::sqrt(m.variance + 1e-5);
                const double root = 1 / std::sqrt(m.variance + m.mean * m.mean + 1e-5);
                right = right && near(mean.span()[at(r)], m.mean, 10) && near(inv.span()[at(r)], factor, factor, 100);
                for (std::int64_t k = 0; k < n; ++k) {
                    const double s = scale.span()[at(k)], b = bias.span()[at(k)];
                    right = right && near(out.span()[at(r * n + k)], (row[at(k)] - m.mean) * factor * s + b,
                                          10 * factor + 1, 40);
                    right = right && near(rms.span()[at(r * n + k)], row[at(k)] * root * s, 10 * root, 40);
                }
                std::vector<float> one(at(n));
                kernel::detail::normalize_rows(set, "", kernel::detail::centre::mean, {in.data() + r * n, shape{1, n}},
                                               scale.span(), bias.span(), 1e-5F, {one.data(), shape{1, n}}, {}, {});
                CHECK(same_bits(one, out.span().subspan(at(r * n), at(n))));
            }
            CHECK(right);
        }
}

TEST_CASE("group and instance normalization agree with a naive loop, with scales per channel or group",
          "[kernel][norm][every_isa]") {
    numbers next(2);
    const shape extents{3, 6, 5, 7};
    const std::vector<float> values = next.some(extents.volume());
    for (const auto set : every_isa())
        for (const std::int64_t groups : {1, 2, 3, 6})
            for (const bool per_group : {false, true}) {
                const std::vector<float> scale = next.some(per_group ? at(groups) : 6), bias = next.some(scale.size());
                guarded in(values), out(values.size());
                kernel::detail::group_norm(set, "", in.as(extents), groups, scale, bias, 1e-3F, out.as(extents));
                CHECK(out.intact());
                bool right = true;
                const std::size_t together = 6 / at(groups), block = together * 35;
                for (std::size_t start = 0; start < values.size(); start += block) {
                    const std::vector<double> part(values.begin() + static_cast<std::ptrdiff_t>(start),
                                                   values.begin() + static_cast<std::ptrdiff_t>(start + block));
                    const exact m = moments_of(part);
                    for (std::size_t i = 0; i < block; ++i) {
                        const std::size_t p = per_group ? start / block % at(groups) : (start + i) / 35 % 6;
                        const double y = (part[i] - m.mean) / std::sqrt(m.variance + 1e-3) * scale[p] + bias[p];
                        right = right && near(out.span()[start + i], y, 6, 10);
                    }
                }
                CHECK(right);
                std::vector<float> one(210);
                kernel::detail::group_norm(set, "", {in.data() + 210, shape{1, 6, 5, 7}}, groups, scale, bias, 1e-3F,
                                           {one.data(), shape{1, 6, 5, 7}});
                CHECK(same_bits(one, out.span().subspan(210, 210)));
            }
}

TEST_CASE("batch normalization agrees with its formula for planes and for channels side by side",
          "[kernel][norm][every_isa]") {
    numbers next(3);
    for (const auto set : every_isa())
        for (const shape& extents : {shape{3, 19, 3, 7}, shape{4, 37}, shape{2, 5, 1}, shape{6}}) {
            const std::size_t channels = extents.rank() == 1 ? 1 : at(extents[1]);
            std::size_t plane = 1;
            for (std::size_t axis = 2; axis < extents.rank(); ++axis) plane *= at(extents[axis]);
            const std::vector<float> values = next.some(extents.volume()), scale = next.some(channels),
                                     bias = next.some(channels), mean = next.some(channels);
            std::vector<float> variance = next.some(channels);
            for (float& v : variance) v = v * v + 0.1F;
            guarded in(values), out(values.size());
            kernel::detail::batch_norm(set, in.as(extents), scale, bias, mean, variance, 1e-5F, out.as(extents));
            CHECK(out.intact());
            bool right = true;
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::size_t c = i / plane % channels;
                const double y =
                    (double{values[i]} - mean[c]) / std::sqrt(double{variance[c]} + 1e-5) * scale[c] + bias[c];
                right = right && near(out.span()[i], y, 8);
            }
            CHECK(right);
        }
}

TEST_CASE("mean-variance normalization goes over any axes", "[kernel][norm][every_isa]") {
    const shape extents{2, 3, 5, 4};
    const std::vector<float> values = numbers(4).some(extents.volume());
    workspace space;
    for (const auto set : every_isa())
        for (const std::vector<std::int64_t>& axes :
             {std::vector<std::int64_t>{0, 2, 3}, {1}, {3}, {0, 1, 2, 3}, {2, 1}}) {
            guarded in(values), out(values.size());
            kernel::detail::mean_variance_normalization(set, in.as(extents), axes, out.as(extents), space);
            CHECK(out.intact());
            const auto key = [&](std::size_t i) {  // what names the elements that share a mean
                std::array<std::size_t, 4> index{i / 60, i / 20 % 3, i / 4 % 5, i % 4};
                for (const std::int64_t axis : axes) index[at(axis)] = 0;
                return index;
            };
            bool right = true;
            for (std::size_t i = 0; i < values.size(); ++i) {
                std::vector<double> with;
                for (std::size_t j = 0; j < values.size(); ++j)
                    if (key(i) == key(j)) with.push_back(values[j]);
                const exact m = moments_of(with);
                right = right && near(out.span()[i], (values[i] - m.mean) / (std::sqrt(m.variance) + 1e-9), 20, 20);
            }
            CHECK(right);
        }
}

TEST_CASE("local response and p-norm normalization agree with naive loops", "[kernel][norm]") {
    const shape extents{2, 7, 3, 7};
    const std::vector<float> values = numbers(5).some(extents.volume());
    const auto value = [&](std::int64_t n, std::int64_t c, std::int64_t i) {
        return double{values[at((n * 7 + c) * 21 + i)]};
    };
    for (const float beta : {0.75F, 0.5F, 1.0F, 0.6F})
        for (const std::int64_t size : {1, 2, 3, 5, 20}) {
            guarded in(values), out(values.size());
            kernel::lrn(in.as(extents), size, 0.3F, beta, 1.5F, out.as(extents));
            CHECK(out.intact());
            bool right = true;
            for (std::int64_t n = 0; n < 2; ++n)
                for (std::int64_t c = 0; c < 7; ++c)
                    for (std::int64_t i = 0; i < 21; ++i) {
                        double squares = 0;
                        for (std::int64_t o = 0; o < 7; ++o)
                            if (o >= c - (size - 1) / 2 && o <= c + size / 2)
                                squares += value(n, o, i) * value(n, o, i);
                        const double base = 1.5 + double{0.3F} / static_cast<double>(size) * squares;
                        right = right && near(out.span()[at((n * 7 + c) * 21 + i)],
                                              value(n, c, i) / std::pow(base, double{beta}), 1);
                    }
            CHECK(right);
        }
    for (std::size_t axis = 0; axis < 4; ++axis)
        for (const int p : {1, 2}) {
            guarded in(values), out(values.size());
            kernel::lp_normalization(in.as(extents), axis, p, out.as(extents));
            CHECK(out.intact());
            bool right = true;
            const auto steps = dense_strides(extents);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const std::size_t step = at(steps[axis]), n = at(extents[axis]);
                const std::size_t start = i - i / step % n * step;
                double total = 0;
                for (std::size_t k = 0; k < n; ++k) total += std::pow(std::abs(double{values[start + k * step]}), p);
                right = right && near(out.span()[i], values[i] / std::pow(total, 1.0 / p), 1);
            }
            CHECK(right);
        }
    std::vector<float> nothing(5, 0.0F);
    kernel::lp_normalization({nothing.data(), shape{5}}, 0, 2, {nothing.data(), shape{5}});
    CHECK(nothing == std::vector<float>(5, 0.0F));
}

TEST_CASE("normalizations refuse parameters of the wrong length", "[kernel][norm]") {
    std::vector<float> a(12), b(12), s(4), t(3);
    CHECK_THROWS_AS(kernel::layer_norm({a.data(), shape{3, 4}}, t, {}, 0, {b.data(), shape{3, 4}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::rms_norm({a.data(), shape{3, 4}}, s, 0, {b.data(), shape{4, 3}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::group_norm({a.data(), shape{3, 4}}, 3, s, s, 0, {b.data(), shape{3, 4}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::instance_norm({a.data(), shape{3, 4}}, t, t, 0, {b.data(), shape{3, 4}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(kernel::batch_norm({a.data(), shape{3, 4}}, s, s, t, s, 0, {b.data(), shape{3, 4}}),
                    std::invalid_argument);
    kernel::instance_norm({nullptr, shape{0, 4, 2}}, s, s, 0, {nullptr, shape{0, 4, 2}});
}
