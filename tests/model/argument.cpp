// SPDX-License-Identifier: MIT
#include <fanfold/model/argument.hpp>

#include "../catch.hpp"
#include "rules.hpp"

using namespace fanfold;

TEST_CASE("an input is given unless it is left out, at load and in a run") {
    const std::vector<argument> load{floats({2}), argument::none(), int64s({})};
    CHECK(given(load, 0));
    CHECK_FALSE(given(load, 1));
    CHECK(given(load, 2));
    CHECK_FALSE(given(std::span<const argument>(), 0));
    const tensor x(element::float32, {2}), nothing(element::float32, {0});
    const std::vector<tensor_view> run{x, tensor_view(), present(nothing)};
    CHECK(given(run, 0));
    CHECK_FALSE(given(run, 1));
    CHECK(given(run, 2));  // without elements, but there
    CHECK(present(nothing).shape() == shape{0});
    CHECK(present(x).data() == x.data());
}

TEST_CASE("sizes come from elements, from what is known of them, or not at all") {
    const tensor wide = list({2, -1}), narrow = tensor::of<std::int32_t>({}, {7}), real(element::float32, {2});
    const tensor matrix(element::int64, {1, 2});
    CHECK(sizes_in(argument(wide)) == symbolic_values{2, -1});
    CHECK(sizes_in(argument(narrow)) == symbolic_values{7});
    CHECK_FALSE(sizes_in(argument(real)).has_value());
    CHECK_FALSE(sizes_in(argument(matrix)).has_value());
    CHECK_FALSE(sizes_in(int64s({2})).has_value());
    argument symbolic = int64s({2});
    const symbolic_values known{rows_extent, 4};
    symbolic.sizes = &known;
    CHECK(sizes_in(symbolic) == known);
    CHECK_FALSE(integers_in(symbolic).has_value());  // N is no number
    const symbolic_values numbers{3, 4};
    symbolic.sizes = &numbers;
    CHECK(integers_in(symbolic) == std::vector<std::int64_t>{3, 4});
}

TEST_CASE("the integers of a tensor are int32 or int64") {
    const tensor wide = list({2, -1}), narrow = tensor::of<std::int32_t>({1}, {7}), real(element::float32, {2});
    CHECK(integers_in(tensor_view(wide)) == std::vector<std::int64_t>{2, -1});
    CHECK(integers_in(tensor_view(narrow)) == std::vector<std::int64_t>{7});
    CHECK_THROWS_AS(integers_in(tensor_view(real)), std::invalid_argument);
}
