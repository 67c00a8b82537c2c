// tests/model/graph.cpp - a graph as a model: types for a batch, passes, aliases, stop, no allocation.
// SPDX-License-Identifier: MIT
#include <cstring>
#include <fanfold/model/graph.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/reshape.hpp>
#include <stop_token>

#include "../catch.hpp"
#include "run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const unary_function relu{kernel::activation::relu};

/// relu(x) reshaped, then again: nothing but aliases behind one step.
graph reshaping(std::vector<std::int64_t> target) {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 2, 3}});
    const auto h = g.add(relu, {x}).front();
    return std::move(g).finish({{"y", g.add(reshape(std::move(target)), {h}).front()}});
}

/// Wide enough that a thousand rows take several passes.
graph wide() {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 4}});
    std::vector<float> w(4 * 2000), v(2000);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 7) - 3;
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i % 5) - 2;
    const auto h = g.add(dense(view<const float>(w.data(), shape{4, 2000})), {x}).front();
    const auto r = g.add(relu, {g.add(arithmetic(kernel::binary::mul), {h, h}).front()}).front();
    const auto y = g.add(dense(view<const float>(v.data(), shape{2000, 1})), {r}).front();
    return std::move(g).finish({{"y", y}, {"x again", x}});
}

}  // namespace

TEST_CASE("the answers' types follow from the batch; a batch that does not fit is refused with both") {
    const graph g = reshaping({-1, 6});
    const tensor x(element::float32, {5, 2, 3});
    const auto types = g.answers(batch(x));
    REQUIRE(types.size() == 1);
    CHECK(types[0].shape == shape{5, 6});
    CHECK(types[0].name == "y");
    CHECK(types[0].rows == row_axis(0));
    const tensor flat(element::float32, {5, 6}), wide_rows(element::float64, {5, 2, 3});
    CHECK_THROWS_WITH(g.answers(batch(flat)), "input 'x': expected float32 [N, 2, 3], got float32 [5, 6]");
    CHECK_THROWS_WITH(g.answers(batch(wide_rows)), Contains("got float64 [5, 2, 3]"));
    CHECK_THROWS_WITH(g.answers(batch(x, x)), "the model has 1 inputs, got 2 tensors");
    CHECK_THROWS_WITH(g.answers(batch(part(x, 1))), Contains("with rows along axis 1"));
}

TEST_CASE("a static batch takes multiples of itself, one at a call") {
    graph_builder b;
    const auto x = b.input("x", {element::float32, shape{4, 2}});
    const graph g = std::move(b).finish({{"y", b.add(relu, {x}).front()}});
    const tensor eight(element::float32, {8, 2}), six(element::float32, {6, 2});
    CHECK(g.answers(batch(eight))[0].shape == shape{8, 2});
    CHECK_THROWS_WITH(g.answers(batch(six)), Contains("exactly 4 rows a call, and 6 is no multiple"));
}

TEST_CASE("a reshaped answer with more or fewer rows than its elements' first value") {
    const std::size_t rows = 300000;  // several passes
    tensor x = tensor::uninitialized(element::float32, {static_cast<std::int64_t>(rows), 2, 3});
    std::size_t i = 0;
    for (float& v : x.as<float>().flat()) v = static_cast<float>(++i % 1000);
    const std::vector<tensor> input{x};
    for (const auto& target : {std::vector<std::int64_t>{-1, 3}, {-1, 6}, {-1}, {0, 3, 2}}) {
        const auto y = run(reshaping(target), input, rows);
        REQUIRE(y[0].bytes() == x.bytes());
        CHECK(std::memcmp(y[0].data(), x.data(), x.bytes()) == 0);
    }
}

TEST_CASE("passes do not show in the answers") {
    const graph g = wide();
    const std::int64_t rows = 1000;
    CHECK(g.workspace_bytes(1000) < g.workspace_bytes(1) * 1000);
    tensor x = tensor::uninitialized(element::float32, {rows, 4});
    std::size_t i = 0;
    for (float& v : x.as<float>().flat()) v = static_cast<float>(i++ % 13) / 7;
    const auto all = run(g, {x}, 1000);
    for (const std::size_t row : {0UL, 1UL, 499UL, 999UL}) {
        const auto one = run(g, {tensor(x.rows(row, 1))}, 1);
        CHECK(std::memcmp(one[0].data(), all[0].rows(row, 1).data(), 4) == 0);
    }
    CHECK(std::memcmp(all[1].data(), x.data(), x.bytes()) == 0);
    CHECK(run(g, {tensor(element::float32, {0, 4})}, 0)[0].size() == 0);
}

TEST_CASE("the workspace is as large as workspace_bytes says") {
    for (const std::size_t rows : {1UL, 7UL, 100UL}) {
        const graph g = wide();
        workspace space(g.workspace_bytes(rows));
        const std::size_t before = space.capacity();
        (void)run(g, {tensor(element::float32, {static_cast<std::int64_t>(rows), 4})}, rows, space);
        CHECK(space.capacity() == before);  // a workspace that was too small would have grown
    }
}

TEST_CASE("a stop is seen between steps") {
    const graph g = wide();
    std::stop_source source;
    source.request_stop();
    workspace space;
    space.stop = stop(source.get_token());
    CHECK_THROWS_AS(run(g, {tensor(element::float32, {3, 4})}, 3, space), stopped_error);
}
