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

TEST_CASE("pages that are there at once are whole ones inside the block") {
    constexpr std::size_t bytes = std::size_t{1} << 20;
    const detail::aligned_bytes block = detail::allocate_aligned(bytes);
    std::memset(block.get(), 7, bytes);
    for (const std::size_t from : {0U, 1U, 64U, 4095U, 4096U, 65537U})  // nothing is lost, nothing beyond is touched
        for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{300000}, bytes - from})
            detail::populate(block.get() + from, count);
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
