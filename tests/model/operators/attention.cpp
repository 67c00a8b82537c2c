// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/attention.hpp>

#include "../../catch.hpp"
#include "../images.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("attention answers as its operands are turned, and says which do not fit") {
    const auto as_is = turned_operand::as_it_is(4);
    const attention op(as_is, as_is, as_is, 0.5F);
    const auto type = [](symbolic_shape s) { return value_type{element::float32, std::move(s)}; };
    const value_type q = type({rows_extent, 4, 5, 8}), k = type({rows_extent, 4, 7, 8}),
                     v = type({rows_extent, 4, 7, 6});
    CHECK(answers_of(op, {q, k, v}).front().text() == "float32 [N, 4, 5, 6]");
    CHECK(answers_of(*op.answering_in({0, 2, 1, 3}), {q, k, v, type({5, 7})}).front().text() == "float32 [N, 5, 4, 6]");
    CHECK_FALSE(op.answering_in({0, 1, 3, 2}));
    CHECK_THROWS_AS(answers_of(op, {q, v, v}), std::invalid_argument);
    CHECK_THROWS_AS(answers_of(op, {q, k, {element::int64, v.shape}}), std::invalid_argument);
    turned_operand third = as_is;
    third.order = {0, 3, 1, 4};
    third.taken_axis = 2;
    CHECK(
        answers_of(attention(third, third, third, 1),
                   {type({rows_extent, 9, 3, 2, 8}), type({rows_extent, 9, 3, 2, 8}), type({rows_extent, 9, 3, 2, 8})})
            .front()
            .text() == "float32 [N, 2, 9, 8]");
    const std::vector<shape> shapes{{2, 4, 5, 8}, {2, 4, 7, 8}, {2, 4, 7, 6}};
    CHECK(op.flops(shapes) == 2 * 2 * 4 * 5 * 7 * (8 + 6));
}
