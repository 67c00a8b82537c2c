// tests/kernel/plain_matmul.cpp - products of doubles and integers, whatever the strides.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/plain_matmul.hpp>

#include <cstdint>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("plain products agree with a loop over dot products") {
    const std::vector<std::uint32_t> a{1, 2, 0xFFFFFFFF, 4, 5, 6}, b{7, 8, 9, 10, 11, 12};
    for (const bool turned : {false, true}) {
        const view<const std::uint32_t> right(b.data(), shape{3, 2}, turned ? strides{1, 3} : strides{2, 1});
        std::vector<std::uint32_t> out(4, 99);
        kernel::plain_matmul(view<const std::uint32_t>(a.data(), shape{2, 3}), right,
                             view<std::uint32_t>(out.data(), shape{2, 2}));
        for (std::int64_t m = 0; m < 2; ++m)
            for (std::int64_t n = 0; n < 2; ++n) {
                std::uint32_t sum = 0;
                for (std::int64_t k = 0; k < 3; ++k) sum += a[static_cast<std::size_t>(m * 3 + k)] * right(k, n);
                CHECK(out[static_cast<std::size_t>(m * 2 + n)] == sum);
            }
    }
}

TEST_CASE("an empty inner extent gives zeros, shapes that do not fit are refused") {
    std::vector<double> out(2, 9);
    kernel::plain_matmul(view<const double>(nullptr, shape{1, 0}), view<const double>(nullptr, shape{0, 2}),
                         view<double>(out.data(), shape{1, 2}));
    CHECK(out == std::vector<double>{0, 0});
    CHECK_THROWS(kernel::plain_matmul(view<const double>(out.data(), shape{1, 2}),
                                      view<const double>(out.data(), shape{1, 2}),
                                      view<double>(out.data(), shape{1, 2})));
}
