// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
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
        case binary::min: return x < y ? x : y;
        case binary::max: return x > y ? x : y;
        case binary::prelu: return x < 0 ? x * y : x;
        case binary::pow: return std::pow(x, y);
        case binary::fmod: return std::fmod(x, y);
        default: return x - y * std::floor(x / y);
    }
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

TEST_CASE("binary operations broadcast any shapes amid poison", "[kernel][elementwise][every_isa]") {
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
            for (const binary op : {binary::add, binary::sub, binary::mul, binary::div, binary::min, binary::max,
                                    binary::prelu, binary::pow, binary::fmod}) {
                const shape whole = kernel::broadcast_shape(left, right);
                std::vector<float> some = next.some(left.volume());
                if (op == binary::pow)
                    for (float& x : some) x = std::abs(x);
                guarded a(some, 1), b(next.some(right.volume()), 4), out(whole.volume(), 7);
                kernel::detail::elementwise<float>(set, op, a.as(left), b.as(right), out.as(whole));
                bool good = out.intact();
                for (std::size_t i = 0; i < whole.volume(); ++i)
                    good = good && same_bits(out.span()[i], scalar(op, broadcast_at(a.as(left), whole, i),
                                                                   broadcast_at(b.as(right), whole, i)));
                INFO(left.text() << " " << kernel::name_of(op) << " " << right.text());
                CHECK(good);
            }
}

TEST_CASE("strided operands and results are correct, and in place is allowed", "[kernel][elementwise][every_isa]") {
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

namespace {

/// `values` as elements of `type`, and back.
tensor tensor_of(element type, const std::vector<double>& values) {
    tensor made(type, {static_cast<std::int64_t>(values.size())});
    visit_element(type, [&]<class T>(T) {
        for (std::size_t i = 0; i < values.size(); ++i) made.as<T>().data()[i] = kernel::detail::narrowed<T>(values[i]);
    });
    return made;
}
std::vector<double> doubles(const tensor& from) {
    std::vector<double> out;
    visit_element(from.type(), [&]<class T>(T) {
        for (const T v : from.as<T>().flat()) out.push_back(static_cast<double>(v));
    });
    return out;
}
std::vector<double> of_types(binary op, element left, element right, const std::vector<double>& a,
                             const std::vector<double>& b) {
    const tensor x = tensor_of(left, a), y = tensor_of(right, b);
    tensor out(kernel::detail::compares(op) ? element::boolean : left, x.shape());
    kernel::elementwise(op, x, y, out);
    return doubles(out);
}

constexpr element every_float[] = {element::float32, element::float64, element::float16, element::bfloat16};
constexpr element every_signed[] = {element::int8, element::int16, element::int32, element::int64};
constexpr element every_unsigned[] = {element::uint8, element::uint16, element::uint32, element::uint64};

}  // namespace

TEST_CASE("operations on every type follow the formulas", "[kernel][elementwise]") {
    using list = std::vector<double>;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const element t : every_float) {
        INFO(name_of(t));
        CHECK(of_types(binary::add, t, t, {1, 2}, {3, -5}) == list{4, -3});
        CHECK(of_types(binary::div, t, t, {1, 3}, {2, 4}) == list{0.5, 0.75});
        CHECK(of_types(binary::mod, t, t, {5, -5, 5, -5}, {3, 3, -3, -3}) == list{2, 1, -1, -2});
        CHECK(of_types(binary::fmod, t, t, {5, -5, 5, -5}, {3, 3, -3, -3}) == list{2, -2, 2, -2});
        CHECK(of_types(binary::pow, t, t, {2, 4}, {3, 0.5}) == list{8, 2});
        CHECK(of_types(binary::pow, t, element::int64, {2, 4}, {3, -1}) == list{8, 0.25});
        CHECK(of_types(binary::min, t, t, {2, 4}, {3, 3}) == list{2, 3});
        for (const binary op : {binary::min, binary::max})
            for (const double x : of_types(op, t, t, {nan, 1}, {1, nan})) CHECK(std::isnan(x));
        CHECK(of_types(binary::prelu, t, t, {-2, 4}, {0.5, 3}) == list{-1, 4});
        CHECK(of_types(binary::less, t, t, {1, 2, 3, nan}, {2, 2, 2, 1}) == list{1, 0, 0, 0});
        CHECK(of_types(binary::less_or_equal, t, t, {1, 2, 3, nan}, {2, 2, 2, 1}) == list{1, 1, 0, 0});
        CHECK(of_types(binary::greater, t, t, {1, 2, 3, nan}, {2, 2, 2, 1}) == list{0, 0, 1, 0});
        CHECK(of_types(binary::greater_or_equal, t, t, {1, 2, 3, nan}, {2, 2, 2, 1}) == list{0, 1, 1, 0});
        CHECK(of_types(binary::equal, t, t, {1, 2, nan}, {2, 2, nan}) == list{0, 1, 0});
    }
    for (const element t : every_signed) {
        INFO(name_of(t));
        CHECK(of_types(binary::mod, t, t, {5, -5, 5, -5, 7}, {3, 3, -3, -3, 0}) == list{2, 1, -1, -2, 0});
        CHECK(of_types(binary::fmod, t, t, {5, -5, 5, -5, 7}, {3, 3, -3, -3, -1}) == list{2, -2, 2, -2, 0});
        CHECK(of_types(binary::pow, t, t, {-2, 3, 2, 1, -1, 5}, {3, 4, -1, -5, -3, 0}) == list{-8, 81, 0, 1, -1, 1});
        CHECK(of_types(binary::pow, t, element::float32, {4, 2}, {0.5, 0.5}) == list{2, 1});
        CHECK(of_types(binary::min, t, t, {-2, 4}, {3, 3}) == list{-2, 3});
        CHECK(of_types(binary::max, t, t, {-2, 4}, {3, 3}) == list{3, 4});
        CHECK(of_types(binary::bit_and, t, t, {6, -1}, {3, 5}) == list{2, 5});
        CHECK(of_types(binary::bit_xor, t, t, {6, -1}, {3, 5}) == list{5, -6});
        CHECK(of_types(binary::less, t, t, {-1, 2}, {1, 2}) == list{1, 0});
    }
    for (const element t : every_unsigned) {
        INFO(name_of(t));
        const double top = std::ldexp(1.0, static_cast<int>(size_of(t)) * 8) - 1;
        const auto bits = static_cast<double>(size_of(t) * 8);
        CHECK(of_types(binary::greater, t, t, {top, 2}, {1, 2}) == list{1, 0});
        CHECK(of_types(binary::max, t, t, {top, 2}, {1, 3})[1] == 3);
        CHECK(of_types(binary::sub, t, t, {1, 3}, {1, 4}) == list{0, top});
        CHECK(of_types(binary::div, t, t, {top, 7}, {top, 2}) == list{1, 3});
        CHECK(of_types(binary::mod, t, t, {top, 7}, {top, 4}) == list{0, 3});
        CHECK(of_types(binary::bit_or, t, t, {6, 1}, {3, 5}) == list{7, 5});
        CHECK(of_types(binary::shift_left, t, t, {1, 3, 1}, {2, bits - 1, bits}) == list{4, (top + 1) / 2, 0});
        CHECK(of_types(binary::shift_right, t, t, {4, top, 1}, {2, bits - 1, bits}) == list{1, 1, 0});
    }
    const element b = element::boolean;
    CHECK(of_types(binary::logical_and, b, b, {0, 0, 1, 1}, {0, 1, 0, 1}) == list{0, 0, 0, 1});
    CHECK(of_types(binary::logical_or, b, b, {0, 0, 1, 1}, {0, 1, 0, 1}) == list{0, 1, 1, 1});
    CHECK(of_types(binary::logical_xor, b, b, {0, 0, 1, 1}, {0, 1, 0, 1}) == list{0, 1, 1, 0});
    CHECK(of_types(binary::equal, b, b, {0, 0, 1, 1}, {0, 1, 0, 1}) == list{1, 0, 0, 1});
    CHECK_THROWS_AS(of_types(binary::logical_and, element::int32, element::int32, {0}, {0}), std::invalid_argument);
    CHECK_THROWS_AS(of_types(binary::add, b, b, {0}, {0}), std::invalid_argument);
    CHECK_THROWS_AS(of_types(binary::add, element::int32, element::int64, {0}, {0}), std::invalid_argument);
    CHECK_THROWS_AS(of_types(binary::bit_or, element::float32, element::float32, {0}, {0}), std::invalid_argument);
}

TEST_CASE("long, strided and repeated operands of any type agree with single elements", "[kernel][elementwise]") {
    for (const element t : {element::int16, element::float16, element::float64, element::uint64, element::float32})
        for (const binary op : {binary::sub, binary::less, binary::pow}) {
            const std::int64_t n = 700;
            std::vector<double> x, y;
            numbers next(2);
            for (std::int64_t i = 0; i < 2 * n; ++i) {
                x.push_back(std::floor(next() * 50 + 50));
                y.push_back(std::floor(next() * 2 + 2));
            }
            tensor a = tensor_of(t, x), b = tensor_of(t, y);
            const element answer = op == binary::less ? element::boolean : t;
            tensor out(answer, {2 * n}), repeated(answer, {n});
            const auto width = static_cast<std::int64_t>(size_of(t));
            const tensor_view backwards(b.data() + (2 * n - 1) * width, t, {n}, {-2});
            const tensor_view one(b.data() + 3 * width, t, {});
            kernel::elementwise(op, tensor_view(a.data(), t, {n}), backwards,
                                mutable_tensor_view(out.data(), answer, {n}, {2}));
            kernel::elementwise(op, tensor_view(a.data(), t, {n}), one, repeated);
            const std::vector<double> got = doubles(out), again = doubles(repeated);
            bool good = true;
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); i += 13) {
                const double left = x[i], right = y[static_cast<std::size_t>(2 * n) - 1 - 2 * i];
                good = good && got[2 * i] == of_types(op, t, t, {left}, {right})[0] && got[2 * i + 1] == 0;
                good = good && again[i] == of_types(op, t, t, {left}, {y[3]})[0];
            }
            INFO(name_of(t) << " " << kernel::name_of(op));
            CHECK(good);
        }
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
          "[kernel][elementwise][every_isa]") {
    std::vector<float> values = numbers(5).some(300);
    for (float& x : values) x *= 6;
    for (const auto set : every_isa())
        for (int which = 0; which < 8; ++which) {
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
