// SPDX-License-Identifier: MIT
#include <fanfold/kernel/softmax.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("softmax along any axis agrees with a naive loop, amid poison", "[kernel][softmax][every_isa]") {
    numbers next(4);
    for (const auto set : every_isa())
        for (const shape& extents : {shape{7, 10}, shape{3, 16, 5}, shape{2, 33, 1, 17}, shape{1, 1}, shape{70},
                                     shape{4, 1000}, shape{2, 3, 4, 5}})
            for (std::size_t axis = 0; axis < extents.rank(); ++axis) {
                INFO(kernel::name_of(set) << " " << extents.text() << " axis " << axis);
                std::vector<float> values = next.some(extents.volume());
                for (float& x : values) x *= 30;
                guarded in(values, 3), out(values.size(), 2);
                kernel::detail::softmax(set, in.as(extents), axis, out.as(extents));
                CHECK(out.intact());
                const auto n = static_cast<std::size_t>(extents[axis]);
                std::size_t inner = 1;
                for (std::size_t a = axis + 1; a < extents.rank(); ++a) inner *= static_cast<std::size_t>(extents[a]);
                bool right = true;
                for (std::size_t start = 0; start < values.size(); ++start) {
                    if (start / inner % n != 0) continue;
                    double most = values[start], sum = 0;
                    for (std::size_t k = 0; k < n; ++k) most = std::max<double>(most, values[start + k * inner]);
                    for (std::size_t k = 0; k < n; ++k) sum += std::exp(values[start + k * inner] - most);
                    for (std::size_t k = 0; k < n; ++k) {
                        const double exact = std::exp(values[start + k * inner] - most) / sum;
                        right = right && near(out.span()[start + k * inner], exact, exact, 40);
                    }
                }
                CHECK(right);
                kernel::detail::softmax(set, in.as(extents), axis, in.as(extents));  // in place
                CHECK(same_bits(in.span(), out.span()));
            }
}

TEST_CASE("a row's bits depend neither on other rows nor on the axis it lies along", "[kernel][softmax][every_isa]") {
    const std::int64_t rows = 37, n = 45;
    const std::vector<float> values = numbers(6).some(static_cast<std::size_t>(rows * n));
    std::vector<float> turned(values.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < n; ++k)
            turned[static_cast<std::size_t>(k * rows + r)] = values[static_cast<std::size_t>(r * n + k)];
    for (const auto set : every_isa()) {
        std::vector<float> whole(values.size()), across(values.size()), one(static_cast<std::size_t>(n));
        kernel::detail::softmax(set, {values.data(), shape{rows, n}}, 1, {whole.data(), shape{rows, n}});
        kernel::detail::softmax(set, {turned.data(), shape{n, rows}}, 0, {across.data(), shape{n, rows}});
        for (std::int64_t r = 0; r < rows; ++r) {
            kernel::detail::softmax(set, {values.data() + r * n, shape{n}}, 0, {one.data(), shape{n}});
            CHECK(same_bits(one, std::span<const float>(whole).subspan(static_cast<std::size_t>(r * n), one.size())));
            bool equal = true;
            for (std::int64_t k = 0; k < n; ++k)
                equal = equal &&
                        same_bits(across[static_cast<std::size_t>(k * rows + r)], one[static_cast<std::size_t>(k)]);
            CHECK(equal);
        }
    }
}

TEST_CASE("an appended -infinity changes nothing", "[kernel][softmax][every_isa]") {
    std::vector<float> values = numbers(8).some(60);
    for (const auto set : every_isa())
        for (std::size_t n = 1; n < 40; ++n) {
            std::vector<float> masked(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
            std::vector<float> a(n), b(n + 20);
            kernel::detail::softmax(set, view<const float>(std::span<const float>(masked)), 0,
                                    view<float>(std::span(a)));
            masked.resize(n + 20, -std::numeric_limits<float>::infinity());
            kernel::detail::softmax(set, view<const float>(std::span<const float>(masked)), 0,
                                    view<float>(std::span(b)));
            REQUIRE(same_bits(a, std::span<const float>(b).first(n)));
            REQUIRE(same_bits(std::span<const float>(b).subspan(n), std::vector<float>(20, 0.0F)));
        }
}

TEST_CASE("large inputs do not overflow; NaN, +infinity and nothing but -infinity give NaN",
          "[kernel][softmax][every_isa]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    for (const auto set : every_isa())
        for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
            const auto run = [&](std::vector<float> row) {
                const auto n = static_cast<std::int64_t>(row.size());
                const shape extents = axis == 0 ? shape{n, 1} : shape{1, n};
                kernel::detail::softmax(set, {row.data(), extents}, axis, {row.data(), extents});
                return row;
            };
            CHECK(run({3e38F, 3e38F}) == std::vector<float>{0.5F, 0.5F});
            CHECK(run({-3e38F, 3e38F}) == std::vector<float>{0, 1});
            CHECK(run({-inf, 5}) == std::vector<float>{0, 1});
            for (const float x : run({1, nan, 2})) CHECK(std::isnan(x));
            for (const float x : run({1, inf, 2})) CHECK(std::isnan(x));
            for (const float x : run({-inf, -inf})) CHECK(std::isnan(x));
        }
}

TEST_CASE("softmax refuses a wrong axis, shape or strides, and accepts nothing", "[kernel][softmax]") {
    std::vector<float> a(12), b(12);
    CHECK_THROWS_AS(kernel::softmax({a.data(), shape{3, 4}}, 2, {b.data(), shape{3, 4}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::softmax({a.data(), shape{3, 4}}, 1, {b.data(), shape{4, 3}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::softmax({a.data(), shape{3, 4}, strides{1, 3}}, 1, {b.data(), shape{3, 4}}),
                    std::invalid_argument);
    kernel::softmax({nullptr, shape{0, 4}}, 1, {nullptr, shape{0, 4}});
    kernel::softmax({nullptr, shape{4, 0}}, 1, {nullptr, shape{4, 0}});
}

TEST_CASE("avx2 and avx512 softmax agree in every bit", "[kernel][softmax]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const shape extents{9, 50, 21};
        const std::vector<float> in = numbers(axis).some(extents.volume());
        std::vector<float> a(in.size()), b(in.size());
        kernel::detail::softmax(kernel::isa::avx2, {in.data(), extents}, axis, {a.data(), extents});
        kernel::detail::softmax(kernel::isa::avx512, {in.data(), extents}, axis, {b.data(), extents});
        CHECK(same_bits(a, b));
    }
}
