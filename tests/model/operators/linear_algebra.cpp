// tests/model/operators/linear_algebra.cpp - shapes and rows; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/linear_algebra.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, any = extent::unknown();
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
std::string shape_of_product(const std::string& equation, const std::vector<value_type>& in) {
    return answers_of(einsum(equation), in)[0].shape.text();
}
bool mixes(const std::string& equation, const std::vector<value_type>& in) {
    const std::vector<argument> arguments(in.begin(), in.end());
    return einsum(equation).mixes_rows(arguments);
}
}  // namespace

TEST_CASE("an equation of letters tells the answer's shape") {
    CHECK(shape_of_product("bij, bjk -> bik", {of({N, 2, any}), of({N, 3, 4})}) == "[N, 2, 4]");
    CHECK(shape_of_product("...ij,...jk", {of({5, 2, 3}), of({5, 3, 4})}) == "[5, 2, 4]");
    CHECK(shape_of_product("...ij,...jk", {of({N, 2, 3}), of({5, 3, 4})}) == "[..]");
    CHECK(shape_of_product("ij->j", {of(symbolic_shape::unknown())}) == "[?]");
    CHECK_THROWS(shape_of_product("ij,jk->ik", {of({2, 3})}));
    CHECK_THROWS(shape_of_product("ij,jk->ik", {of({2, 3}), of({4, 5})}));
    CHECK_THROWS(shape_of_product("ij->i", {of({N, 3, 4})}));
    CHECK_THROWS(shape_of_product("ij,jk->ik", {of({2, 3}), {element::float64, {3, 5}}}));
    CHECK_THROWS(shape_of_product("ij->i", {{element::int8, {2, 3}}}));
    CHECK_FALSE(mixes("bij,bjk->bik", {of({N, 2, 3}), of({N, 3, 4})}));
    CHECK_FALSE(mixes("ib->bi", {of({2, N})}));
    CHECK(mixes("bi->i", {of({N, 2})}));
}

TEST_CASE("determinants of stacked matrices") {
    CHECK(answers_of(determinant(), {of({N, 2, 3, 3})})[0].text() == "float32 [N, 2]");
    CHECK_THROWS(answers_of(determinant(), {of({N, 2, 3})}));
    CHECK_THROWS(answers_of(determinant(), {{element::int32, {3, 3}}}));
    const std::vector<argument> rows_within{of({2, N, 3})};
    CHECK(determinant().mixes_rows(rows_within));
}
