// SPDX-License-Identifier: MIT
#include <fanfold/model/layout.hpp>
#include <fanfold/model/optimize.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using images::conv;
using kernel::binary;

namespace {
using ids = std::vector<value_id>;

sliding_rule window(std::int64_t size, std::int64_t stride, std::int64_t pad) {
    sliding_rule rule;
    rule.axes = 2;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        rule.window.size[axis] = size;
        rule.window.stride[axis] = stride;
        rule.window.before[axis] = rule.window.after[axis] = pad;
    }
    return rule;
}
}  // namespace

TEST_CASE("between the first convolution and the last reader channels lie side by side") {
    const comparison c(&choose_layout, {{3, 3, 13, 12}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = conv(g, in[0], {20, 3, 3, 3}, 1, 2);
        x = g.add(max_pooling(window(3, 2, 1)), {x}).front();
        x = conv(g, x, {20, 1, 3, 3}, 1, 1, 20);
        const auto y = conv(g, x, {16, 20, 1, 1}), z = conv(g, x, {17, 20, 3, 3}, 1);
        x = g.add(concat(1), {y, z}).front();
        x = g.add(arithmetic(binary::mul), {x, g.constant(images::some({33, 1, 1}, 4))}).front();
        x = g.add(average_pooling(window(2, 1, 0)), {x}).front();
        const auto gate = g.add(global_pooling(global_pool::average), {x}).front();
        return {g.add(arithmetic(binary::mul), {x, gate}).front()};
    });
    CHECK(c.after == "Transpose Conv MaxPool Conv Conv Conv Concat Mul AveragePool GlobalAveragePool Mul Transpose");
    CHECK(c.agree);
}

TEST_CASE("images of one channel or one pixel change their layout without a step") {
    const comparison c(&choose_layout, {{2, 1, 6, 7}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = conv(g, in[0], {24, 1, 3, 3});
        x = g.add(global_pooling(global_pool::maximum), {x}).front();
        x = g.add(flatten(1), {x}).front();
        return {x, x};
    });
    CHECK(c.after == "Conv GlobalMaxPool");
    CHECK(c.agree);
}

TEST_CASE("a transposition between the two orders is no step") {
    const comparison c(&choose_layout, {{2, 6, 7, 3}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = g.add(transpose({0, 3, 1, 2}), {in[0]}).front();
        x = conv(g, x, {16, 3, 3, 3});
        const auto y = g.add(unary_function(kernel::unary::exp), {x}).front();
        return {g.add(transpose({0, 2, 3, 1}), {y}).front()};
    });
    CHECK(c.before == "Transpose Conv Exp Transpose");
    CHECK(c.after == "Conv Exp");
    CHECK(c.agree);
}

TEST_CASE("few output channels, and steps that know one order only, keep it") {
    const comparison c(&choose_layout, {{2, 1, 9, 9}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = conv(g, in[0], {6, 1, 5, 5}, 2);
        const auto y = conv(g, x, {16, 6, 3, 3});
        return {x, y, g.add(transpose({0, 1, 3, 2}), {y}).front()};
    });
    CHECK(c.after == "Conv Transpose Conv Transpose Transpose");
    CHECK(c.agree);
}

TEST_CASE("signals keep their order, and their weights are packed") {
    const comparison c(&choose_layout, {{2, 3, 11}}, [](graph_builder& g, const ids& in) -> ids {
        return {conv(g, in[0], {16, 3, 3}, 1)};
    });
    CHECK(c.agree);
}

TEST_CASE("images whose size only a run tells have their channels side by side, too") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 3, extent::unknown(), extent::unknown()}});
    const auto y = conv(g, conv(g, x, {16, 3, 3, 3}, 1), {14, 16, 1, 1});
    graph_builder plain = g;
    const graph with = std::move(g).finish({{"y", y}}, &choose_layout);
    const graph without = std::move(plain).finish({{"y", y}});
    CHECK(images::steps(with) == "Transpose Conv Conv Transpose");
    for (const std::int64_t size : {4, 9}) {
        workspace space;
        const tensor input = images::some({2, 3, size, size + 1}, 5);
        const std::vector<tensor_view> inputs{input};
        const std::vector<float> a = floats_of(with.run(inputs, space)[0]),
                                 b = floats_of(without.run(inputs, space)[0]);
        REQUIRE(a.size() == b.size());
        bool agree = true;
        for (std::size_t i = 0; i < a.size(); ++i) agree = agree && std::abs(a[i] - b[i]) < 1e-4F;
        CHECK(agree);
    }
}

namespace {
/// The tiles of a lone convolution of 64 channels into 64 by windows of 3x3.
std::optional<kernel::winograd_tile> tiles_of(const extent& size, const preference& prefer, std::int64_t stride = 1) {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 64, size, size}});
    const auto y = conv(g, x, {64, 64, 3, 3}, 1, stride);
    const graph made = std::move(g).finish({{"y", y}}, &choose_layout, prefer);
    for (const graph_step& step : made.state().steps)
        if (const auto* op = step.op.as<convolution_nhwc>()) return op->tiles();
    throw std::logic_error("no convolution");
}
}  // namespace

TEST_CASE("windows of 3x3 are taken by tiles unless accuracy or memory come first") {
    using kernel::winograd_tile;
    CHECK(tiles_of(28, {}) == winograd_tile::four);
    CHECK(tiles_of(extent::unknown(), {}) == winograd_tile::four);
    CHECK(tiles_of(28, {.accuracy = accuracy::high}) == winograd_tile::two);
    CHECK(tiles_of(28, {.accuracy = accuracy::direct}) == std::nullopt);
    CHECK(tiles_of(28, {.memory = weight_memory::small}) == std::nullopt);
    CHECK(tiles_of(28, {}, 2) == std::nullopt);
    CHECK(tiles_of(1, {}) == std::nullopt);
}

TEST_CASE("convolutions by tiles agree with those that are not, and take addends and activations") {
    const comparison c(&optimize, {{3, 32, 15, 14}}, [](graph_builder& g, const ids& in) -> ids {
        const auto y = conv(g, in[0], {32, 32, 3, 3}, 1);
        const auto sum = g.add(arithmetic(binary::add), {in[0], y}).front();
        return {g.add(unary_function(kernel::activation::relu), {sum}).front()};
    });
    CHECK(c.after == "Transpose Conv + Add Transpose");
    CHECK(c.agree);
}

TEST_CASE("rows are images of one line: their weights are packed although the length is not known") {
    const auto build = [](graph_builder& g, value_id in) {
        auto x = conv(g, in, {20, 3, 5}, 2, 2);
        x = g.add(unary_function(kernel::activation::relu), {x}).front();
        x = g.add(arithmetic(binary::mul), {x, g.constant(images::some({20, 1}, 4))}).front();
        x = conv(g, x, {20, 1, 3}, 1, 1, 20);
        return conv(g, x, {1, 20, 3});
    };
    const comparison c(&choose_layout, {{3, 3, 40}},
                       [&](graph_builder& g, const ids& in) -> ids { return {build(g, in[0])}; });
    CHECK(c.after == "Transpose Conv Mul Conv Conv");
    CHECK(c.agree);
    CHECK(c.same_bits);
    std::vector<std::vector<tensor>> answers;
    for (const graph_pass pass : {graph_pass(nullptr), graph_pass(&choose_layout)}) {
        graph_builder g;
        const auto x = g.input("x", {element::float32, {rows_extent, 3, extent::unknown()}});
        const graph model = std::move(g).finish({{"y", build(g, x)}}, pass);
        CHECK((pass == nullptr || model.state().weight_bytes != 0));
        answers.push_back(run(model, {images::some({2, 3, 33}, 5)}, 2));
    }
    CHECK(answers[0][0].shape() == answers[1][0].shape());
    const std::vector<float> x = floats_of(answers[0][0]), y = floats_of(answers[1][0]);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == Approx(y[i]).margin(1e-4));
}
