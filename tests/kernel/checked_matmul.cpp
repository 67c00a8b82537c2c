// SPDX-License-Identifier: MIT
#include <fanfold/kernel/checked_matmul.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

struct product {
    std::int64_t m, k, n;
    std::vector<float> a, w, bias;
    kernel::packed_matrix packed;
    kernel::product_sums sums;

    product(std::int64_t rows, std::int64_t inner, std::int64_t columns, std::vector<float> x,
            std::vector<float> weights)
        : m(rows),
          k(inner),
          n(columns),
          a(std::move(x)),
          w(std::move(weights)),
          bias(static_cast<std::size_t>(n), 0.25F) {
        packed =
            kernel::packed_matrix(view<const float>(w.data(), shape{k, n}), view<const float>(bias.data(), shape{n}));
        sums = kernel::sums_of(packed.seen());
    }
    product(std::int64_t rows, std::int64_t inner, std::int64_t columns, std::mt19937& random)
        : product(rows, inner, columns, normal(random, rows * inner), normal(random, inner * columns)) {}

    static std::vector<float> normal(std::mt19937& random, std::int64_t count) {
        std::normal_distribution<float> draw;
        std::vector<float> values(static_cast<std::size_t>(count));
        for (float& value : values) value = draw(random);
        return values;
    }
    std::size_t suspicious(kernel::isa set, std::vector<float>& out, activation act = activation::none,
                           const tile_loop& tiles = {}) const {
        out.assign(static_cast<std::size_t>(m * n), NAN);
        return kernel::detail::checked_matmul(set, {a.data(), shape{m, k}}, packed.seen(), sums,
                                              {out.data(), shape{m, n}}, act, tiles);
    }
    /// Checks answers that were computed before.
    std::size_t look(kernel::isa set, std::vector<float> out, std::size_t together = 1) const {
        const kernel::detail::check_run whole{0, k};
        return kernel::detail::check_products(
            set, {a.data(), nullptr, k, static_cast<std::size_t>(m), &whole, 1, static_cast<std::size_t>(k),
                  sums.ones.data(), sums.squares.data(), sums.bias, out.data(), static_cast<std::size_t>(n),
                  static_cast<std::size_t>(n), nullptr, activation::none, together});
    }
};

float flipped(float value, unsigned bit) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (1U << bit));
}

}  // namespace

TEST_CASE("A checked product has the bits of matmul, whatever its sizes, activation and tiles",
          "[kernel][checksum][every_isa]") {
    std::mt19937 random(1);
    const tile_loop tiles = backwards(4);
    for (const kernel::isa set : every_isa())
        for (const auto [m, k, n] : {std::array<std::int64_t, 3>{1, 1, 1},
                                     {7, 5, 3},
                                     {97, 64, 17},
                                     {200, 33, 160},
                                     {3, 700, 40},
                                     {1, 1024, 1030},
                                     {5, 0, 6},
                                     {300, 300, 300}}) {
            if (sanitized && m == 300) continue;
            const product p(m, k, n, random);
            for (const activation act : {activation::none, activation::relu, activation::gelu, activation::tanh}) {
                std::vector<float> plain(static_cast<std::size_t>(m * n)), checked;
                kernel::detail::matmul(set, {p.a.data(), shape{m, k}}, p.packed.seen(), {plain.data(), shape{m, n}},
                                       act);
                CHECK(p.suspicious(set, checked, act) == 0);
                REQUIRE(std::memcmp(plain.data(), checked.data(), plain.size() * 4) == 0);
                CHECK(p.suspicious(set, checked, act, tiles) == 0);
                REQUIRE(std::memcmp(plain.data(), checked.data(), plain.size() * 4) == 0);
            }
        }
}

TEST_CASE("No clean row is suspicious: normal, rectified, positive, with outliers, tiny and huge",
          "[kernel][checksum][every_isa]") {
    std::mt19937 random(3);
    for (const kernel::isa set : every_isa())
        for (const auto [k, n] : {std::array<std::int64_t, 2>{8, 6}, {120, 84}, {576, 64}, {1024, 256}, {64, 700}})
            for (int kind = 0; kind < 7; ++kind) {
                std::vector<float> a = product::normal(random, 30 * k), w = product::normal(random, k * n);
                for (float& x : a) {
                    if (kind == 1) x = std::max(x, 0.0F);
                    if (kind == 2) x = std::abs(x) + 1;
                    if (kind == 3 && random() % 50 == 0) x *= 1e4F;
                    if (kind == 4) x *= 1e-19F;
                    if (kind == 5) x *= 1e18F;
                }
                if (kind == 6)
                    for (float& x : w) x = std::abs(x);
                const product p(30, k, n, std::move(a), std::move(w));
                std::vector<float> out;
                INFO(kind << " " << k << " " << n);
                CHECK(p.suspicious(set, out) == 0);
            }
}

TEST_CASE("A flip in an answer or a weight that moves a row by a thousandth of its size is caught",
          "[kernel][checksum][every_isa]") {
    std::mt19937 random(4);
    std::size_t tried = 0;
    for (const kernel::isa set : every_isa())
        for (const auto [k, n] : {std::array<std::int64_t, 2>{120, 84}, {576, 64}, {64, 256}}) {
            product p(8, k, n, random);
            std::vector<float> good;
            CHECK(p.suspicious(set, good) == 0);
            double size = 0;
            for (const float y : good) size += static_cast<double>(y) * static_cast<double>(y);
            size = std::sqrt(size / static_cast<double>(good.size()));
            for (int flip = 0; flip < 120; ++flip) {
                std::vector<float> bad = good;
                const std::size_t at = random() % bad.size();
                bad[at] = flipped(bad[at], random() % 32);
                const double moved = std::abs(static_cast<double>(bad[at]) - static_cast<double>(good[at]));
                if (moved < 1e-3 * size) continue;
                ++tried;
                REQUIRE(p.look(set, bad) == 1);
            }
            auto* weights = const_cast<float*>(p.packed.panels().data());
            for (int flip = 0; flip < 120; ++flip) {
                const std::size_t column = random() % static_cast<std::size_t>(n),
                                  row = random() % static_cast<std::size_t>(k);
                float& hit = weights[(column / 16 * static_cast<std::size_t>(k) + row) * 16 + column % 16];
                const float before = hit;
                hit = flipped(hit, random() % 32);
                std::vector<float> bad;
                const std::size_t found = p.suspicious(set, bad);
                std::size_t moved = 0;
                for (std::size_t i = 0; i < 8; ++i) {
                    const std::size_t at = i * static_cast<std::size_t>(n) + column;
                    moved += !(std::abs(static_cast<double>(bad[at]) - static_cast<double>(good[at])) < 1e-3 * size);
                }
                tried += moved;
                REQUIRE(found >= moved);
                hit = before;
            }
        }
    CHECK(tried > 500);
}

TEST_CASE("An answer that is no number is suspicious", "[kernel][checksum][every_isa]") {
    std::mt19937 random(5);
    const product p(4, 20, 20, random);
    std::vector<float> out;
    for (const kernel::isa set : every_isa()) {
        CHECK(p.suspicious(set, out) == 0);
        for (const float bad : {NAN, INFINITY, -INFINITY}) {
            std::vector<float> wrong = out;
            wrong[45] = bad;
            CHECK(p.look(set, wrong) == 1);
        }
    }
}

TEST_CASE("Of rows that are looked at together, each is held to its own tolerance", "[kernel][checksum][every_isa]") {
    std::mt19937 random(6);
    const std::int64_t k = 100, n = 30;
    for (const kernel::isa set : every_isa())
        for (std::size_t small = 0; small < 8; ++small) {
            std::vector<float> a = product::normal(random, 8 * k);
            for (std::size_t at = 0; at < a.size(); ++at)
                if (at / 100 != small) a[at] *= 1000;
            const product p(8, k, n, std::move(a), product::normal(random, k * n));
            std::vector<float> out;
            CHECK(p.suspicious(set, out) == 0);
            CHECK(p.look(set, out, 4) == 0);
            const auto limit_of = [&](std::size_t row) {
                double square = 0;
                for (std::size_t i = 0; i < 100; ++i)
                    square += std::pow(static_cast<double>(p.a[row * 100 + i]), 2) * double{p.sums.squares[i]};
                for (std::size_t i = 0; i < 30; ++i) square += std::pow(static_cast<double>(out[row * 30 + i]), 2);
                return kernel::detail::check_limit(100, square);
            };
            // Far too much for this row, too little for the others of its group, and more than their rounding.
            std::vector<float> wrong = out;
            wrong[small * 30 + 7] += static_cast<float>(0.75 * limit_of(small / 4 * 4 + (small + 1) % 4));
            CHECK(p.look(set, wrong, 4) == 1);
        }
}

TEST_CASE("Positions that lie in planes are checked as rows are", "[kernel][checksum][every_isa]") {
    std::mt19937 random(7);
    for (const kernel::isa set : every_isa())
        for (const auto& sizes :
             {std::array<std::int64_t, 3>{64, 25, 6}, {1, 9, 1}, {17, 50, 33}, {200, 147, 64}, {130, 2, 600}}) {
            const std::int64_t positions = sizes[0], k = sizes[1], n = sizes[2];
            const product p(positions, k, n, random);
            std::vector<float> out, in(static_cast<std::size_t>(k * (positions + 16)), NAN), planes(out);
            CHECK(p.suspicious(set, out) == 0);
            std::vector<std::ptrdiff_t> taps;
            for (std::int64_t tap = 0; tap < k; ++tap) {
                taps.push_back(tap * (positions + 16));
                for (std::int64_t at = 0; at < positions; ++at)
                    in[static_cast<std::size_t>(taps.back() + at)] = p.a[static_cast<std::size_t>(at * k + tap)];
            }
            for (std::int64_t column = 0; column < n; ++column)
                for (std::int64_t at = 0; at < positions; ++at)
                    planes.push_back(out[static_cast<std::size_t>(at * n + column)]);
            const auto look = [&](const std::vector<float>& answers) {
                const auto count = static_cast<std::size_t>(positions);
                const kernel::detail::plane_check_call call{
                    in.data(),   taps.data(),    p.sums.inner, p.sums.ones.data(), p.sums.squares.data(),
                    p.sums.bias, answers.data(), count,        p.sums.columns,     count};
                return kernel::detail::check_planes(set, call);
            };
            INFO(name_of(set) << " " << positions << " " << k << " " << n);
            CHECK(look(planes) == 0);
            for (int flip = 0; flip < 60; ++flip) {
                std::vector<float> wrong = planes, by_rows = out;
                const auto at = random() % static_cast<std::size_t>(positions);
                const auto column = random() % static_cast<std::size_t>(n);
                float& hit = wrong[column * static_cast<std::size_t>(positions) + at];
                hit = by_rows[at * static_cast<std::size_t>(n) + column] = flipped(hit, random() % 32);
                CHECK(look(wrong) == p.look(set, by_rows));
            }
        }
}
