// fanfold/core/hash.hpp - a 64-bit hash of bytes, the same on every machine and in every run.
// SPDX-License-Identifier: MIT
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push  // g++ 12 takes its own intrinsics of AVX-512 for uninitialized where they are inlined
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define XXH_INLINE_ALL  // xxHash's own switch for header-only use; undefined again, so that it is nobody else's
#include <xxhash.h>     // XXH3_64bits
#undef XXH_INLINE_ALL
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// source   XXH3 (64 bits, seed 0), xxHash 0.8
[[nodiscard]] inline std::uint64_t hash_bytes(const void* data, std::size_t bytes) noexcept {
    return XXH3_64bits(data, bytes);
}

}  // namespace fanfold::inline FANFOLD_ABI
