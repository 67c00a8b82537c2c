// SPDX-License-Identifier: MIT
#include <fanfold/model/optimize.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using images::conv;
using kernel::binary;

using ids = std::vector<value_id>;

TEST_CASE("a residual block is its convolutions alone") {
    const comparison c(&optimize, {{2, 16, 6, 5}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = g.add(unary_function(kernel::activation::relu), {conv(g, in[0], {16, 16, 3, 3}, 1)}).front();
        x = conv(g, x, {32, 16, 3, 3}, 1);
        x = g.add(arithmetic(binary::mul), {x, g.constant(images::some({32, 1, 1}, 4))}).front();
        const auto shortcut = conv(g, in[0], {32, 16, 1, 1});
        x = g.add(arithmetic(binary::add), {x, shortcut}).front();
        return {g.add(unary_function(kernel::activation::relu), {x}).front()};
    });
    CHECK(c.before == "Conv Conv Mul Conv Add Relu");
    CHECK(c.after == "Transpose Conv Conv Conv + Add Transpose");
    CHECK(c.agree);
}

TEST_CASE("a sum with what is read elsewhere, or with itself, stays a sum") {
    const comparison c(&optimize, {{2, 16, 4, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = conv(g, in[0], {16, 16, 1, 1}), y = conv(g, in[0], {16, 16, 1, 1});
        const auto twice = g.add(arithmetic(binary::add), {y, y}).front();
        return {x, twice, g.add(arithmetic(binary::add), {x, in[0]}).front()};
    });
    CHECK(c.after.find("+ Add") == std::string::npos);
    CHECK(c.agree);
}

TEST_CASE("a pass over a graph without convolutions leaves it as it is") {
    const comparison c(&optimize, {{2, 5}}, [](graph_builder& g, const ids& in) -> ids {
        return {g.add(unary_function(kernel::unary::exp), {in[0]}).front()};
    });
    CHECK(c.after == c.before);
    CHECK(c.agree);
}
