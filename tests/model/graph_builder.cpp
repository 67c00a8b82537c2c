// tests/model/graph_builder.cpp - checks as nodes come; folding, fusing, removal of what nobody reads.
// SPDX-License-Identifier: MIT
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/reshape.hpp>
#include <fanfold/model/operators/softmax.hpp>

#include "../catch.hpp"
#include "run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const value_type two_columns{element::float32, {rows_extent, 2}};
dense ones(std::int64_t inner, std::int64_t columns) {
    const std::vector<float> w(static_cast<std::size_t>(inner * columns), 1.0F);
    return dense(view<const float>(w.data(), shape{inner, columns}));
}
const unary_function relu{kernel::activation::relu};

}  // namespace

TEST_CASE("the example of the docstring") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    const auto y = g.add(ones(2, 3), {x}, "layer 1").front();
    CHECK(g.type(y).text() == "float32 [N, 3]");
    const graph model = std::move(g).finish({{"y", y}});
    CHECK(floats_of(run(model, {tensor::of<float>({2, 2}, {1, 2, 3, 4})}, 2)[0]) ==
          std::vector<float>{3, 3, 3, 7, 7, 7});
    CHECK_THAT(model.summary(), Contains("Dense 'layer 1' float32 [N, 2] -> float32 [N, 3], 12 flops, 20 bytes, "));
}

TEST_CASE("an operation that does not fit is refused with its node") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    CHECK_THROWS_WITH(g.add(ones(3, 3), {x}, "layer 1"),
                      "node 'layer 1' (Dense): expected float32 [.., 3], got float32 [N, 2]");
    CHECK_THROWS_WITH(g.add(relu, {x, x}, "r"), "node 'r' (Relu): expected 1 input, got 2");
    CHECK_THROWS_WITH(std::move(g).finish({}), Contains("at least one output"));
}

TEST_CASE("values above the limit are refused") {
    graph_builder g({.bytes_per_value = 1000});
    CHECK_THROWS_WITH(g.input("x", {element::float32, {rows_extent, 251}}),
                      "input 'x' float32 [N, 251] takes more than 1000 bytes a row");
    const auto x = g.input("x", {element::float32, {rows_extent, 1}});
    CHECK_NOTHROW(g.add(ones(1, 250), {x}));
    CHECK_THROWS_WITH(g.add(ones(1, 251), {x}, "wide"), Contains("node 'wide' (Dense): its answer"));
}

TEST_CASE("operations on constants alone are computed while building") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    const auto a = g.constant(tensor::of<float>({2}, {1, -2}));
    const auto b = g.add(relu, {a}).front();
    const auto c = g.add(arithmetic(kernel::binary::add), {b, b}).front();
    const auto d = g.add(reshape({1, 2}), {c}).front();
    REQUIRE(g.constant_of(d).has_value());
    CHECK(floats_of(tensor(*g.constant_of(d))) == std::vector<float>{2, 0});
    CHECK_FALSE(g.constant_of(x).has_value());
    const auto y = g.add(arithmetic(kernel::binary::add), {x, d}).front();
    const graph model = std::move(g).finish({{"y", y}});
    CHECK(model.state().steps.size() == 1);
    CHECK(floats_of(run(model, {tensor::of<float>({1, 2}, {1, 1})}, 1)[0]) == std::vector<float>{3, 1});
    std::size_t held = 0;
    for (const auto& constant : model.state().constants) held += constant == nullptr ? 0 : constant->bytes();
    CHECK(held == 8);  // what no step reads is gone
}

TEST_CASE("activations fuse into the step before, once, and only where nobody else reads it") {
    const auto steps = [](auto&& build) {
        graph_builder g;
        const auto x = g.input("x", two_columns);
        const auto outputs = build(g, x);
        const graph model = std::move(g).finish(outputs);
        (void)run(model, {tensor(element::float32, {3, 2})}, 3);
        return model.state().steps.size();
    };
    using outputs = std::vector<std::pair<std::string, value_id>>;
    CHECK(steps([](graph_builder& g, value_id x) {
              const auto h = g.add(ones(2, 2), {x}).front();
              return outputs{{"y", g.add(relu, {h}).front()}};
          }) == 1);
    CHECK(steps([](graph_builder& g, value_id x) {  // the second activation stays
              const auto h = g.add(ones(2, 2), {x}).front();
              return outputs{{"y", g.add(relu, {g.add(relu, {h}).front()}).front()}};
          }) == 2);
    CHECK(steps([](graph_builder& g, value_id x) {
              const auto h = g.add(ones(2, 2), {x}).front();
              return outputs{{"y", g.add(relu, {h}).front()}, {"h", h}};
          }) == 2);
    CHECK(steps([](graph_builder& g, value_id x) { return outputs{{"y", g.add(relu, {x}).front()}}; }) == 1);
}

TEST_CASE("steps whose answers nobody reads are left out, and their values take no part") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    const auto unused = g.add(reshape({-1}), {g.add(relu, {x}).front()}).front();
    (void)g.add(ones(1, 5), {g.add(reshape({-1, 1}), {unused}).front()});
    const auto y = g.add(ones(2, 1), {x}).front();
    const graph model = std::move(g).finish({{"y", y}});
    CHECK(model.state().steps.size() == 1);
    CHECK(model.state().slots.empty());
    CHECK(floats_of(run(model, {tensor::of<float>({1, 2}, {1, 2})}, 1)[0]) == std::vector<float>{3});
}

TEST_CASE("the first step that mixes rows is named") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    const auto a = g.add(softmax(1), {x}, "columns").front();
    const auto b = g.add(softmax(0), {a}, "rows").front();
    const auto c = g.add(softmax(0), {b}, "rows again").front();
    CHECK(std::move(g).finish({{"y", c}}).row_mixer() == "rows");
}

TEST_CASE("without an open extent the batch is static") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, shape{4, 2}});
    CHECK(std::move(g).finish({{"y", g.add(relu, {x}).front()}}).rows_per_call() == 4);
    graph_builder none;  // a graph may consist of constants
    const auto c = none.constant(tensor::of<float>({2}, {1, 2}));
    const graph constant = std::move(none).finish({{"y", c}});
    CHECK(constant.rows_per_call() == 0);
    workspace space;
    CHECK(floats_of(constant.run({}, space)[0]) == std::vector<float>{1, 2});
}

namespace {

/// x + y, where y may be overwritten.
struct overwriting_sum {
    [[nodiscard]] std::string_view name() const noexcept { return "Sum"; }
    [[nodiscard]] std::vector<value_type> answers(std::span<const argument> in) const { return {in[0]}; }
    [[nodiscard]] std::optional<std::size_t> overwrites() const noexcept { return 1; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        const auto x = in[0].as<float>().flat(), y = in[1].as<float>().flat();
        for (std::size_t i = 0; i < x.size(); ++i) out[0].as<float>().flat()[i] = x[i] + y[i];
    }
};

std::size_t slots_of(const graph& g) { return g.state().slots.size(); }

}  // namespace

TEST_CASE("an answer takes the memory of an input that is overwritten, unless that is read again") {
    const auto built = [](bool again, bool twice) {
        graph_builder g;
        const auto x = g.input("x", two_columns);
        const auto a = g.add(ones(2, 2), {x}).front(), b = g.add(ones(2, 2), {a}).front();
        const auto sum = g.add(overwriting_sum(), {twice ? b : a, b}).front();
        const auto next = g.add(overwriting_sum(), {again ? b : a, sum}).front();
        return std::move(g).finish({{"y", g.add(ones(2, 2), {next}).front()}});
    };
    const tensor x = tensor::of<float>({1, 2}, {1, 2});  // a: 3, b: 6
    CHECK(slots_of(built(false, false)) == 2);
    CHECK(floats_of(run(built(false, false), {x}, 1)[0]) == std::vector<float>{24, 24});
    CHECK(slots_of(built(true, false)) == 3);
    CHECK(floats_of(run(built(true, false), {x}, 1)[0]) == std::vector<float>{30, 30});
    CHECK(slots_of(built(false, true)) == 3);
    CHECK(floats_of(run(built(false, true), {x}, 1)[0]) == std::vector<float>{30, 30});
}

TEST_CASE("constants that no step reads can be given back, others stay") {
    graph_builder g;
    const auto x = g.input("x", two_columns);
    const auto w = g.constant(tensor::of<float>({2}, {5, 7}));
    const auto unread = g.constant(tensor::of<float>({2}, {1, 2}));
    const auto y = g.add(overwriting_sum(), {x, w}).front();
    g.release(w);
    g.release(unread);
    g.release(x);
    CHECK(g.constant_of(w).has_value());
    CHECK_FALSE(g.constant_of(unread).has_value());
    CHECK(floats_of(run(std::move(g).finish({{"y", y}}), {tensor::of<float>({1, 2}, {1, 2})}, 1)[0]) ==
          std::vector<float>{6, 9});
}
