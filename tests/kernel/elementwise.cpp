// SPDX-License-Identifier: MIT
#include <fanfold/kernel/elementwise.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;
using kernel::binary;

namespace {

float scalar(binary op, float x, float y) {
    switch (op) {
        case binary::add: return x + y;
        case binary::sub: return x - y;
        case binary::mul: return x * y;
        case binary::div: return x / y;
    }
    return 0;
}

/// The element of `v` that stands at `index` of the broadcast shape.
float broadcast_at(const view<const float>& v, const shape& whole, std::size_t index) {
    std::int64_t at = 0;
    for (std::size_t axis = whole.rank(); axis-- > 0;) {
        const auto i = static_cast<std::int64_t>(index) % whole[axis];
        index /= static_cast<std::size_t>(whole[axis]);
        const std::size_t missing = whole.rank() - v.rank();
        if (axis >= missing && v.extent(axis - missing) != 1) at += i * v.step(axis - missing);
    }
    return v.data()[at];
}

}  // namespace

TEST_CASE("broadcasting follows ONNX", "[kernel][elementwise]") {
    CHECK(kernel::broadcast_shape({2, 3, 4, 5}, {}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({2, 3, 4, 5}, {5}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({4, 5}, {2, 3, 4, 5}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({1, 4, 5}, {2, 3, 1, 1}) == shape{2, 3, 4, 5});
    CHECK(kernel::broadcast_shape({3, 1}, {0}) == shape{3, 0});
    try {
        (void)kernel::broadcast_shape({2, 3}, {4, 3});
        FAIL("accepted");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string(error.what()) == "cannot broadcast [2, 3] with [4, 3]");
    }
}

TEST_CASE("binary operations broadcast any shapes amid poison", "[kernel][elementwise]") {
    const std::pair<shape, shape> cases[] = {{{7, 33}, {7, 33}},
                                             {{7, 33}, {33}},
                                             {{7, 33}, {7, 1}},
                                             {{7, 33}, {}},
                                             {{}, {5, 3}},
                                             {{2, 6, 5, 7}, {6, 1, 1}},
                                             {{1, 6, 1, 7}, {2, 1, 5, 1}},
                                             {{3}, {4, 1}},
                                             {{1}, {1}},
                                             {{100}, {1}},
                                             {{2, 1, 3}, {1, 4, 1}},
                                             {{}, {}}};
    numbers next(12);
    for (const auto set : every_isa())
        for (const auto& [left, right] : cases)
            for (const binary op : {binary::add, binary::sub, binary::mul, binary::div}) {
                const shape whole = kernel::broadcast_shape(left, right);
                guarded a(next.some(left.volume()), 1), b(next.some(right.volume()), 4), out(whole.volume(), 7);
                kernel::detail::elementwise<float>(set, op, a.as(left), b.as(right), out.as(whole));
                bool good = out.intact();
                for (std::size_t i = 0; i < whole.volume(); ++i)
                    good = good && same_bits(out.span()[i], scalar(op, broadcast_at(a.as(left), whole, i),
                                                                   broadcast_at(b.as(right), whole, i)));
                INFO(left.text() << " " << kernel::name_of(op) << " " << right.text());
                CHECK(good);
            }
}

TEST_CASE("strided operands and results are correct, and in place is allowed", "[kernel][elementwise]") {
    numbers next(1);
    for (const auto set : every_isa()) {
        guarded a(next.some(400)), b(next.some(400)), out(1200);
        const view<const float> x(a.data(), shape{9, 20}, strides{1, 9}), y(b.data() + 19, shape{20}, strides{-1});
        const view<float> z(out.data(), {9, 20}, {60, 3});
        kernel::detail::elementwise<float>(set, binary::sub, x, y, z);
        bool good = out.intact();
        std::size_t written = 0;
        for (std::int64_t i = 0; i < 9; ++i)
            for (std::int64_t j = 0; j < 20; ++j) good = good && same_bits(z(i, j), x(i, j) - y(j));
        for (const float v : out.span()) written += !same_bits(v, poison());
        CHECK(good);
        CHECK(written == 180);

        const std::vector<float> before(a.span().begin(), a.span().end());
        kernel::detail::elementwise<float>(set, binary::mul, a.as({400}), b.as({400}), a.as({400}));
        for (std::size_t i = 0; i < 400; ++i) good = good && same_bits(a.span()[i], before[i] * b.span()[i]);
        CHECK(good);
    }
}

TEST_CASE("integers wrap, divide towards zero, and by zero to zero", "[kernel][elementwise]") {
    const auto run = [](binary op, auto x, auto y) {
        using T = decltype(x);
        T out = 77;
        kernel::elementwise<T>(op, view<const T>(&x, shape{}), view<const T>(&y, shape{}), view<T>(&out, shape{}));
        return out;
    };
    const auto check = [&]<class T>(T) {
        const T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
        CHECK(run(binary::add, high, T{1}) == low);
        CHECK(run(binary::sub, low, T{1}) == high);
        CHECK(run(binary::mul, low, T{-1}) == low);
        CHECK(run(binary::mul, high, T{2}) == -2);
        CHECK(run(binary::div, low, T{-1}) == low);
        CHECK(run(binary::div, T{7}, T{0}) == 0);
        CHECK(run(binary::div, T{0}, T{0}) == 0);
        CHECK(run(binary::div, T{-7}, T{2}) == -3);
        CHECK(run(binary::div, T{7}, T{-2}) == -3);
        CHECK(run(binary::div, T{7}, T{-1}) == -7);
    };
    check(std::int32_t{});
    check(std::int64_t{});
    CHECK(run(binary::div, 1.0, 4.0) == 0.25);
    CHECK(std::isinf(run(binary::div, 1.0F, 0.0F)));
}

TEST_CASE("doubles and integers broadcast too", "[kernel][elementwise]") {
    const std::int64_t a[] = {1, 2, 3, 4, 5, 6}, b[] = {10, 100};
    std::int64_t out[6];
    kernel::elementwise<std::int64_t>(binary::mul, {a, shape{2, 3}}, {b, shape{2, 1}}, {out, shape{2, 3}});
    CHECK(std::vector<std::int64_t>(out, out + 6) == std::vector<std::int64_t>{10, 20, 30, 400, 500, 600});
    const double c[] = {-1, 2, -3}, one = 1;
    double d[3];
    kernel::elementwise<double>(binary::add, {c, shape{3}}, {&one, shape{}}, {d, shape{3}});
    CHECK(std::vector<double>(d, d + 3) == std::vector<double>{0, 3, -2});
    kernel::relu<double>({c, shape{3}}, {d, shape{3}});
    CHECK(std::vector<double>(d, d + 3) == std::vector<double>{0, 2, 0});
    kernel::tanh<double>({c, shape{3}}, {d, shape{3}});
    CHECK(d[1] == std::tanh(2.0));
    kernel::exp({c, shape{3}}, {d, shape{3}});
    CHECK(d[2] == std::exp(-3.0));
    kernel::sigmoid<double>({c, shape{3}}, {d, shape{3}});
    CHECK(std::abs(d[0] - 1 / (1 + std::exp(1.0))) < 1e-15);
}

TEST_CASE("unary functions give an element the same bits whatever its strides and neighbours",
          "[kernel][elementwise]") {
    std::vector<float> values = numbers(5).some(300);
    for (float& x : values) x *= 6;
    for (const auto set : every_isa())
        for (int which = 0; which < 4; ++which) {
            const auto run = [&](const view<const float>& in, const view<float>& out) {
                if (which == 0)
                    kernel::detail::exp(set, in, out);
                else
                    kernel::detail::apply(set, static_cast<activation>(which), in, out);
            };
            std::vector<float> single(300);
            for (std::size_t i = 0; i < 300; ++i) run({&values[i], shape{}}, {&single[i], shape{}});
            guarded in(values, 3), out(300, 2), spread(900);
            run(in.as({300}), out.as({300}));
            CHECK((same_bits(out.span(), single) && out.intact()));
            const view<const float> turned(in.data(), shape{15, 20}, strides{1, 15});
            const view<float> to(spread.data(), {15, 20}, {60, 3});
            run(turned, to);
            bool good = spread.intact();
            for (std::int64_t i = 0; i < 15; ++i)
                for (std::int64_t j = 0; j < 20; ++j)
                    good = good && same_bits(to(i, j), single[static_cast<std::size_t>(i + 15 * j)]);
            CHECK(good);
            run(in.as({20, 15}), in.as({20, 15}));
            CHECK((same_bits(in.span(), single) && in.intact()));
        }
    std::vector<float> copy(300);
    kernel::apply(activation::none, view<const float>(std::span<const float>(values)), view<float>(std::span(copy)));
    CHECK(same_bits(copy, values));
}

TEST_CASE("shapes that do not fit are refused", "[kernel][elementwise]") {
    std::vector<float> a(12), b(12);
    CHECK_THROWS_AS(
        kernel::elementwise<float>(binary::add, {a.data(), shape{3, 4}}, {a.data(), shape{4}}, {b.data(), shape{4, 3}}),
        std::invalid_argument);
    CHECK_THROWS_AS(
        kernel::elementwise<float>(binary::add, {a.data(), shape{1}}, {a.data(), shape{4}}, {b.data(), shape{1}}),
        std::invalid_argument);
    CHECK_THROWS_AS(kernel::exp(view<const float>(a.data(), shape{3}), view<float>(b.data(), shape{4})),
                    std::invalid_argument);
    kernel::elementwise<float>(binary::add, {nullptr, shape{0, 4}}, {a.data(), shape{4}}, {nullptr, shape{0, 4}});
}
