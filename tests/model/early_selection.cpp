// SPDX-License-Identifier: MIT
#include <fanfold/model/early_selection.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using kernel::binary;

namespace {

using ids = std::vector<value_id>;
value_id linear(graph_builder& g, value_id x, std::int64_t inputs, std::int64_t outputs) {
    const tensor w = images::some({inputs, outputs}, 3);
    return g.add(dense(w.as<float>()), {x}).front();
}
value_id position(graph_builder& g, value_id x, std::int64_t axis, const tensor& indices) {
    return g.add(gather(axis), {x, g.constant(indices)}).front();
}

}  // namespace

TEST_CASE("of the last layer of an encoder, only the token that is read is computed") {
    const comparison c(&select_early, {{3, 9, 8}}, [](graph_builder& g, const ids& in) -> ids {
        const auto scale = g.constant(images::some({8}, 4)), bias = g.constant(images::some({8}, 5));
        turned_operand heads{{0, 2, 1, 3}};
        const attention all(heads, heads, heads, 0.5F);
        const auto apart = g.add(reshape({0, 0, 2, 4}), {in[0]}).front();
        auto x = g.add(*all.answering_in({0, 2, 1, 3}), {apart, apart, apart}).front();
        x = linear(g, g.add(reshape({0, 0, 8}), {x}).front(), 8, 8);
        const auto y = g.add(arithmetic(binary::add), {x, in[0]}).front();
        auto z = g.add(layer_normalization(), {y, scale, bias}).front();
        z = linear(g, linear(g, z, 8, 16), 16, 8);
        z = g.add(arithmetic(binary::add), {y, z}).front();
        return {position(g, z, 1, tensor::of<std::int64_t>({}, {0}))};
    });
    CHECK(c.before == "Attention Dense Add LayerNormalization Dense Dense Add Gather");
    CHECK(c.after == "Gather Attention Dense Gather Add LayerNormalization Dense Dense Add");
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("positions in a list keep their order, across a transposition, too") {
    const comparison c(&select_early, {{3, 9, 8}}, [](graph_builder& g, const ids& in) -> ids {
        auto x = linear(g, in[0], 8, 5);
        x = g.add(arithmetic(binary::mul), {x, g.constant(images::some({9, 1}, 4))}).front();
        x = g.add(transpose({1, 0, 2}), {x}).front();
        x = g.add(transpose({1, 0, 2}), {x}).front();
        return {position(g, x, 1, tensor::of<std::int64_t>({2}, {-1, 3}))};
    });
    CHECK(c.after == "Gather Dense Gather Mul Transpose Transpose");
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("what somebody else reads whole stays whole") {
    const comparison c(&select_early, {{3, 9, 8}}, [](graph_builder& g, const ids& in) -> ids {
        const auto x = linear(g, in[0], 8, 5);
        return {x, position(g, x, 1, tensor::of<std::int64_t>({}, {2}))};
    });
    CHECK(c.after == c.before);
    CHECK(c.agree);
}
