// SPDX-License-Identifier: MIT
#include <fanfold/model/spelling.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using kernel::binary;
using kernel::unary;

namespace {

using ids = std::vector<value_id>;
value_id number(graph_builder& g, float value) { return g.constant(tensor::of<float>({}, {value})); }
value_id two(graph_builder& g, binary kind, value_id a, value_id b) { return g.add(arithmetic(kind), {a, b}).front(); }
value_id one(graph_builder& g, unary function, value_id x) { return g.add(unary_function(function), {x}).front(); }
value_id mean(graph_builder& g, value_id x) {
    return g.add(reduce(kernel::reduction::mean, std::vector<std::int64_t>{-1}), {x}).front();
}

template <class Build>
std::string spelt(const shape& extents, Build&& build) {
    const comparison c(&fuse_spellings, {extents},
                       [&](graph_builder& g, const ids& in) -> ids { return {build(g, in[0])}; });
    CHECK(c.agree);
    CHECK(c.same_bits);
    return c.after;
}

}  // namespace

TEST_CASE("gelu, its factors in any order, by erf or by tanh") {
    const std::string gelu(name_of(unary::gelu)), by_tanh(name_of(unary::gelu_tanh));
    CHECK(spelt({3, 40}, [](graph_builder& g, value_id x) {
              const auto erf = one(g, unary::erf, two(g, binary::div, x, number(g, 1.4142135F)));
              const auto gate = two(g, binary::add, erf, number(g, 1));
              return two(g, binary::mul, two(g, binary::mul, x, gate), number(g, 0.5F));
          }) == gelu);
    CHECK(spelt({3, 40}, [](graph_builder& g, value_id x) {
              const auto erf = one(g, unary::erf, two(g, binary::mul, x, number(g, 0.70710677F)));
              const auto gate = two(g, binary::add, number(g, 1), erf);
              return two(g, binary::mul, two(g, binary::mul, x, number(g, 0.5F)), gate);
          }) == gelu);
    CHECK(spelt({3, 40}, [](graph_builder& g, value_id x) {
              const auto cube = two(g, binary::mul, number(g, 0.044715F), two(g, binary::pow, x, number(g, 3)));
              const auto sum = two(g, binary::add, x, cube);
              const auto tanh = one(g, unary::tanh, two(g, binary::mul, number(g, 0.7978846F), sum));
              return two(g, binary::mul, two(g, binary::mul, number(g, 0.5F), x),
                         two(g, binary::add, number(g, 1), tanh));
          }) == by_tanh);
    CHECK(spelt({3, 40}, [&](graph_builder& g, value_id x) {  // no half of it
              const auto erf = one(g, unary::erf, two(g, binary::div, x, number(g, 1.4142135F)));
              return two(g, binary::mul, x, two(g, binary::add, erf, number(g, 1)));
          }) != gelu);
}

TEST_CASE("normalizations along the last axis") {
    const auto variance = [](graph_builder& g, value_id x) {
        return two(g, binary::add, mean(g, two(g, binary::pow, x, number(g, 2))), number(g, 1e-5F));
    };
    CHECK(spelt({3, 4, 40}, [&](graph_builder& g, value_id x) {
              const auto root = one(g, unary::sqrt, variance(g, x));
              const auto y = two(g, binary::mul, x, two(g, binary::div, number(g, 1), root));
              return two(g, binary::mul, y, g.constant(images::some({40}, 5)));
          }) == "RMSNormalization");
    CHECK(spelt({3, 4, 40}, [&](graph_builder& g, value_id x) {
              const auto d = two(g, binary::sub, x, mean(g, x));
              const auto y = two(g, binary::div, d, one(g, unary::sqrt, variance(g, d)));
              const auto scaled = two(g, binary::mul, y, g.constant(images::some({40}, 5)));
              return two(g, binary::add, scaled, g.constant(images::some({1, 1, 40}, 6)));
          }) == "LayerNormalization");
}

TEST_CASE("a bias goes into the product before it, a square is a product") {
    CHECK(spelt({3, 4, 40}, [](graph_builder& g, value_id x) {
              const tensor w = images::some({40, 20}, 1);
              const auto y = g.add(dense(w.as<float>()), {x}).front();
              return two(g, binary::add, g.constant(images::some({20}, 2)), y);
          }) == "Dense");
    CHECK(spelt({3, 4}, [](graph_builder& g, value_id x) { return two(g, binary::pow, x, number(g, 2)); }) == "Mul");
    CHECK(spelt({3, 4}, [](graph_builder& g, value_id x) { return two(g, binary::pow, x, number(g, 3)); }) == "Pow");
}

TEST_CASE("a constant with more axes than x gives the answer more axes: that is no gelu and no normalization") {
    const auto wide = [](graph_builder& g, float value) { return g.constant(tensor::of<float>({1, 1, 1}, {value})); };
    CHECK(spelt({3, 40}, [&](graph_builder& g, value_id x) {
              const auto erf = one(g, unary::erf, two(g, binary::div, x, number(g, 1.4142135F)));
              const auto gate = two(g, binary::add, erf, number(g, 1));
              return two(g, binary::mul, two(g, binary::mul, x, gate), wide(g, 0.5F));
          }) != std::string(name_of(unary::gelu)));
    CHECK(spelt({3, 40}, [&](graph_builder& g, value_id x) {
              const auto variance = two(g, binary::add, mean(g, two(g, binary::mul, x, x)), wide(g, 1e-5F));
              const auto scale = g.constant(images::some({40}, 3));
              return two(g, binary::mul, two(g, binary::div, x, one(g, unary::sqrt, variance)), scale);
          }).find("RMSNormalization") == std::string::npos);
}
