// fanfold/config.hpp - the only macros: version, instruction set of the translation unit, the inline namespace.
// SPDX-License-Identifier: MIT
#pragma once

#define FANFOLD_VERSION_MAJOR 0
#define FANFOLD_VERSION_MINOR 1
#define FANFOLD_VERSION_PATCH 0

// fanfold promises the same bits for a row whatever happens; these flags let the compiler break that per call site.
#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error \
    "fanfold: do not compile with -ffast-math (or -Ofast, -ffinite-math-only): results would depend on the batch size"
#endif

#if defined(__x86_64__) || defined(_M_X64)
#define FANFOLD_X86_64 1
#else
#define FANFOLD_X86_64 0
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
#define FANFOLD_NEON 1
#else
#define FANFOLD_NEON 0
#endif

// What changes generated code stands in the name of the inline namespace, so that two translation units built with
// different flags never share an inline function by accident of link order.
#if defined(__AVX512F__)
#define FANFOLD_ABI_SET avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define FANFOLD_ABI_SET avx2
#elif defined(__AVX__)
#define FANFOLD_ABI_SET avx
#elif defined(__SSE4_2__)
#define FANFOLD_ABI_SET sse42
#elif defined(__ARM_NEON)
#define FANFOLD_ABI_SET neon
#else
#define FANFOLD_ABI_SET base
#endif
#if defined(__STRICT_ANSI__)  // the standard library differs: __int128 is an integer in GNU mode only
#define FANFOLD_ABI_MODE iso
#else
#define FANFOLD_ABI_MODE gnu
#endif
#if defined(NDEBUG)
#define FANFOLD_ABI_ASSERT nd
#else
#define FANFOLD_ABI_ASSERT as
#endif
#define FANFOLD_JOIN_(a, b, c, d) a##_##b##_##c##_##d
#define FANFOLD_JOIN(a, b, c, d) FANFOLD_JOIN_(a, b, c, d)
#define FANFOLD_ABI FANFOLD_JOIN(v0, FANFOLD_ABI_SET, FANFOLD_ABI_MODE, FANFOLD_ABI_ASSERT)

// 1: the importer of fanfold::onnx is compiled once, into a library (the CMake option of this name), else it is inline.
#ifndef FANFOLD_COMPILED
#define FANFOLD_COMPILED 0
#endif
#if FANFOLD_COMPILED
#define FANFOLD_INLINE
#else
#define FANFOLD_INLINE inline
#endif

/// fanfold fans batches of inference work out over CPU cores and folds the answers back, in order.
namespace fanfold::inline FANFOLD_ABI {}
