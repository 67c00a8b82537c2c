// tests/model/operators/softmax.cpp - which elements sum to one, and when that mixes rows.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/model/operators/softmax.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;

TEST_CASE("softmax over an axis, or over all from it on") {
    const auto sums = [](const softmax& op, std::size_t apart, std::size_t count) {
        graph_builder g;
        const auto x = g.input("x", {element::float32, {rows_extent, 2, 3}});
        const graph model = std::move(g).finish({{"y", g.add(op, {x}).front()}});
        const auto y = floats_of(run(model, {tensor::of<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6})}, 1)[0]);
        float sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += y[i * apart];
        return std::abs(sum - 1) < 1e-6F;
    };
    CHECK(sums(softmax(-1), 1, 3));
    CHECK(sums(softmax(2), 1, 3));
    CHECK(sums(softmax(1), 3, 2));
    CHECK(sums(softmax(1, softmax_over::axis_and_later), 1, 6));
}

TEST_CASE("softmax mixes rows when N is among what it sums") {
    const std::vector<argument> lead{value_type{element::float32, {rows_extent, 2, 3}}};
    const std::vector<argument> inside{value_type{element::float32, {2, rows_extent}}};
    CHECK(softmax(0).mixes_rows(lead));
    CHECK(softmax(0, softmax_over::axis_and_later).mixes_rows(lead));
    CHECK_FALSE(softmax(1).mixes_rows(lead));
    CHECK_FALSE(softmax(1, softmax_over::axis_and_later).mixes_rows(lead));
    CHECK(softmax(0, softmax_over::axis_and_later).mixes_rows(inside));
    CHECK_FALSE(softmax(0).mixes_rows(inside));
}

TEST_CASE("rows keep their bits along any axis, whatever is made of them") {
    for (const softmax_kind kind : {softmax_kind::probability, softmax_kind::logarithm, softmax_kind::hard}) {
        const extent N = rows_extent;
        CHECK(rows_are_independent(graph_of(softmax(1, softmax_over::axis, kind), {floats({N, 37})}), pattern({5, 37}),
                                   0));
        CHECK(rows_are_independent(graph_of(softmax(0, softmax_over::axis, kind), {floats({37, N})}), pattern({37, 5}),
                                   1));
        CHECK(rows_are_independent(graph_of(softmax(-1, softmax_over::axis, kind), {floats({3, N, 7})}),
                                   pattern({3, 5, 7}), 1));
        const graph late = graph_of(softmax(1, softmax_over::axis_and_later, kind),
                                    {floats({N, extent::unknown(), extent::unknown()})});
        CHECK(rows_are_independent(late, pattern({4, 3, 5}), 0));
        CHECK(run(late, {tensor(element::float32, {2, 0, 5})}, 2)[0].size() == 0);
    }
    CHECK(rule(softmax(1), {floats(symbolic_shape::unknown())}) == "float32 [..]");
    CHECK(softmax(0, softmax_over::axis, softmax_kind::hard).name() == "Hardmax");
}

TEST_CASE("softmax refuses axes and types it does not know") {
    CHECK_THROWS_WITH(answers_of(softmax(2), {{element::float32, {rows_extent, 2}}}),
                      "expected an axis in [-2, 2), got 2");
    CHECK_NOTHROW(answers_of(softmax(0), {{element::float64, {rows_extent}}}));
    CHECK_THROWS(answers_of(softmax(0), {{element::int64, {rows_extent}}}));
    CHECK_THROWS(answers_of(softmax(0), {{element::float32, {}}}));
}
