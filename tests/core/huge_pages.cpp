// SPDX-License-Identifier: MIT
#include <fanfold/core/huge_pages.hpp>
#include <fanfold/core/tensor.hpp>

#include <cstdint>
#include <cstring>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("large blocks begin at a huge page, small ones at a line; both can be written to the end") {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100000}, 2 * detail::huge_page - 1,
                                    2 * detail::huge_page, 3 * detail::huge_page + 12345}) {
        const detail::aligned_bytes block = detail::allocate_for_long(bytes);
        const std::size_t alignment = bytes < 2 * detail::huge_page ? buffer_alignment : detail::huge_page;
        CHECK(reinterpret_cast<std::uintptr_t>(block.get()) % alignment == 0);
        std::memset(block.get(), 1, bytes);
    }
    CHECK_THROWS_AS(detail::allocate_for_long(SIZE_MAX), std::bad_alloc);
}
