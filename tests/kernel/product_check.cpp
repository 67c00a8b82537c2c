// SPDX-License-Identifier: MIT
#include <fanfold/kernel/product_check.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

std::vector<float> normal(std::mt19937& random, std::size_t count) {
    std::normal_distribution<float> draw;
    std::vector<float> values(count);
    for (float& value : values) value = draw(random);
    return values;
}

/// Rows of products with weights [inner, columns] in panels of 16; inputs lie in runs, amid what must not be read.
struct product {
    static constexpr std::size_t rows = 9, inner = 23, columns = 37, out_step = 41;
    std::vector<float> weights, panels, in, out, addend;
    std::vector<std::ptrdiff_t> at;
    std::vector<kernel::detail::check_run> runs{{2, 5}, {11, 1}, {20, 17}};
    std::vector<double> added;
    kernel::product_sums sums;

    explicit product(unsigned seed) {
        std::mt19937 random(seed);
        weights = normal(random, inner * columns);
        const std::vector<float> bias = normal(random, columns);
        panels.assign(48 * inner, 0.0F);
        for (std::size_t k = 0; k < inner; ++k)
            for (std::size_t n = 0; n < columns; ++n)
                panels[n / 16 * inner * 16 + k * 16 + n % 16] = weights[k * columns + n];
        sums = kernel::product_sums::of(panels.data(), inner, columns, bias);
        in.assign(rows * 50, std::numeric_limits<float>::quiet_NaN());
        out.assign(rows * out_step, std::numeric_limits<float>::quiet_NaN());
        addend = normal(random, rows * columns);
        for (std::size_t row = 0; row < rows; ++row) {
            at.push_back(static_cast<std::ptrdiff_t>((row * 4 % rows) * 50));  // in another order than the answers
            std::vector<float> x;
            for (const kernel::detail::check_run& run : runs)
                for (std::ptrdiff_t i = 0; i < run.length; ++i) {
                    x.push_back(normal(random, 1)[0]);
                    in[static_cast<std::size_t>(at[row] + run.from + i)] = x.back();
                }
            for (std::size_t n = 0; n < columns; ++n) {
                double y = static_cast<double>(bias[n]) + static_cast<double>(addend[row * columns + n]);
                for (std::size_t k = 0; k < inner; ++k)
                    y += static_cast<double>(x[k]) * static_cast<double>(weights[k * columns + n]);
                out[row * out_step + n] = static_cast<float>(y);
            }
        }
        added.resize(2 * rows);
    }
    std::size_t suspicious(kernel::isa set, std::size_t group) {
        kernel::detail::addend_sums(set, addend.data(), columns, rows, columns, added.data());
        std::vector<float> answers = out;  // the activation is done in place
        return kernel::detail::check_products(
            set, {in.data(), at.data(), 0, rows, runs.data(), runs.size(), inner, sums.ones.data(), sums.squares.data(),
                  sums.bias, answers.data(), out_step, columns, added.data(), kernel::activation::none, group});
    }
};

}  // namespace

TEST_CASE("The sums are those of a naive loop in double", "[kernel][checksum]") {
    const product p(2);
    for (std::size_t k = 0; k < product::inner; ++k) {
        double ones = 0, squares = 0;
        for (std::size_t n = 0; n < product::columns; ++n) {
            const double w = p.weights[k * product::columns + n];
            ones += w;
            squares += w * w;
        }
        CHECK(p.sums.ones[k] == Approx(ones).epsilon(1e-12));
        CHECK(p.sums.squares[k] == Approx(squares).epsilon(1e-6));
    }
    CHECK(p.sums.ones.size() == product::inner + 16);
    CHECK(p.sums.squares.size() == product::inner + 16);
    CHECK(p.sums.ones.back() == 0);
    CHECK(p.sums.squares.back() == 0);
}

TEST_CASE("Inputs in runs, rows anywhere, and what is added to them, are looked at as they lie",
          "[kernel][checksum][every_isa]") {
    for (const kernel::isa set : every_isa())
        for (const std::size_t group : {1U, 4U})
            for (unsigned seed = 0; seed < 5; ++seed) {
                product p(seed);
                INFO(name_of(set) << " group " << group << " seed " << seed);
                CHECK(p.suspicious(set, group) == 0);
                float& answer = p.out[(seed + 3) % product::rows * product::out_step + 36];
                answer += 0.01F;
                CHECK(p.suspicious(set, group) == 1);
                answer -= 0.01F;
                p.in[static_cast<std::size_t>(p.at[seed]) + 20 + 16] += 0.5F;  // the last of the last run
                CHECK(p.suspicious(set, group) == 1);
            }
}

TEST_CASE("What is clearly right by its answers alone is not suspicious by all of the sum", "[kernel][checksum]") {
    const std::vector<float> y{3, -4}, squares{1, 1};
    const auto x = [](std::size_t) { return 1.0; };
    const auto answer = [&](std::size_t n) { return static_cast<double>(y[n]); };
    const double limit = kernel::detail::check_limit(2, 25 + 2), by_answers = kernel::detail::check_limit(2, 25);
    CHECK(kernel::detail::is_clearly_right(2, 0.999 * by_answers, 25));
    CHECK_FALSE(kernel::detail::is_clearly_right(2, 1.001 * by_answers, 25));
    const auto suspicious = [&](double difference) {
        return kernel::detail::is_suspicious(2, 2, squares.data(), difference, 0, x, answer);
    };
    CHECK_FALSE(suspicious(0.999 * limit));
    CHECK_FALSE(suspicious(-0.999 * limit));
    CHECK(suspicious(1.001 * limit));
    CHECK(suspicious(-1.001 * limit));
    CHECK(suspicious(std::numeric_limits<double>::quiet_NaN()));
    CHECK(suspicious(std::numeric_limits<double>::infinity()));
    CHECK_FALSE(kernel::detail::is_clearly_right(2, 0, 1e36));  // a float sum of squares may have overflowed
    CHECK_FALSE(kernel::detail::is_clearly_right(2, 0, std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("Four positions are looked at together where columns are few", "[kernel][checksum]") {
    CHECK(kernel::detail::positions_together(576, 512) == 4);
    CHECK(kernel::detail::positions_together(576, 513) == 1);
    CHECK(kernel::detail::positions_together(8, 64) == 4);
    CHECK(kernel::detail::positions_together(7, 64) == 1);  // few inputs: rounding would be felt
}
