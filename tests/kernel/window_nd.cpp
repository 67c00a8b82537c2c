// SPDX-License-Identifier: MIT
#include <fanfold/kernel/window_nd.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("taps of a window within an axis are those that a loop finds", "[kernel][window]") {
    for (const std::int64_t size : {1, 3, 4})
        for (const std::int64_t stride : {1, 2, 5})
            for (const std::int64_t dilation : {1, 2, 3})
                for (const std::int64_t before : {0, 1, 3, 9}) {
                    const kernel::detail::window3 w(
                        "", {1, 1, 6},
                        {.size = {size}, .stride = {stride}, .dilation = {dilation}, .before = {before}});
                    bool right = true;
                    for (std::int64_t at = 0; at < 8; ++at) {
                        const auto taps = w.taps(2, at);
                        for (std::int64_t k = 0; k < size; ++k) {
                            const std::int64_t i = at * stride - before + k * dilation;
                            right = right && (i >= 0 && i < 6) == (k >= taps.from && k < taps.to);
                        }
                    }
                    CHECK(right);
                }
}

TEST_CASE("an image has one to three spatial axes", "[kernel][window]") {
    CHECK_THROWS_AS(kernel::detail::window3("", {1, 1}, {}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::detail::window3("", {1, 1, 2, 2, 2, 2}, {}), std::invalid_argument);
    kernel::detail::window3 w("", {2, 3, 7, 9}, {.size = {2, 3}, .stride = {2, 1}});
    w.place("", kernel::window2d::rounding::ceil);
    CHECK((w.answer({2, 3, 7, 9}, 5) == shape{2, 5, 4, 7}));
}
