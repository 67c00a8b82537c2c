// SPDX-License-Identifier: MIT
#include <fanfold/core/shape.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

constexpr std::int64_t large = std::int64_t{1} << 32;
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("A shape lists its extents outermost first") {
    const shape s{10000, 1, 28, 28};
    CHECK(s.rank() == 4);
    CHECK(s[0] == 10000);
    CHECK(s[3] == 28);
    CHECK(std::vector<std::int64_t>(s.begin(), s.end()) == std::vector<std::int64_t>{10000, 1, 28, 28});
    CHECK(s.volume() == 7840000);
    CHECK(s.text() == "[10000, 1, 28, 28]");
}

TEST_CASE("A shape of rank 0 has one element, a shape with an empty axis none") {
    CHECK(shape{}.rank() == 0);
    CHECK(shape{}.volume() == 1);
    CHECK(shape{}.text() == "[]");
    CHECK(shape{0}.volume() == 0);
    CHECK(shape{3, 0, 5}.volume() == 0);
}

TEST_CASE("A shape is usable in a constant expression") {
    constexpr shape s{2, 3};
    static_assert(s.volume() == 6);
    static_assert(s.with(0, 7) == shape{7, 3});
    static_assert(dense_strides(s)[0] == 3);
    CHECK(s.rank() == 2);
}

TEST_CASE("A shape is made from a span of extents") {
    const std::vector<std::int64_t> extents{4, 5};
    CHECK(shape(std::span<const std::int64_t>(extents)) == shape{4, 5});
    CHECK(shape(std::span<const std::int64_t>()) == shape{});
}

TEST_CASE("Shapes are equal when rank and extents are") {
    CHECK(shape{2, 3} == shape{2, 3});
    CHECK_FALSE(shape{2, 3} == shape{3, 2});
    CHECK_FALSE(shape{2, 3} == shape{2, 3, 1});
    CHECK_FALSE(shape{} == shape{0});
    CHECK_FALSE(shape{} == shape{1});
}

TEST_CASE("A negative extent is refused, with the shape in the text") {
    REQUIRE_THROWS_AS((shape{2, -3}), std::invalid_argument);
    CHECK(text_of([] { shape{2, -3}; }) == "shape: negative extent in [2, -3]");
    REQUIRE_THROWS_AS((shape{0, -1}), std::invalid_argument);
}

TEST_CASE("A shape holds eight extents, and nine are refused with both numbers") {
    CHECK(shape{1, 2, 1, 2, 1, 2, 1, 2}.volume() == 16);
    REQUIRE_THROWS_AS((shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), std::invalid_argument);
    CHECK(text_of([] { shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }) == "shape: rank 9, at most 8");
}

TEST_CASE("Extents whose product does not fit 63 bits are refused") {
    CHECK(shape{largest}.volume() == static_cast<std::size_t>(largest));
    CHECK(shape{large, large / 4}.volume() == std::size_t{1} << 62);
    REQUIRE_THROWS_AS((shape{large, large / 2}), std::invalid_argument);
    REQUIRE_THROWS_AS((shape{large, large}), std::invalid_argument);
    REQUIRE_THROWS_AS((shape{largest, 2}), std::invalid_argument);
    CHECK(text_of([] {
              shape{large, large};
          }) == "shape: more elements than 63 bits can count in [4294967296, 4294967296]");
}

TEST_CASE("An empty axis does not hide that the strides of the others overflow") {
    REQUIRE_THROWS_AS((shape{0, large, large}), std::invalid_argument);
    REQUIRE_THROWS_AS((shape{large, large, 0}), std::invalid_argument);
    CHECK(shape{0, large, large / 4}.volume() == 0);
}

TEST_CASE("A shape with another extent leaves the first as it was") {
    const shape s{2, 3, 4};
    CHECK(s.with(1, 9) == shape{2, 9, 4});
    CHECK(s.with(0, 0).volume() == 0);
    CHECK(s == shape{2, 3, 4});
}

TEST_CASE("Another extent is checked like the first ones") {
    const shape s{2, large};
    REQUIRE_THROWS_AS(s.with(0, -1), std::invalid_argument);
    REQUIRE_THROWS_AS(s.with(0, large), std::invalid_argument);
}

TEST_CASE("An extent for an axis that a shape does not have is refused") {
    const shape s{2, 3};
    REQUIRE_THROWS_AS(s.with(2, 1), std::invalid_argument);
    REQUIRE_THROWS_AS(s.with(8, 1), std::invalid_argument);
    REQUIRE_THROWS_AS(shape{}.with(0, 1), std::invalid_argument);
    CHECK(text_of([&] { (void)s.with(2, 1); }) == "shape: no axis 2 in [2, 3]");
}

TEST_CASE("Dense strides count the elements of the axes within") {
    const strides steps = dense_strides({2, 3, 4});
    CHECK(steps[0] == 12);
    CHECK(steps[1] == 4);
    CHECK(steps[2] == 1);
    CHECK(dense_strides(shape{})[0] == 0);
}

TEST_CASE("An empty axis counts as one for dense strides") {
    const strides steps = dense_strides({2, 0, 4});
    CHECK(steps[0] == 4);
    CHECK(steps[1] == 4);
    CHECK(steps[2] == 1);
}
