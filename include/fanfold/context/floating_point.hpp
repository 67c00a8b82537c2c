// fanfold/context/floating_point.hpp - one floating-point environment for every shard, the caller's restored after.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>  // std::uint64_t, std::uint16_t

#include "../config.hpp"
#if FANFOLD_X86_64
#include <xmmintrin.h>  // _mm_getcsr
#endif

namespace fanfold::inline FANFOLD_ABI {

/// While it lives: round to nearest, subnormals kept, no exception unmasked, on this thread; then as it was before.
/// Without it a caller's own setting would reach its thread but not the pool's, and bits would depend on who computes.
/// Exceptions that were raised meanwhile leave no trace.
///
/// cost     about 11 ns
class floating_point_scope {
public:
    floating_point_scope() noexcept {
#if FANFOLD_X86_64
        before_ = _mm_getcsr();
        if (before_ != 0x1F80) _mm_setcsr(0x1F80);  // setting it waits for what is in flight
        x87_before_ = x87();
        if (x87_before_ != x87_default) set_x87(x87_default);
#elif defined(__aarch64__)
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
#endif
    }
    ~floating_point_scope() {
#if FANFOLD_X86_64
        if (x87() != x87_before_ || x87_raised()) set_x87(x87_before_);
        _mm_setcsr(static_cast<unsigned>(before_));
#elif defined(__aarch64__)
        asm volatile("msr fpcr, %0" : : "r"(before_));
#endif
    }
    floating_point_scope(const floating_point_scope&) = delete;
    floating_point_scope& operator=(const floating_point_scope&) = delete;

private:
#if FANFOLD_X86_64
    // long double is computed by the x87 unit, which has a control word of its own
    static constexpr std::uint16_t x87_default = 0x037F;
    [[nodiscard]] static std::uint16_t x87() noexcept {
        std::uint16_t word = 0;
        asm volatile("fnstcw %0" : "=m"(word));
        return word;
    }
    /// Whether an exception is on record. A thread that later unmasks it,
    /// as TBB's do for a caller that has, would trap.
    [[nodiscard]] static bool x87_raised() noexcept {
        std::uint16_t word = 0;
        asm volatile("fnstsw %0" : "=a"(word));
        return (word & 0x3F) != 0;
    }
    static void set_x87(std::uint16_t word) noexcept { asm volatile("fnclex\n\tfldcw %0" : : "m"(word)); }
    std::uint16_t x87_before_ = x87_default;
#endif
    std::uint64_t before_ = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
