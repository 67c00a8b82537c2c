// SPDX-License-Identifier: MIT
#include <fanfold/model/chain_fusion.hpp>

#include <algorithm>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using kernel::binary;
using kernel::unary;

namespace {

using ids = std::vector<value_id>;
value_id two(graph_builder& g, binary kind, value_id a, value_id b) { return g.add(arithmetic(kind), {a, b}).front(); }
value_id one(graph_builder& g, unary function, value_id x) { return g.add(unary_function(function), {x}).front(); }

}  // namespace

TEST_CASE("arithmetic read once by more arithmetic is one step") {
    const comparison c(&fuse_chains, {{3, 5, 7}}, [](graph_builder& g, const ids& in) -> ids {
        const auto scale = g.constant(images::some({7}, 4)), column = g.constant(images::some({5, 1}, 5));
        const auto left = two(g, binary::mul, in[0], scale),
                   right = two(g, binary::div, one(g, unary::exp, in[0]), column);
        return {one(g, unary::sqrt, one(g, unary::abs, two(g, binary::sub, left, right)))};
    });
    CHECK(c.after == "Mul + Exp + Div + Sub + Abs + Sqrt");
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("what is read twice, has another shape or type, or belongs to the step before stays apart") {
    const comparison c(&fuse_chains, {{3, 5}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = one(g, unary::exp, in[0]);
        const auto row = one(g, unary::neg, g.add(arithmetic(binary::mul), {in[0], in[0]}).front());
        return {two(g, binary::add, x, row), x};
    });
    CHECK(c.after == "Exp Mul + Neg + Add");
    CHECK(c.agree);
    const comparison conv(&fuse_chains, {{2, 3, 5, 5}}, [](graph_builder& g, const ids& in) -> ids {
        const auto y = images::conv(g, in[0], {4, 3, 3, 3});
        return {two(g, binary::mul, one(g, unary::hard_swish, y), g.constant(images::some({4, 1, 1}, 2)))};
    });
    CHECK(conv.after == "Conv Mul");
    CHECK(conv.agree);
}

TEST_CASE("long chains become several") {
    const comparison c(&fuse_chains, {{3, 50}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = in[0];
        for (int i = 0; i < 40; ++i) x = one(g, unary::abs, one(g, unary::neg, x));
        for (std::uint64_t i = 0; i < 20; ++i) x = two(g, binary::add, x, g.constant(images::some({50}, i)));
        return {x};
    });
    CHECK(c.agree);
    CHECK(c.same_bits);
    CHECK(std::count(c.after.begin(), c.after.end(), '+') >= 90);  // of 99
}
