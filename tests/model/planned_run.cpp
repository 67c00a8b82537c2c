// tests/model/planned_run.cpp - one pass: the rows it is asked for and no others, and as much memory as it said.
// SPDX-License-Identifier: MIT
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/axes.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/reshape.hpp>
#include <fanfold/model/planned_run.hpp>

#include "../catch.hpp"
#include "rules.hpp"

using namespace fanfold;

namespace {

const extent N = rows_extent;

/// exp(x) + shared, reshaped to two rows for each; x itself; a constant.
graph three_answers() {
    graph_builder g;
    const auto x = g.input("x", floats({N, 4}));
    const auto shared = g.input("shared", floats({4}));
    const auto e = g.add(unary_function(kernel::unary::exp), {x}).front();
    const auto s = g.add(arithmetic(kernel::binary::add), {e, shared}).front();
    const auto y = g.add(reshape({-1, 2}), {s}).front();
    return std::move(g).finish({{"y", y}, {"x", x}, {"c", g.constant(tensor::of<float>({2}, {7, 8}))}});
}

}  // namespace

TEST_CASE("a pass writes the answers of its own rows alone") {
    const graph g = three_answers();
    REQUIRE(g.state().planned);
    const tensor x = pattern({5, 4}), shared = pattern({4});
    const tensor_view in[]{x, shared};
    workspace space;
    const auto whole = g.run(in, space);
    tensor y(element::float32, {10, 2}), again(element::float32, {5, 4}), c(element::float32, {2});
    const mutable_tensor_view out[]{y, again, c};
    detail::planned_run(g.state(), batch_view(in, 5), mutable_batch_view(out, 5), 1, 3, space);
    for (std::int64_t row = 0; row < 10; ++row)
        for (std::int64_t column = 0; column < 2; ++column)
            CHECK(y.as<float>()(row, column) == (row < 2 || row >= 8 ? 0 : whole[0].as<float>()(row, column)));
    CHECK(again.as<float>()(0, 1) == 0);
    CHECK(again.as<float>()(3, 1) == x.as<float>()(3, 1));
    CHECK(c.as<float>()(1) == 8);
}

TEST_CASE("a pass takes as many bytes as planned_bytes says, for any number of rows") {
    const graph g = three_answers();
    for (const std::int64_t rows : {0, 1, 3, 64}) {
        const tensor x = pattern({rows, 4}), shared = pattern({4});
        const tensor_view in[]{x, shared};
        tensor y(element::float32, {2 * rows, 2}), again(element::float32, {rows, 4}), c(element::float32, {2});
        const mutable_tensor_view out[]{y, again, c};
        const auto count = static_cast<std::size_t>(rows);
        workspace space(detail::planned_bytes(g.state(), count));
        const std::size_t before = space.capacity();
        detail::planned_run(g.state(), batch_view(in, count), mutable_batch_view(out, count), 0, count, space);
        CHECK(space.capacity() == before);
    }
}

TEST_CASE("rows that lie along another axis are taken whole") {
    const tensor x = pattern({4, 6});
    CHECK(detail::pass_slice(tensor_view(x), {N, 6}, 1, 2).shape() == shape{2, 6});
    CHECK(detail::pass_slice(tensor_view(x), {extent(0, 2), 6}, 1, 1).data() == tensor_view(x).slice(0, 2, 2).data());
    CHECK(detail::pass_slice(tensor_view(x), {4, N}, 1, 2).shape() == shape{4, 6});
    CHECK(detail::pass_slice(tensor_view(x), {4, 6}, 1, 2).shape() == shape{4, 6});
    const graph g = graph_of(transpose(), {floats({3, N})});
    CHECK(g.state().planned);
    CHECK(rows_are_independent(g, pattern({3, 5}), 1));
}
