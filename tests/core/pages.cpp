// tests/core/pages.cpp - blocks with huge pages, blocks whose pages are there at once.
// SPDX-License-Identifier: MIT
#include <fanfold/core/pages.hpp>
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

TEST_CASE("whole pages lie within the block, and miss less than one at either end") {
    alignas(64) static std::byte block[512 << 10];
    for (const std::size_t from : {0U, 1U, 64U, 4096U, 65535U})
        for (const std::size_t bytes : {0U, 1U, 65535U, 65536U, 131071U, 131072U, 400000U}) {
            const detail::page_range whole = detail::whole_pages(block + from, bytes);
            if (bytes >= 131072) REQUIRE(whole.bytes != 0);
            if (whole.bytes == 0) continue;
            const auto* first = static_cast<const std::byte*>(whole.begin);
            CHECK(first >= block + from);
            CHECK(first < block + from + 65536);
            CHECK(first + whole.bytes <= block + from + bytes);
            CHECK(first + whole.bytes + 65536 > block + from + bytes);
        }
}

TEST_CASE("pages that are there at once, and pages that stay small, keep what is in them") {
    constexpr std::size_t bytes = std::size_t{9} << 20;
    const detail::aligned_bytes block = detail::allocate_aligned(bytes);
    std::memset(block.get(), 7, bytes);
    detail::populate(block.get() + 1, bytes - 1);
    detail::refuse_huge_pages(block.get(), bytes);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < bytes; ++i) kept += block[i] == std::byte{7} ? 1 : 0;
    CHECK(kept == bytes);
}

TEST_CASE("a populated tensor is one that was not cleared") {
    for (const std::int64_t rows : {0, 3, 300}) {
        tensor made = tensor::populated(element::float32, {rows, 1000});
        REQUIRE(made.shape() == shape{rows, 1000});
        if (rows != 0) std::memset(made.data(), 1, made.bytes());
    }
    CHECK_THROWS_AS(tensor::populated(element::float64, {INT64_MAX, 2}), std::invalid_argument);
}
