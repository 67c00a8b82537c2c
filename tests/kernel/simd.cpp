// SPDX-License-Identifier: MIT
#include <fanfold/kernel/simd.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

namespace fanfold_test {

struct lanes {
    float zero[16], set1[16], quads[16], splat[16], load_n[16], store_n[16], sum_of[16], difference[16], product[16],
        quotient[16], root[16], fused[16], selected[16], nans[16], first[16], greater[16], lesser[16], max_of[16],
        min_of[16], clamped[16], relu_of[16], magnitude[16], signs[16], rounded[16], scaled[16], powers[16],
        exponents[16], evens[16], odds[16], total, largest;
};

}  // namespace fanfold_test

// The order matters.
// clang-format off
#include <fanfold/kernel/target/baseline_begin.inc>
#include "simd_checks.inc"
#include <fanfold/kernel/target/end.inc>
#if FANFOLD_X86_64
#include <fanfold/kernel/target/avx2_begin.inc>
#include "simd_checks.inc"
#include <fanfold/kernel/target/end.inc>
#include <fanfold/kernel/target/avx512_begin.inc>
#include "simd_checks.inc"
#include <fanfold/kernel/target/end.inc>
#endif
namespace fanfold::inline FANFOLD_ABI::kernel::portable {
#include <fanfold/kernel/target/simd_portable.inc>
#include <fanfold/kernel/target/simd_common.inc>
#include "simd_checks.inc"
}
// clang-format on

using namespace fanfold;
using namespace fanfold_test;

namespace {

using checker = void (*)(const float*, const float*, const float*, std::size_t, lanes&);
struct target {
    const char* name;
    checker run;
    bool fuses;
};

std::vector<target> targets() {
    std::vector<target> found{{"portable", &kernel::portable::every_function, false}};
    for (const auto set : every_isa())
        found.push_back({kernel::name_of(set).data(),
                         kernel::detail::pick<checker>(set, &kernel::baseline::every_function,
                                                       &kernel::avx2::every_function, &kernel::avx512::every_function),
                         FANFOLD_NEON || set != kernel::isa::baseline});
    return found;
}

bool equal(float a, float b) { return (a != a && b != b) || same_bits(a, b); }

}  // namespace

TEST_CASE("every lane of every target does what the scalar formula says", "[kernel][simd]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    const float special[] = {0.0F, -0.0F, 1.0F, -1.0F, inf, -inf, nan, 1e-42F, 3e38F, 0.5F};
    numbers next(7);
    for (const target& t : targets()) {
        INFO(t.name);
        for (std::size_t round = 0; round < 200; ++round) {
            std::vector<float> a = next.some(16), b = next.some(16), c = next.some(16);
            if (round % 2 == 1)
                for (std::size_t i = 0; i < 16; ++i) {
                    a[i] = special[(round + i * 7) % 10];
                    b[i] = special[(round / 10 + i * 3) % 10];
                }
            const std::size_t n = round % 17;
            const guarded ga(a, n), gb(b), gc(c);
            guarded few(std::span<const float>(a).first(n));
            lanes r{};
            std::fill(r.store_n, r.store_n + 16, poison());
            t.run(ga.span().data(), gb.span().data(), gc.span().data(), n, r);
            for (std::size_t i = 0; i < 16; ++i) {
                const float x = a[i], y = b[i];
                CHECK(same_bits(r.zero[i], 0.0F));
                CHECK(equal(r.set1[i], a[3]));
                CHECK(equal(r.quads[i], a[5 + i % 4]));
                CHECK(equal(r.splat[i], a[7]));
                CHECK(equal(r.load_n[i], i < n ? x : 0.0F));
                CHECK((i < n ? equal(r.store_n[i], x) : same_bits(r.store_n[i], poison())));
                CHECK(equal(r.sum_of[i], x + y));
                CHECK(equal(r.difference[i], x - y));
                CHECK(equal(r.product[i], x * y));
                CHECK(equal(r.quotient[i], x / y));
                CHECK(equal(r.root[i], std::sqrt(std::abs(x))));
                const float product = x * y;
                if (t.fuses) CHECK(equal(r.fused[i], std::fma(x, y, c[i])));
                if (!t.fuses && round % 2 == 0) CHECK(near(r.fused[i], double{product} + double{c[i]}, 2));
                CHECK(equal(r.selected[i], x < y ? x : c[i]));
                CHECK(same_bits(r.nans[i], x != x ? 1.0F : 0.0F));
                CHECK(equal(r.first[i], i < n ? x : y));
                CHECK(equal(r.greater[i], x > y ? x : y));
                CHECK(equal(r.lesser[i], x < y ? x : y));
                CHECK(equal(r.max_of[i], x != x ? x : x > y ? x : y));
                CHECK(equal(r.min_of[i], x != x ? x : x < y ? x : y));
                CHECK(equal(r.clamped[i], x < -0.5F ? -0.5F : x > 0.25F ? 0.25F : x));
                CHECK(equal(r.relu_of[i], 0.0F > x ? 0.0F : x));
                CHECK(equal(r.magnitude[i], std::abs(x)));
                CHECK(std::signbit(r.signs[i]) == std::signbit(y));
                CHECK(equal(std::abs(r.signs[i]), std::abs(x)));
                if (round % 2 == 0) {
                    CHECK(r.rounded[i] == std::nearbyint(x * 8));
                    CHECK(r.exponents[i] == static_cast<float>(std::ilogb(std::abs(x) + 1e-6F)));
                    CHECK(same_bits(r.powers[i], std::ldexp(1.0F, static_cast<int>(std::nearbyint(x * 120)))));
                    CHECK(same_bits(r.scaled[i], std::ldexp(1.5F, static_cast<int>(std::nearbyint(x * 120)))));
                }
                CHECK(equal(r.evens[i], i < 8 ? a[2 * i] : b[2 * i - 16]));
                CHECK(equal(r.odds[i], i < 8 ? a[2 * i + 1] : b[2 * i - 15]));
            }
            float tree[16];
            std::copy(a.begin(), a.end(), tree);
            for (std::size_t width = 8; width != 0; width /= 2)
                for (std::size_t i = 0; i < width; ++i) tree[i] = tree[i] + tree[i + width];
            CHECK(equal(r.total, tree[0]));
            float largest = a[0];
            for (const float x : a) largest = largest != largest || x != x ? nan : x > largest ? x : largest;
            CHECK((r.largest == largest || (r.largest != r.largest && largest != largest)));
        }
    }
}

TEST_CASE("avx2 and avx512 agree in every bit of every lane", "[kernel][simd]") {
    if (!kernel::supports(kernel::isa::avx512)) return;
    numbers next(11);
    for (std::size_t round = 0; round < 200; ++round) {
        const std::vector<float> a = next.some(16), b = next.some(16), c = next.some(16);
        lanes x{}, y{};
        kernel::avx2::every_function(a.data(), b.data(), c.data(), round % 17, x);
        kernel::avx512::every_function(a.data(), b.data(), c.data(), round % 17, y);
        CHECK(std::memcmp(&x, &y, sizeof x) == 0);
    }
}
