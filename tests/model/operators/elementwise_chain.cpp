// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/elementwise_chain.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("a chain names its operations, broadcasts, counts") {
    const kernel::chain_step product{.pair = kernel::binary::mul, .a = 0, .b = 1};
    const kernel::chain_step sum{.pair = kernel::binary::add, .a = kernel::chain_inputs, .b = 2};
    const elementwise_chain op({product, sum});
    CHECK(op.name() == "Mul + Add");
    const value_type x{element::float32, {rows_extent, 3}}, row{element::float32, {3}};
    CHECK(answers_of(op, {x, row, row}).front().text() == "float32 [N, 3]");
    CHECK_THROWS_AS(answers_of(op, {x, {element::int64, {3}}, row}), std::invalid_argument);
    CHECK_FALSE(elementwise_chain::of(arithmetic(kernel::binary::less)));
    CHECK(elementwise_chain::of(unary_function(kernel::unary::exp))->name() == "Exp");
    const std::vector<shape> shapes{{4, 3}, {3}, {3}};
    CHECK(op.flops(shapes) == 24);
}
