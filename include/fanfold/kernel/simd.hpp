// fanfold/kernel/simd.hpp - 16 virtual lanes of float, once per instruction set: kernel::baseline, avx2, avx512.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::int32_t

#include "isa.hpp"
#if FANFOLD_X86_64
#include <immintrin.h>  // __m128, __m256, __m512
#elif FANFOLD_NEON
#include <arm_neon.h>  // float32x4_t
#endif

// A kernel's body is one file, body/*.inc, that a header includes once per instruction set between target/*_begin.inc
// and target/end.inc. In each of these namespaces stands a type f32x16 with these functions. "n" is at most 16.
//
//   zero() set1(x)                all lanes alike
//   load(p) store(p, x)           16 floats, unaligned
//   quads(p)                      4 floats, four times; splat<I>(x): lane I of such an x in all lanes
//   load_n(p, n)                  n floats and +0 in the lanes behind them; reads nothing else
//   store_n(p, x, n)              the first n lanes; writes nothing else
//   + - * / sqrt                  rounded once; a product is never fused into a later sum
//   fma(x, y, z)                  x * y + z rounded once; on SSE2 the product is rounded first
//                                 (the same for three doubles)
//   less(x, y) is_nan(x)          a mask16
//   select(m, x, y)               x where m, else y
//   first(n, x, y)                the first n lanes of x, the others of y
//   greater_or_second(x, y)       x > y ? x : y, so y if one is NaN; lesser_or_second(x, y) alike
//   max(x, y) min(x, y)           as these, but NaN if either is NaN
//   clamp(x, low, high) relu(x)   NaN stays NaN; relu(-0) is -0
//   abs(x) copysign(x, sign)
//   round(x)                      to the nearest integer, ties to even; requires |x| < 2^31
//   scale2(x, n)                  x * 2^n for integer-valued n in [-252, 254], rounded once at most when |x| is near 1
//   two_to(n)                     2^n for integer-valued n in [-126, 127]
//   exponent(x)                   n where x = m * 2^n, 1 <= m < 2, for normal x > 0
//   evens(x, y) odds(x, y)        every second lane of x, then of y
//   sum(x) largest(x)             over the lanes, in one tree: i with i + 8, then + 4, + 2, + 1; largest: NaN if any is
//
// avx2, avx512 and NEON agree in every bit (of a NaN: that it is one).
// No vector crosses the border of a region by value.

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// Sixteen set lanes, then sixteen clear ones; starting at 16 - n gives a mask of the first n.
alignas(64) inline constexpr std::int32_t lane_masks[32] = {
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#if FANFOLD_X86_64
#include "target/simd_sse2.inc"
#elif FANFOLD_NEON
#include "target/simd_neon.inc"
#else
#include "target/simd_portable.inc"
#endif
#include "target/simd_common.inc"
#include "target/end.inc"

#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "target/simd_avx2.inc"
#include "target/simd_common.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "target/simd_avx512.inc"
#include "target/simd_common.inc"
#include "target/end.inc"
#else
namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

namespace avx2 = baseline;
namespace avx512 = baseline;

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
#endif
// clang-format on
