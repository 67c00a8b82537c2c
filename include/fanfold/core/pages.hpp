// fanfold/core/pages.hpp - what the system is told about the pages of large blocks: that they may be huge, or that all
// of them will be written at once. Where it knows nothing of either, all goes on as before.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uintptr_t
#if defined(__linux__)
#include <sys/mman.h>  // madvise
#endif

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

struct page_range {
    void* begin;
    std::size_t bytes;
};
/// The whole pages within a block, whatever the size of a page is up to 64 KiB.
[[nodiscard]] inline page_range whole_pages(void* block, std::size_t bytes) noexcept {
    constexpr std::uintptr_t page = std::uintptr_t{64} << 10;
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    const std::uintptr_t first = (begin + page - 1) / page * page, last = (begin + bytes) / page * page;
    if (first >= last) return {block, 0};
    return {static_cast<char*>(block) + (first - begin), last - first};
}

/// Asks for huge pages in a block that begins at the boundary of one; what is behind the last whole one keeps small
/// pages. Fewer misses where memory is read and written all over the place. Not for weights: a hypervisor takes back
/// free huge pages, and to get them again takes longer than they save (VGG-19 loads in 2.9 s instead of 1.0).
inline void ask_for_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    (void)::madvise(block, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
}

/// Keeps a block in small pages, of which those that nobody touches take no memory, however near they are to others.
inline void refuse_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_NOHUGEPAGE)
    const page_range whole = whole_pages(block, bytes);
    if (whole.bytes != 0) (void)::madvise(whole.begin, whole.bytes, MADV_NOHUGEPAGE);
#endif
}

/// Makes the whole pages of a block present, near the calling thread, by one call instead of a fault for each: a
/// quarter off what fresh memory costs. For blocks that this thread writes in full anyway.
/// source   madvise(2), MADV_POPULATE_WRITE, Linux 5.14
inline void populate([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_POPULATE_WRITE)
    constexpr std::size_t worth = std::size_t{256} << 10;
    constexpr std::size_t step = std::size_t{4} << 20;  // others may map memory meanwhile
    if (bytes < worth) return;
    const page_range whole = whole_pages(block, bytes);
    for (std::size_t at = 0; at < whole.bytes; at += step)
        if (::madvise(static_cast<char*>(whole.begin) + at, std::min(step, whole.bytes - at), MADV_POPULATE_WRITE) != 0)
            return;
#endif
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
