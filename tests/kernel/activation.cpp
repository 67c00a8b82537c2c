// SPDX-License-Identifier: MIT
#include <fanfold/kernel/activation.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::activation;

namespace {

float from_bits(std::uint32_t bits) {
    float x = 0;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// Distance in units in the last place of the true value; infinity has to be met exactly beyond half a unit.
double units_off(float got, double exact) {
    const double greatest = std::numeric_limits<float>::max();
    if (exact > greatest) return std::isinf(got) || exact < greatest * (1 + 0x1p-23) ? 0 : 1e9;
    const double unit = std::max(std::ldexp(1.0, std::ilogb(std::max(std::abs(exact), 1e-300)) - 23), 0x1p-149);
    return std::abs(static_cast<double>(got) - exact) / unit;
}

struct function {
    const char* name;
    double most;
    double (*exact)(double);
    void (*run)(kernel::isa, const float*, float*, std::size_t);
};
const function functions[] = {
    {"exp", 1.5, [](double x) { return std::exp(x); },
     [](kernel::isa set, const float* in, float* out, std::size_t n) { kernel::detail::exp_row(set, in, out, n); }},
    {"sigmoid", 3.0, [](double x) { return 1 / (1 + std::exp(-x)); },
     [](kernel::isa set, const float* in, float* out, std::size_t n) {
         kernel::detail::activate_row(set, activation::sigmoid, in, out, n);
     }},
    {"tanh", 3.0, [](double x) { return std::tanh(x); },
     [](kernel::isa set, const float* in, float* out, std::size_t n) {
         kernel::detail::activate_row(set, activation::tanh, in, out, n);
     }},
};

}  // namespace

TEST_CASE("exp, sigmoid and tanh stay within the error they promise over all floats",
          "[kernel][activation][every_isa]") {
    for (const function& f : functions)
        for (const auto set : every_isa()) {
            double worst = 0;
            float at = 0;
            std::vector<float> in(4096), out(4096);
            for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU;) {
                std::size_t n = 0;
                for (; n < in.size() && bits <= 0xFFFFFFFFU; bits += 4099) {
                    const float x = from_bits(static_cast<std::uint32_t>(bits));
                    if (std::isfinite(x)) in[n++] = x;
                }
                f.run(set, in.data(), out.data(), n);
                for (std::size_t i = 0; i < n; ++i) {
                    const double off = units_off(out[i], f.exact(in[i]));
                    if (!(off <= worst)) {
                        worst = off;
                        at = in[i];
                    }
                }
            }
            INFO(f.name << " " << kernel::name_of(set) << " worst " << worst << " at " << at);
            CHECK(worst <= f.most);
            if (std::getenv("FANFOLD_SHOW") != nullptr)
                WARN(f.name << " " << kernel::name_of(set) << " worst " << worst << " at " << at);
        }
}

TEST_CASE("activations treat zeros, infinities and NaN as the functions do", "[kernel][activation][every_isa]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const float in[] = {0.0F, -0.0F, inf, -inf, nan, -nan, 200.0F, -200.0F};
    for (const auto set : every_isa()) {
        float out[8];
        kernel::detail::exp_row(set, in, out, 8);
        CHECK((out[0] == 1 && out[1] == 1 && out[2] == inf && same_bits(out[3], 0.0F) && std::isnan(out[4]) &&
               std::isnan(out[5]) && out[6] == inf && same_bits(out[7], 0.0F)));
        kernel::detail::activate_row(set, activation::sigmoid, in, out, 8);
        CHECK((out[0] == 0.5F && out[1] == 0.5F && out[2] == 1 && same_bits(out[3], 0.0F) && std::isnan(out[4]) &&
               std::isnan(out[5]) && out[6] == 1 && same_bits(out[7], 0.0F)));
        kernel::detail::activate_row(set, activation::tanh, in, out, 8);
        CHECK((same_bits(out[0], 0.0F) && same_bits(out[1], -0.0F) && out[2] == 1 && out[3] == -1 &&
               std::isnan(out[4]) && std::isnan(out[5]) && out[6] == 1 && out[7] == -1));
        kernel::detail::activate_row(set, activation::relu, in, out, 8);
        CHECK((same_bits(out[0], 0.0F) && same_bits(out[1], -0.0F) && out[2] == inf && same_bits(out[3], 0.0F) &&
               std::isnan(out[4]) && std::isnan(out[5]) && out[6] == 200 && same_bits(out[7], 0.0F)));
    }
}

TEST_CASE("an element's bits depend neither on its position nor on the length of the row",
          "[kernel][activation][every_isa]") {
    numbers next(3);
    std::vector<float> in = next.some(100);
    for (float& x : in) x *= 20;
    for (const function& f : functions)
        for (const auto set : every_isa()) {
            std::vector<float> whole(in.size());
            f.run(set, in.data(), whole.data(), in.size());
            for (std::size_t start = 0; start < 20; ++start)
                for (std::size_t n = 0; n < 40; ++n) {
                    const guarded some(std::span<const float>(in).subspan(start, n), start % 7);
                    guarded out(n, n % 5);
                    f.run(set, some.span().data(), out.data(), n);
                    REQUIRE(same_bits(out.span(), std::span<const float>(whole).subspan(start, n)));
                    REQUIRE(out.intact());
                }
        }
}

TEST_CASE("avx2 and avx512 activations agree in every bit", "[kernel][activation]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    std::vector<float> in, a, b;
    for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU; bits += 40961)
        in.push_back(from_bits(static_cast<std::uint32_t>(bits)));
    a.resize(in.size());
    b.resize(in.size());
    for (const function& f : functions) {
        f.run(kernel::isa::avx2, in.data(), a.data(), in.size());
        f.run(kernel::isa::avx512, in.data(), b.data(), in.size());
        CHECK(same_bits(a, b));
    }
}
