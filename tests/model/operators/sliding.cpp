// tests/model/operators/sliding.cpp - paddings that follow from the image.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/sliding.hpp>

#include "../../catch.hpp"

using namespace fanfold;

namespace {
sliding_rule rule(window_padding padding) {
    sliding_rule made;
    made.window.size = {3, 2, 1};
    made.window.stride = {2, 1, 1};
    made.padding = padding;
    made.axes = 2;
    return made;
}
}  // namespace

TEST_CASE("SAME puts the odd element of padding at the end or at the start") {
    const shape image{4, 1, 6, 5};
    const kernel::window_nd upper = rule(window_padding::same_upper).over(image);
    CHECK(upper.before == kernel::per_axis{0, 0, 0});
    CHECK(upper.after == kernel::per_axis{1, 1, 0});
    const kernel::window_nd lower = rule(window_padding::same_lower).over(image);
    CHECK(lower.before == kernel::per_axis{1, 1, 0});
    CHECK(lower.after == kernel::per_axis{0, 0, 0});
}

TEST_CASE("windows are counted where the extent is known") {
    const sliding_rule same = rule(window_padding::same_upper), none = rule(window_padding::none);
    CHECK(detail::windows_along("it", same, 0, 7, same.window) == extent(4));
    CHECK(detail::windows_along("it", none, 0, 7, none.window) == extent(3));
    CHECK_FALSE(detail::windows_along("it", none, 0, extent::unknown(), none.window).known());
    CHECK_FALSE(detail::windows_along("it", none, 0, rows_extent, none.window).known());
    CHECK_THROWS(detail::windows_along("it", none, 0, 2, none.window));
}

TEST_CASE("images of another rank or type are refused") {
    constexpr element type = element::float32;
    const auto expect = [&](element given, symbolic_shape s) {
        detail::expect_spatial({given, std::move(s)}, rule(window_padding::none), std::span(&type, 1));
    };
    CHECK_NOTHROW(expect(type, {rows_extent, 3, 8, 9}));
    CHECK_NOTHROW(expect(type, symbolic_shape::unknown()));
    CHECK_THROWS(expect(type, {rows_extent, 3, 8}));
    CHECK_THROWS(expect(element::int8, {rows_extent, 3, 8, 9}));
}
