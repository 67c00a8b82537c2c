// SPDX-License-Identifier: MIT
#include <fanfold/model/fusion.hpp>
#include <fanfold/model/operators/reshape.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using images::conv;
using kernel::binary;
using kernel::unary;

namespace {
using ids = std::vector<value_id>;
value_id number(graph_builder& g, float value) { return g.constant(tensor::of<float>({}, {value})); }
}  // namespace

TEST_CASE("batch normalization, scales and shifts of channels go into the weights before them") {
    const comparison c(&fuse_arithmetic, {{2, 3, 5, 6}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = conv(g, in[0], {4, 3, 3, 3});
        const auto variance = g.constant(tensor::of<float>({4}, {1, 2, 0.5F, 4}));
        x = g.add(batch_normalization(1e-3F), {x, g.constant(images::some({4}, 1)), g.constant(images::some({4}, 2)),
                                               g.constant(images::some({4}, 3)), variance})
                .front();
        x = g.add(arithmetic(binary::mul), {x, g.constant(images::some({1, 4, 1, 1}, 4))}).front();
        x = g.add(arithmetic(binary::sub), {g.constant(images::some({4, 1, 1}, 5)), x}).front();
        return {g.add(arithmetic(binary::div), {x, number(g, 3)}).front()};
    });
    CHECK(c.before == "Conv BatchNormalization Mul Sub Div");
    CHECK(c.after == "Conv");
    CHECK(c.agree);
}

TEST_CASE("what somebody else reads, or differs along the width, stays out of the weights") {
    const comparison c(&fuse_arithmetic, {{2, 3, 5, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = conv(g, in[0], {4, 3, 1, 1}), z = conv(g, in[0], {4, 3, 1, 1});
        const auto y = g.add(arithmetic(binary::mul), {x, number(g, 2)}).front();
        return {x, y, g.add(arithmetic(binary::mul), {z, g.constant(images::some({4}, 6))}).front()};
    });
    CHECK(c.after == c.before);
    CHECK(c.agree);
}

TEST_CASE("activations spelt out in arithmetic become one step") {
    const auto spelt = [](auto&& build) {
        const comparison c(&fuse_arithmetic, {{2, 9}},
                           [&](graph_builder& g, const ids& in) -> ids { return {build(g, in[0])}; });
        CHECK(c.agree);
        return c.after;
    };
    const auto clipped = [](graph_builder& g, value_id x) {
        const auto sum = g.add(arithmetic(binary::add), {x, number(g, 3)}).front();
        return g.add(unary_function(unary::clip, 0, 6), {sum}).front();
    };
    CHECK(spelt([&](graph_builder& g, value_id x) {
              const auto product = g.add(arithmetic(binary::mul), {x, clipped(g, x)}).front();
              return g.add(arithmetic(binary::div), {product, number(g, 6)}).front();
          }) == std::string(name_of(unary::hard_swish)));
    CHECK(spelt([&](graph_builder& g, value_id x) {
              const auto gate = g.add(arithmetic(binary::div), {clipped(g, x), number(g, 6)}).front();
              return g.add(arithmetic(binary::mul), {x, gate}).front();
          }) == std::string(name_of(unary::hard_swish)));
    CHECK(spelt([&](graph_builder& g, value_id x) {
              const auto gate = g.add(unary_function(unary::hard_sigmoid, 1.0 / 6, 0.5), {x}).front();
              return g.add(arithmetic(binary::mul), {gate, x}).front();
          }) == std::string(name_of(unary::hard_swish)));
    CHECK(spelt([](graph_builder& g, value_id x) {
              const auto gate = g.add(unary_function(unary::sigmoid), {x}).front();
              return g.add(arithmetic(binary::mul), {x, gate}).front();
          }) == std::string(name_of(unary::silu)));
    CHECK(spelt([&](graph_builder& g, value_id x) {  // another divisor
              const auto product = g.add(arithmetic(binary::mul), {x, clipped(g, x)}).front();
              return g.add(arithmetic(binary::div), {product, number(g, 5)}).front();
          }) == "Add Clip Mul Div");
}

TEST_CASE("readers of an identity read what it reads") {
    const comparison c(&fuse_arithmetic, {{2, 3, 4, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = g.add(identity(), {conv(g, in[0], {2, 3, 1, 1})}).front();
        return {g.add(arithmetic(binary::mul), {x, number(g, 2)}).front()};
    });
    CHECK(c.after == "Conv");
    CHECK(c.agree);
}

TEST_CASE("a constant with more axes than x gives the answer more axes: that is no activation") {
    const comparison c(&fuse_arithmetic, {{2, 9}}, [&](graph_builder& g, const ids& in) -> ids {
        const auto three = g.constant(tensor::of<float>({1, 1, 1}, {3}));
        const auto sum = g.add(arithmetic(binary::add), {in[0], three}).front();
        const auto clipped = g.add(unary_function(unary::clip, 0, 6), {sum}).front();
        const auto product = g.add(arithmetic(binary::mul), {in[0], clipped}).front();
        return {g.add(arithmetic(binary::div), {product, number(g, 6)}).front()};
    });
    CHECK(c.agree);
}
