// tests/model/symbolic_shape.cpp - extents linear in N: arithmetic, limits, texts.
// SPDX-License-Identifier: MIT
#include <fanfold/model/symbolic_shape.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("an extent is fixed + per_row * N") {
    CHECK(extent(5).at(100) == 5);
    CHECK(rows_extent.at(100) == 100);
    CHECK(extent(1, 3).at(4) == 13);
    CHECK(extent(7).text() == "7");
    CHECK(rows_extent.text() == "N");
    CHECK(extent(0, 3).text() == "3N");
    CHECK(extent(1, 1).text() == "N + 1");
    CHECK(rows_extent * 3 == extent(0, 3));
    CHECK(extent(2) * extent(1, 2) == extent(2, 4));
    CHECK_FALSE((rows_extent * rows_extent).known());
    CHECK_THROWS_WITH(extent(INT64_MAX) * 2, Catch::Matchers::Contains("too large"));
    CHECK_THROWS_WITH(extent(0, INT64_MAX).at(2), Catch::Matchers::Contains("too large at N = 2"));
}

TEST_CASE("a symbolic shape becomes a shape once N is known") {
    const symbolic_shape s{rows_extent, 3, 28};
    CHECK(s.at(10) == shape{10, 3, 28});
    CHECK(s.at(0) == shape{0, 3, 28});
    CHECK(s.text() == "[N, 3, 28]");
    CHECK(s.volume(1, 3) == extent(84));
    CHECK(s.volume(0, 3) == extent(0, 84));
    CHECK(s.volume(2, 2) == extent(1));
    CHECK_FALSE(s.constant());
    CHECK(symbolic_shape(shape{2, 3}).constant());
    CHECK(value_type{element::int64, s}.text() == "int64 [N, 3, 28]");
    CHECK_THROWS_WITH((symbolic_shape{extent(-5, 1)}.at(2)), Catch::Matchers::Contains("negative"));
    CHECK_THROWS_WITH(symbolic_shape(std::vector<extent>(9, 1)), "rank 9 is above 8");
}

TEST_CASE("rows lead where axis 0 alone is a multiple of N") {
    CHECK(symbolic_shape{rows_extent, 4}.rows_lead());
    CHECK(symbolic_shape{extent(0, 2), 4}.rows_lead());
    CHECK_FALSE(symbolic_shape{4, rows_extent}.rows_lead());
    CHECK_FALSE(symbolic_shape{extent(1, 1), 4}.rows_lead());
    CHECK_FALSE(symbolic_shape{rows_extent, rows_extent}.rows_lead());
    CHECK_FALSE(symbolic_shape{}.rows_lead());
}

TEST_CASE("what is not linear in N is unknown, and unknown stays unknown") {
    const extent unknown = extent::unknown();
    CHECK(unknown.text() == "?");
    CHECK_FALSE(unknown.known());
    CHECK_FALSE(unknown.constant());
    CHECK_FALSE(unknown.depends_on_rows());
    CHECK_FALSE(unknown == unknown);
    CHECK(may_equal(unknown, 7));
    CHECK_FALSE(may_equal(extent(6), 7));
    CHECK_FALSE((unknown + 1).known());
    CHECK_FALSE((unknown * 2).known());
    CHECK(unknown * 0 == extent(0));
    CHECK_THROWS_WITH(unknown.at(3), Catch::Matchers::Contains("got ?"));
}

TEST_CASE("extents add, subtract and divide") {
    CHECK(rows_extent + 2 == extent(2, 1));
    CHECK(extent(5, 3) - rows_extent == extent(5, 2));
    CHECK(extent(7) / 2 == extent(3));
    CHECK(extent(-7) / 2 == extent(-4));
    CHECK(extent(0, 6) / 3 == extent(0, 2));
    CHECK(extent(0, 6) / extent(0, 2) == extent(3));
    CHECK_FALSE((rows_extent / 2).known());
    CHECK_FALSE((extent(1) / 0).known());
    CHECK_FALSE((extent(1, 2) / extent(0, 2)).known());
    CHECK_THROWS_WITH(extent(INT64_MAX) + 1, Catch::Matchers::Contains("too large"));
}

TEST_CASE("one axis counts the rows, or it cannot be told which") {
    CHECK(symbolic_shape{3, rows_extent, 4}.row_axis() == std::size_t{1});
    CHECK_FALSE(symbolic_shape{rows_extent, rows_extent}.row_axis().has_value());
    CHECK_FALSE(symbolic_shape{rows_extent, extent::unknown()}.row_axis().has_value());
    CHECK(symbolic_shape{rows_extent, extent::unknown()}.depends_on_rows());
    CHECK_FALSE(symbolic_shape::unknown().ranked());
    CHECK(symbolic_shape::unknown().text() == "[..]");
    CHECK_THROWS_AS(symbolic_shape::unknown().rank(), std::invalid_argument);
    CHECK(may_equal(symbolic_shape::unknown(), symbolic_shape{1, 2}));
    CHECK_FALSE(may_equal(symbolic_shape::of_rank(1), symbolic_shape{1, 2}));
    CHECK(symbolic_shape::of_rank(2).text() == "[?, ?]");
}
