// SPDX-License-Identifier: MIT
#include <fanfold/model/joining.hpp>
#include <fanfold/model/optimize.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using images::conv;

namespace {
using ids = std::vector<value_id>;
value_id relu(graph_builder& g, value_id x) { return g.add(unary_function(kernel::activation::relu), {x}).front(); }
}  // namespace

TEST_CASE("convolutions write among the channels that they are put together to") {
    const comparison c(&optimize, {{3, 20, 7, 6}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = relu(g, conv(g, in[0], {16, 20, 1, 1}));
        const auto one = relu(g, conv(g, x, {24, 16, 1, 1}));
        const auto three = relu(g, conv(g, x, {33, 16, 3, 3}, 1));
        return {conv(g, g.add(concat(1), {one, three}).front(), {16, 57, 1, 1})};
    });
    CHECK(c.after == "Transpose Conv Conv + Concat Conv Transpose");
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("what others compute, or others read as well, is copied among the channels") {
    const comparison c(&optimize, {{2, 16, 7, 6}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = conv(g, in[0], {16, 16, 1, 1});
        const auto read_twice = conv(g, x, {12, 16, 1, 1});
        const auto raw = conv(g, x, {13, 16, 3, 3}, 1);
        const auto all = g.add(concat(1), {x, read_twice, raw, raw}).front();
        const auto depthwise = conv(g, x, {16, 1, 3, 3}, 1, 1, 16);
        const auto more = g.add(concat(-3), {depthwise, conv(g, x, {14, 16, 1, 1})}).front();
        return {relu(g, all), conv(g, read_twice, {16, 12, 1, 1}), more};
    });
    CHECK(c.after.find("Conv + Concat") != std::string::npos);
    CHECK(c.after.find(" Concat") != std::string::npos);
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("images put together along another axis stay as they are") {
    const comparison c(&optimize, {{2, 16, 7, 6}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = conv(g, in[0], {16, 16, 1, 1}), y = conv(g, in[0], {16, 16, 3, 3}, 1);
        return {g.add(concat(2), {x, y}).front()};
    });
    CHECK(c.after.find("Conv + Concat") == std::string::npos);
    CHECK(c.agree);
}
