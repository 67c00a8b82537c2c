// SPDX-License-Identifier: MIT
#include <fanfold/context/floating_point.hpp>

#include <bit>
#include <cfenv>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>

#include "../catch.hpp"

using namespace fanfold;

namespace {

/// Computed at run time, under the environment of the moment.
[[gnu::noinline]] float product(float a, float b) {
    volatile float x = a, y = b;
    volatile float result = x * y;
    return result;
}

[[gnu::noinline]] float quotient(float a, float b) {
    volatile float x = a, y = b;
    volatile float result = x / y;
    return result;
}

constexpr float subnormal = FLT_MIN / 4;

/// Bits tell a subnormal from zero where a comparison would read it as zero.
bool is_zero(float value) { return (std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU) == 0; }

#if FANFOLD_X86_64
constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040, exception_flags = 0x003F;

unsigned control() { return _mm_getcsr() & ~exception_flags; }

/// What a caller may have set; the test's own setting comes back after.
class caller_setting {
public:
    explicit caller_setting(unsigned bits) : before_(_mm_getcsr()) { _mm_setcsr(bits); }
    ~caller_setting() { _mm_setcsr(before_); }
    caller_setting(const caller_setting&) = delete;
    caller_setting& operator=(const caller_setting&) = delete;

private:
    unsigned before_;
};
#endif

}  // namespace

TEST_CASE("Rounding that the caller chose does not reach the inside of a scope, and is there after it") {
    const int before = std::fegetround();
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
        REQUIRE(std::fesetround(mode) == 0);
        const float outside = quotient(1.0F, 3.0F);
        float inside = 0;
        {
            const floating_point_scope scope;
            inside = quotient(1.0F, 3.0F);
        }
        const float after = quotient(1.0F, 3.0F);
        const int mode_after = std::fegetround();
        std::fesetround(before);
        CHECK(inside == 1.0F / 3.0F);
        CHECK(after == outside);
        CHECK(mode_after == mode);
        CHECK((outside == 1.0F / 3.0F) == (mode == FE_UPWARD || mode == FE_TONEAREST));
    }
}

#if FANFOLD_X86_64

TEST_CASE("A caller's flush-to-zero does not reach the inside of a scope, and is there after it") {
    float outside = 1, inside = 0, after = 1;
    {
        const caller_setting setting(0x1F80 | flush_to_zero);
        outside = product(FLT_MIN, 0.25F);
        {
            const floating_point_scope scope;
            inside = product(FLT_MIN, 0.25F);
        }
        after = product(FLT_MIN, 0.25F);
    }
    CHECK(is_zero(outside));
    CHECK(inside == subnormal);
    CHECK(is_zero(after));
}

TEST_CASE("A caller's denormals-are-zero does not reach the inside of a scope, and is there after it") {
    float outside = 1, inside = 0, after = 1;
    {
        const caller_setting setting(0x1F80 | denormals_are_zero);
        outside = product(subnormal, 4.0F);
        {
            const floating_point_scope scope;
            inside = product(subnormal, 4.0F);
        }
        after = product(subnormal, 4.0F);
    }
    CHECK(is_zero(outside));
    CHECK(inside == FLT_MIN);
    CHECK(is_zero(after));
}

TEST_CASE("An exception that the caller unmasked does not trap inside a scope, and is unmasked after it") {
    constexpr unsigned divide_by_zero_mask = 0x0200, invalid_mask = 0x0080;
    constexpr unsigned callers = 0x1F80 & ~(divide_by_zero_mask | invalid_mask);
    float infinite = 0, not_a_number = 0;
    unsigned after = 0;
    {
        const caller_setting setting(callers);
        {
            const floating_point_scope scope;
            infinite = quotient(1.0F, 0.0F);
            not_a_number = quotient(0.0F, 0.0F);
        }
        after = _mm_getcsr();
    }
    CHECK(infinite == std::numeric_limits<float>::infinity());
    CHECK(std::isnan(not_a_number));
    CHECK(after == callers);
}

TEST_CASE("A scope that is left by an exception restores the caller's setting") {
    constexpr unsigned callers = 0x1F80 | flush_to_zero | denormals_are_zero | 0x6000;
    unsigned inside = 0, after = 0;
    bool caught = false;
    {
        const caller_setting setting(callers);
        try {
            const floating_point_scope scope;
            inside = control();
            throw 1;
        } catch (int) {
            caught = true;
        }
        after = control();
    }
    CHECK(caught);
    CHECK(inside == 0x1F80);
    CHECK(after == callers);
}

TEST_CASE("A scope inside a scope restores the outer one's setting, and that one the caller's") {
    constexpr unsigned callers = 0x1F80 | flush_to_zero;
    unsigned within = 0, between = 0, after = 0;
    {
        const caller_setting setting(callers);
        {
            const floating_point_scope outer;
            {
                const floating_point_scope inner;
                within = control();
            }
            between = control();
        }
        after = control();
    }
    CHECK(within == 0x1F80);
    CHECK(between == 0x1F80);
    CHECK(after == callers);
}

TEST_CASE("A scope sets its own thread only") {
    constexpr unsigned callers = 0x1F80 | flush_to_zero;
    unsigned after = 0;
    {
        const caller_setting setting(callers);
        std::thread([] { const floating_point_scope scope; }).join();
        after = control();
    }
    CHECK(after == callers);
}

namespace {

std::uint16_t x87_control() {
    std::uint16_t word = 0;
    asm volatile("fnstcw %0" : "=m"(word));
    return word;
}
std::uint16_t x87_flags() {
    std::uint16_t word = 0;
    asm volatile("fnstsw %0" : "=a"(word));
    return word & 0x3F;
}
void set_x87(std::uint16_t word) { asm volatile("fnclex\n\tfldcw %0" : : "m"(word)); }

[[gnu::noinline]] long double long_quotient(long double a, long double b) {
    volatile long double x = a, y = b;
    volatile long double result = x / y;
    return result;
}

}  // namespace

TEST_CASE("The x87 unit, which computes long double, is set and restored as well") {
    const std::uint16_t before = x87_control();
    constexpr std::uint16_t words[] = {0x037F, 0x0B7F, 0x0F7F, 0x037A, 0x027F, 0x0340};
    for (const std::uint16_t callers : words) {
        std::uint16_t inside = 0, after = 0;
        long double third = 0, infinite = 0;
        set_x87(callers);
        {
            const floating_point_scope scope;
            inside = x87_control();
            third = long_quotient(1, 3);
            infinite = long_quotient(1, 0);
        }
        after = x87_control();
        set_x87(before);
        CHECK(inside == 0x037F);
        CHECK(after == callers);
        CHECK(third == 1.0L / 3.0L);
        CHECK(infinite == std::numeric_limits<long double>::infinity());
    }
}

TEST_CASE("What is raised inside a scope is not on record after it, where it might trap later") {
    const std::uint16_t before = x87_control();
    set_x87(before);
    const unsigned sse_before = _mm_getcsr();
    {
        const floating_point_scope scope;
        (void)long_quotient(1, 0);
        (void)quotient(0, 0);
    }
    const std::uint16_t raised = x87_flags();
    const unsigned sse_after = _mm_getcsr();
    CHECK(raised == 0);
    CHECK(sse_after == sse_before);
}

TEST_CASE("What is set inside a scope ends with it") {
    const std::uint16_t x87_before = x87_control();
    const unsigned before = control();
    {
        const floating_point_scope scope;
        set_x87(0x0F40);
        _mm_setcsr(0x8040 | 0x6000);
    }
    const std::uint16_t x87_after = x87_control();
    const unsigned after = control();
    CHECK(x87_after == x87_before);
    CHECK(after == before);
}

#elif defined(__aarch64__)

TEST_CASE("A caller's flush-to-zero does not reach the inside of a scope, and is there after it") {
    constexpr std::uint64_t flush_to_zero = std::uint64_t{1} << 24;
    std::uint64_t before = 0, during = 1, later = 0;
    asm volatile("mrs %0, fpcr" : "=r"(before));
    asm volatile("msr fpcr, %0" : : "r"(before | flush_to_zero));
    const float outside = product(FLT_MIN, 0.25F);
    float inside = 0;
    {
        const floating_point_scope scope;
        asm volatile("mrs %0, fpcr" : "=r"(during));
        inside = product(FLT_MIN, 0.25F);
    }
    const float after = product(FLT_MIN, 0.25F);
    asm volatile("mrs %0, fpcr" : "=r"(later));
    asm volatile("msr fpcr, %0" : : "r"(before));
    CHECK(is_zero(outside));
    CHECK(inside == subnormal);
    CHECK(is_zero(after));
    CHECK(during == 0);
    CHECK(later == (before | flush_to_zero));
}
#endif
