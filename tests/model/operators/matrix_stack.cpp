// tests/model/operators/matrix_stack.cpp - which matrices meet in a product of stacks.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/matrix_stack.hpp>

#include <utility>
#include <vector>

#include "../../catch.hpp"

using namespace fanfold;

TEST_CASE("stacks of matrices broadcast") {
    const std::vector<float> values(64);
    const auto of = [&](const shape& s) { return tensor_view(view<const float>(values.data(), s)); };
    const detail::matrix_stack a(of({2, 1, 3, 4}), transposed::no, operand::left);
    const detail::matrix_stack b(of({2, 5, 4}), transposed::yes, operand::right);
    CHECK(b.rows == 4);
    CHECK(b.columns == 5);
    CHECK(b.at(1).steps()[0] == 1);
    std::vector<std::pair<std::int64_t, std::int64_t>> met;
    detail::for_each_product(a, b, 4, [&](std::int64_t, std::int64_t x, std::int64_t y) { met.emplace_back(x, y); });
    CHECK(met == std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
    CHECK(detail::matrix_stack(of({4}), transposed::no, operand::left).columns == 4);
    CHECK(detail::matrix_stack(of({4}), transposed::no, operand::right).rows == 4);
}

TEST_CASE("the shape of a product") {
    const auto product = [](symbolic_shape a, symbolic_shape b) {
        return detail::product_of({element::int32, std::move(a)}, transposed::no, {element::int32, std::move(b)},
                                  transposed::no)
            .answer.text();
    };
    CHECK(product({rows_extent, 1, 3, 4}, {2, 4, 5}) == "[N, 2, 3, 5]");
    CHECK(product({4}, {4}) == "[]");
    CHECK(product(symbolic_shape::unknown(), {4, 5}) == "[..]");
    CHECK_THROWS(product({2, 3}, {4, 5}));
    CHECK_THROWS(product({}, {4, 5}));
}
