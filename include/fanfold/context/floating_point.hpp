// fanfold/context/floating_point.hpp - one floating-point environment for every shard, the caller's restored after.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>  // std::uint64_t

#include "../config.hpp"
#if FANFOLD_X86_64
#include <xmmintrin.h>  // _mm_getcsr
#endif

namespace fanfold::inline FANFOLD_ABI {

/// While it lives: round to nearest, subnormals kept, no exception unmasked, on this thread; then as it was before.
/// Without it a caller's own setting would reach its thread but not the pool's, and bits would depend on who computes.
///
/// cost     about 10 ns
class floating_point_scope {
public:
    floating_point_scope() noexcept {
#if FANFOLD_X86_64
        before_ = _mm_getcsr();
        _mm_setcsr(0x1F80);
#elif defined(__aarch64__)
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
#endif
    }
    ~floating_point_scope() {
#if FANFOLD_X86_64
        _mm_setcsr(static_cast<unsigned>(before_));
#elif defined(__aarch64__)
        asm volatile("msr fpcr, %0" : : "r"(before_));
#endif
    }
    floating_point_scope(const floating_point_scope&) = delete;
    floating_point_scope& operator=(const floating_point_scope&) = delete;

private:
    std::uint64_t before_ = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
