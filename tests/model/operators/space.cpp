// tests/model/operators/space.cpp - extents that blocks divide.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/space.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("blocks of pixels and channels") {
    const extent N = rows_extent, any = extent::unknown();
    const value_type deep{element::int8, {N, 8, 2, any}}, wide{element::int8, {N, 2, 4, any}};
    CHECK(answers_of(depth_to_space(2), {deep})[0].text() == "int8 [N, 2, 4, ?]");
    CHECK(answers_of(space_to_depth(2), {wide})[0].text() == "int8 [N, 8, 2, ?]");
    CHECK(answers_of(space_to_depth(2), {{element::int8, symbolic_shape::unknown()}})[0].text() == "int8 [?, ?, ?, ?]");
    CHECK_THROWS(answers_of(depth_to_space(3), {deep}));
    CHECK_THROWS(answers_of(space_to_depth(3), {wide}));
    CHECK_THROWS(answers_of(space_to_depth(2), {{element::int8, {N, 4}}}));
    CHECK_THROWS(depth_to_space(0));
}
