// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/unary.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::unary;

namespace {

float from_bits(std::uint64_t bits) {
    const auto low = static_cast<std::uint32_t>(bits);
    float x = 0;
    std::memcpy(&x, &low, sizeof x);
    return x;
}

/// Distance in units in the last place of the true value; infinity has to be met exactly beyond half a unit.
double units_off(float got, double exact) {
    const double greatest = std::numeric_limits<float>::max();
    if (exact != exact || got != got) return exact != exact && got != got ? 0 : 1e9;
    if (std::isinf(exact) || std::isinf(got))
        return got == exact || (std::isinf(got) && std::abs(exact) > greatest * (1 - 0x1p-22)) ? 0 : 1e9;
    const double unit = std::max(std::ldexp(1.0, std::ilogb(std::max(std::abs(exact), 1e-300)) - 23), 0x1p-149);
    return std::abs(static_cast<double>(got) - exact) / unit;
}

double phi_times(double x) { return x < -40 ? -0.0 : 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }
double tanh_gelu(double x) {
    return x < -40 ? -0.0 : x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
double logistic(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

struct bound {
    unary op;
    double most;
    double (*exact)(double);
    double alpha = 0, beta = 0;
};
const bound bounds[] = {
    {unary::abs, 0, [](double x) { return std::abs(x); }},
    {unary::neg, 0, [](double x) { return -x; }},
    {unary::floor, 0, [](double x) { return std::floor(x); }},
    {unary::ceil, 0, [](double x) { return std::ceil(x); }},
    {unary::round, 0, [](double x) { return std::nearbyint(x); }},
    {unary::sqrt, 0.5, [](double x) { return std::sqrt(x); }},
    {unary::reciprocal, 0.5, [](double x) { return 1 / x; }},
    {unary::exp, 1.5, [](double x) { return std::exp(x); }},
    {unary::log, 2, [](double x) { return std::log(x); }},
    {unary::erf, 2, [](double x) { return std::erf(x); }},
    {unary::sin, 2, [](double x) { return std::sin(x); }},
    {unary::cos, 2, [](double x) { return std::cos(x); }},
    {unary::tanh, 3, [](double x) { return std::tanh(x); }},
    {unary::sigmoid, 3, [](double x) { return logistic(x); }},
    {unary::softplus, 3, [](double x) { return x > 50 ? x : std::log1p(std::exp(x)); }},
    {unary::gelu, 4, [](double x) { return phi_times(x); }},
    {unary::gelu_tanh, 4, [](double x) { return tanh_gelu(x); }},
    {unary::silu, 4, [](double x) { return x * logistic(x); }},
    {unary::elu, 3, [](double x) { return x < 0 ? 1.5 * std::expm1(x) : x; }, 1.5},
    {unary::tan, 0.51, [](double x) { return std::tan(x); }},
    {unary::mish, 0.51, [](double x) { return x > 50 ? x : x * std::tanh(std::log1p(std::exp(x))); }},
    {unary::atanh, 0.51, [](double x) { return std::atanh(x); }},
};

void run(kernel::isa set, const kernel::detail::unary_call& call, const float* in, float* out, std::size_t n) {
    const shape extents{static_cast<std::int64_t>(n)};
    kernel::detail::apply(set, call, view<const float>(in, extents), view<float>(out, extents));
}

std::vector<double> doubles(unary op, double alpha, double beta, element type, const std::vector<double>& in) {
    const shape extents{static_cast<std::int64_t>(in.size())};
    tensor x(type, extents), y(op == unary::is_nan || op == unary::is_inf ? element::boolean : type, extents);
    visit_element(type, [&]<class T>(T) {
        for (std::size_t i = 0; i < in.size(); ++i) x.as<T>().data()[i] = kernel::detail::narrowed<T>(in[i]);
    });
    kernel::apply(op, alpha, beta, x, y);
    std::vector<double> out;
    visit_element(y.type(), [&]<class T>(T) {
        for (const T v : y.as<T>().flat()) out.push_back(static_cast<double>(v));
    });
    return out;
}

}  // namespace

TEST_CASE("functions of float stay within the error they promise over all floats", "[kernel][unary][every_isa]") {
    for (const bound& f : bounds)
        for (const auto set : every_isa()) {
            double worst = 0;
            float at = 0;
            std::vector<float> in(4096), out(4096);
            for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU;) {
                std::size_t n = 0;
                for (; n < in.size() && bits <= 0xFFFFFFFFU; bits += sanitized ? 131101 : 8209)
                    if (!std::isnan(from_bits(bits))) in[n++] = from_bits(bits);
                run(set, {f.op, f.alpha, f.beta}, in.data(), out.data(), n);
                for (std::size_t i = 0; i < n; ++i) {
                    const double off = units_off(out[i], f.exact(in[i]));
                    if (!(off <= worst)) {
                        worst = off;
                        at = in[i];
                    }
                }
            }
            INFO(kernel::name_of(f.op) << " " << kernel::name_of(set) << " worst " << worst << " at " << at);
            CHECK(worst <= f.most);
            if (std::getenv("FANFOLD_SHOW") != nullptr)
                WARN(kernel::name_of(f.op) << " " << kernel::name_of(set) << " worst " << worst << " at " << at);
        }
}

TEST_CASE("an element's bits depend neither on position nor on count, and all that goes in strides as well",
          "[kernel][unary][every_isa]") {
    std::vector<float> values = numbers(3).some(300);
    for (float& x : values) x *= 20;
    values[7] = 3e6F;
    for (const auto set : every_isa())
        for (std::size_t which = 0; which <= static_cast<std::size_t>(unary::clip); ++which) {
            const kernel::detail::unary_call call{static_cast<unary>(which), 0.3, 0.6};
            std::vector<float> single(values.size());
            for (std::size_t i = 0; i < values.size(); ++i) run(set, call, &values[i], &single[i], 1);
            bool same = true;
            for (std::size_t start = 0; start < 20; start += 3)
                for (std::size_t n = 0; n < 40; n += 7) {
                    const guarded some(std::span<const float>(values).subspan(start, n), start % 7);
                    guarded out(n, n % 5);
                    run(set, call, some.span().data(), out.data(), n);
                    same = same && same_bits(out.span(), std::span<const float>(single).subspan(start, n));
                    same = same && out.intact();
                }
            guarded in(values), spread(900);
            const view<float> to(spread.data(), {15, 20}, {60, 3});
            kernel::detail::apply(set, call, view<const float>(in.data(), {15, 20}, {1, 15}), to);
            for (std::int64_t i = 0; i < 15; ++i)
                for (std::int64_t j = 0; j < 20; ++j)
                    same = same && same_bits(to(i, j), single[static_cast<std::size_t>(i + 15 * j)]);
            run(set, call, in.data(), in.data(), 300);
            INFO(kernel::name_of(call.op) << " " << kernel::name_of(set));
            CHECK((same && spread.intact() && in.intact() && same_bits(in.span(), single)));
        }
}

TEST_CASE("zeros, infinities and NaN go through float functions as the formulas have it",
          "[kernel][unary][every_isa]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> in{0.0F, -0.0F, inf, -inf, nan};
    const auto check = [&](unary op, double alpha, double beta, const std::vector<float>& expected) {
        for (const auto set : every_isa()) {
            std::vector<float> out(5);
            run(set, {op, alpha, beta}, in.data(), out.data(), 5);
            INFO(kernel::name_of(op) << " " << kernel::name_of(set));
            for (std::size_t i = 0; i < 5; ++i)
                CHECK((same_bits(out[i], expected[i]) || (std::isnan(out[i]) && std::isnan(expected[i]))));
        }
    };
    check(unary::abs, 0, 0, {0, 0, inf, inf, nan});
    check(unary::neg, 0, 0, {-0.0F, 0, -inf, inf, nan});
    for (const unary op : {unary::floor, unary::ceil, unary::round}) check(op, 0, 0, in);
    check(unary::sqrt, 0, 0, {0, -0.0F, inf, nan, nan});
    check(unary::reciprocal, 0, 0, {inf, -inf, 0, -0.0F, nan});
    check(unary::log, 0, 0, {-inf, -inf, inf, nan, nan});
    check(unary::erf, 0, 0, {0, -0.0F, 1, -1, nan});
    check(unary::sin, 0, 0, {0, -0.0F, nan, nan, nan});
    check(unary::cos, 0, 0, {1, 1, nan, nan, nan});
    check(unary::softplus, 0, 0, {std::log(2.0F), std::log(2.0F), inf, 0, nan});
    for (const unary op : {unary::gelu, unary::gelu_tanh, unary::silu}) check(op, 0, 0, {0, -0.0F, inf, -0.0F, nan});
    check(unary::elu, 2, 0, {0, -0.0F, inf, -2, nan});
    check(unary::leaky_relu, 0.5, 0, {0, -0.0F, inf, -inf, nan});
    check(unary::hard_sigmoid, 0.2, 0.5, {0.5F, 0.5F, 1, 0, nan});
    check(unary::clip, -1, 2, {0, -0.0F, 2, -1, nan});
    check(unary::sign, 0, 0, {0, -0.0F, 1, -1, nan});
    check(unary::thresholded_relu, 1, 0, {0, 0, inf, 0, nan});
    check(unary::softsign, 0, 0, {0, -0.0F, nan, nan, nan});
}

TEST_CASE("other types and parameters follow the formulas", "[kernel][unary]") {
    using list = std::vector<double>;
    const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (const element type : {element::float32, element::float64, element::float16, element::bfloat16}) {
        CHECK(doubles(unary::round, 0, 0, type, {-1.5, -0.5, 0.5, 2.5, 2.75}) == list{-2, -0.0, 0, 2, 3});
        CHECK(doubles(unary::floor, 0, 0, type, {-1.5, 2.75, 3}) == list{-2, 2, 3});
        CHECK(doubles(unary::shrink, 0.5, 1, type, {-2, -1, 0.5, 1, 3}) == list{-1.5, 0, 0, 0, 2.5});
        CHECK(doubles(unary::clip, -1, 2, type, {-3, 0.5, 4}) == list{-1, 0.5, 2});
        CHECK(doubles(unary::clip, 2, -1, type, {-3, 0.5, 4}) == list{-1, -1, -1});
        CHECK(doubles(unary::is_nan, 0, 0, type, {1, nan, inf}) == list{0, 1, 0});
        CHECK(doubles(unary::is_inf, 1, 1, type, {1, nan, inf, -inf}) == list{0, 0, 1, 1});
        CHECK(doubles(unary::is_inf, 1, 0, type, {1, nan, inf, -inf}) == list{0, 0, 0, 1});
        CHECK(doubles(unary::is_inf, 0, 1, type, {1, nan, inf, -inf}) == list{0, 0, 1, 0});
        CHECK(doubles(unary::hard_swish, 0, 0, type, {-4, -3, 3, 4}) == list{-0.0, -0.0, 3, 4});
        CHECK(doubles(unary::selu, 1, 2, type, {0, 3}) == list{0, 6});
        CHECK(doubles(unary::selu, 1, 2, type, {-1})[0] == Approx(2 * std::expm1(-1)).epsilon(0.01));
        CHECK(doubles(unary::celu, 2, 0, type, {-1})[0] == Approx(2 * std::expm1(-0.5)).epsilon(0.01));
        for (const unary op : {unary::gelu, unary::gelu_tanh})
            CHECK(doubles(op, 0, 0, type, {-1})[0] == Approx(-0.1587).epsilon(0.01));
        CHECK(doubles(unary::acosh, 0, 0, type, {2})[0] == Approx(std::acosh(2)).epsilon(0.01));
    }
    for (const element type : {element::int8, element::int16, element::int32, element::int64}) {
        CHECK(doubles(unary::abs, 0, 0, type, {-3, 0, 5}) == list{3, 0, 5});
        CHECK(doubles(unary::neg, 0, 0, type, {-3, 0, 5}) == list{3, 0, -5});
        CHECK(doubles(unary::sign, 0, 0, type, {-3, 0, 5}) == list{-1, 0, 1});
        CHECK(doubles(unary::relu, 0, 0, type, {-3, 0, 5}) == list{0, 0, 5});
        CHECK(doubles(unary::clip, -1, 2, type, {-3, 0, 5}) == list{-1, 0, 2});
        CHECK(doubles(unary::bit_not, 0, 0, type, {-3, 0, 5}) == list{2, -1, -6});
    }
    CHECK(doubles(unary::bit_not, 0, 0, element::uint8, {0, 5}) == list{255, 250});
    CHECK(doubles(unary::sign, 0, 0, element::uint64, {0, 5}) == list{0, 1});
    CHECK(doubles(unary::abs, 0, 0, element::int8, {-128}) == list{-128});
    CHECK(doubles(unary::logical_not, 0, 0, element::boolean, {0, 1}) == list{1, 0});
}

TEST_CASE("unary operations refuse shapes and types that do not fit", "[kernel][unary]") {
    tensor floats(element::float32, {4}), others(element::int32, {4}), more(element::float32, {5});
    CHECK_THROWS_AS(kernel::apply(unary::exp, floats, more), std::invalid_argument);
    CHECK_THROWS_AS(kernel::apply(unary::exp, others, others), std::invalid_argument);
    CHECK_THROWS_AS(kernel::apply(unary::abs, floats, others), std::invalid_argument);
    CHECK_THROWS_AS(kernel::apply(unary::is_nan, floats, floats), std::invalid_argument);
    CHECK_THROWS_WITH(kernel::apply(unary::bit_not, floats, floats), "BitwiseNot: float32 [4] into float32 [4]");
}
