// fanfold/core/huge_pages.hpp - asking for large pages:
// fewer misses where memory is read and written all over the place.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#if defined(__linux__)
#include <sys/mman.h>  // madvise
#endif

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Asks for huge pages in a block that begins at the boundary of one; what is behind the last whole one keeps small
/// pages. Where there are none to give, all goes on as before.
inline void ask_for_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)::madvise(block, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
