// tests/model/knowledge.cpp - what follows before a run: constants, sizes in N, whether rows mix.
// SPDX-License-Identifier: MIT
#include <fanfold/model/knowledge.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/gather.hpp>
#include <fanfold/model/operators/selection.hpp>
#include <fanfold/model/operators/sizes.hpp>

#include "../catch.hpp"
#include "rules.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const operation add = arithmetic(kernel::binary::add);
const operation shape_list = shape_of();
const operation to_float = cast(element::float32);
const extent N = rows_extent;

deduction deduced(const operation& op, const std::vector<knowledge>& from, const graph_limits& limits = {}) {
    std::vector<const knowledge*> in;
    for (const knowledge& one : from) in.push_back(&one);
    build_budget budget;
    return deduce(op, in, limits, budget);
}
knowledge constant(tensor t) { return knowledge::of(std::make_shared<const tensor>(std::move(t))); }

}  // namespace

TEST_CASE("with all inputs known the answers are computed, whatever makes room for them") {
    const auto sum = deduced(add, {constant(list({1, 2})), constant(list({10, 20}))});
    REQUIRE(sum.answers[0].elements.has_value());
    CHECK(integers_in(*sum.answers[0].elements) == std::vector<std::int64_t>{11, 22});
    CHECK(sum.answers[0].owner != nullptr);
    const auto places = deduced(non_zero(), {constant(list({0, 5, 6}))});
    CHECK(places.answers[0].type.text() == "int64 [1, 2]");
    CHECK(integers_in(places.answers[0].elements->reshaped(shape{2})) == std::vector<std::int64_t>{1, 2});
    CHECK_FALSE(deduced(add, {constant(list({1, 2})), {int64s({2})}}).answers[0].elements.has_value());
}

TEST_CASE("answers beyond the limits are refused, computed or not") {
    const graph_limits limits{.bytes_per_value = 100};
    CHECK_THROWS_WITH(deduced(add, {{floats({N, 26})}, {floats({26})}}, limits),
                      "its answer float32 [N, 26] takes more than 100 bytes a row");
    const knowledge wide = constant(list(std::vector<std::int64_t>(13)));
    CHECK_THROWS_WITH(deduced(add, {wide, wide}, limits), Contains("int64 [13] takes more than"));
    CHECK_NOTHROW(deduced(add, {{floats({extent::unknown()})}, {floats({26})}}, {.bytes_per_value = 104}));
}

TEST_CASE("sizes are known in N, and those that are numbers become constants") {
    const auto sizes = deduced(shape_list, {{floats({N, 4})}}).answers[0];
    CHECK(sizes.sizes == symbolic_values{N, 4});
    CHECK(sizes.counts_rows);
    CHECK_FALSE(sizes.elements.has_value());
    const auto picked = [&](std::int64_t index) {
        return deduced(gather(), {sizes, constant(tensor::of<std::int64_t>({}, {index}))}).answers[0];
    };
    CHECK(picked(0).sizes == symbolic_values{N});
    CHECK(picked(0).counts_rows);
    REQUIRE(picked(1).elements.has_value());
    CHECK(picked(1).elements->as<std::int64_t>().data()[0] == 4);
    CHECK_FALSE(picked(1).counts_rows);
    const auto sum = deduced(add, {picked(0), picked(0)}).answers[0];
    CHECK(sum.sizes == symbolic_values{extent(0, 2)});
    const auto open = deduced(shape_list, {{floats({extent::unknown(), 3})}}).answers[0];
    REQUIRE(open.sizes.has_value());
    CHECK_FALSE(open.sizes->front().known());
    CHECK(open.sizes->back() == extent(3));
}

TEST_CASE("a count of rows used as a number mixes rows; used as a size it does not") {
    const knowledge x{floats({N, 4})};
    const auto count = deduced(to_float, {deduced(shape_list, {x}).answers[0]}).answers[0];
    CHECK(count.counts_rows);
    CHECK_FALSE(count.sizes.has_value());
    const auto first = deduced(gather(), {count, constant(tensor::of<std::int64_t>({}, {0}))}).answers[0];
    CHECK(first.counts_rows);
    CHECK(deduced(add, {x, first}).rows == row_use::mixed);
    CHECK(deduced(shape_list, {x}).rows == row_use::independent);
    const tensor one(element::float32, {1});
    const auto zeros = deduced(constant_of_shape(one), {deduced(shape_list, {x}).answers[0]});
    CHECK(zeros.answers[0].type.text() == "float32 [N, 4]");
    CHECK(zeros.rows == row_use::independent);
    CHECK_FALSE(zeros.answers[0].counts_rows);
}

TEST_CASE("rows that are gone, doubled into two axes, or not to be followed") {
    const auto rows = [](const operation& op, const value_type& x) { return deduced(op, {{x}}).rows; };
    const operation abs = unary_function(kernel::unary::abs);
    CHECK(rows(abs, floats({N, 2})) == row_use::independent);
    CHECK(rows(abs, floats({2, N})) == row_use::independent);
    CHECK(rows(abs, floats({N, N})) == row_use::mixed);
    CHECK(rows(abs, floats({extent(1, 1)})) == row_use::mixed);
    CHECK(rows(abs, floats({N, extent::unknown()})) == row_use::unclear);
    CHECK(rows(abs, floats({extent::unknown()})) == row_use::independent);  // no rows known to come
    CHECK(rows(non_zero(), floats({N})) == row_use::unclear);
    CHECK(rows(non_zero(), floats({3})) == row_use::independent);
}

TEST_CASE("an input that is left out is known to be") {
    knowledge nothing;
    nothing.absent = true;
    CHECK(nothing.as_argument().absent);
    CHECK_FALSE(nothing.as_argument().value.has_value());
    const tensor x = list({1});
    CHECK(knowledge::of(tensor_view(x)).as_argument().value->data() == x.data());
}
