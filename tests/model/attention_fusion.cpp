// SPDX-License-Identifier: MIT
#include <fanfold/model/attention_fusion.hpp>
#include <fanfold/model/operators/reshape.hpp>

#include "../catch.hpp"
#include "images.hpp"

using namespace fanfold;
using images::comparison;
using kernel::binary;

namespace {

using ids = std::vector<value_id>;
value_id number(graph_builder& g, float value) { return g.constant(tensor::of<float>({}, {value})); }
value_id product(graph_builder& g, value_id a, value_id b) { return g.add(batched_matmul(), {a, b}).front(); }
value_id turned(graph_builder& g, value_id x, std::vector<std::int64_t> order) {
    return g.add(transpose(std::move(order)), {x}).front();
}
value_id softmaxed(graph_builder& g, value_id x) { return g.add(softmax(-1), {x}).front(); }

}  // namespace

TEST_CASE("attention as PyTorch exports it, from one value of q, k and v, is one step that reads them where they lie") {
    // [N, T, 3 H D] -> [N, T, 3, H, D] -> [3, N, H, T, D] -> three of [N, H, T, D]
    const comparison c(&fuse_attention, {{3, 70, 3 * 2 * 8}}, [](graph_builder& g, const ids& in) -> ids {
        const auto split_up = g.add(reshape({0, 0, 3, 2, 8}), {in[0]}).front();
        const auto parts = g.add(split(0, 3), {turned(g, split_up, {2, 0, 3, 1, 4})});
        std::vector<value_id> qkv;
        for (const value_id part : parts) qkv.push_back(g.add(squeeze({{0}}), {part}).front());
        auto scores = product(g, qkv[0], turned(g, qkv[1], {0, 1, 3, 2}));
        scores = g.add(arithmetic(binary::div), {scores, number(g, 2.8F)}).front();
        const auto mixed = turned(g, product(g, softmaxed(g, scores), qkv[2]), {0, 2, 1, 3});
        return {g.add(reshape({0, 0, -1}), {mixed}).front()};
    });
    CHECK(c.before == "Transpose Split Transpose MatMul Div Softmax MatMul Transpose");
    CHECK(c.after == "Attention");
    CHECK(c.agree);
    CHECK(c.same_bits);
}

TEST_CASE("masks are added to scores, scales stand on either side, operands may lack axes or be gathered") {
    const comparison masked(
        &fuse_attention, {{2, 3, 5, 4}, {2, 3, 7, 4}, {2, 3, 7, 6}}, [](graph_builder& g, const ids& in) -> ids {
            auto scores = product(g, in[0], turned(g, in[1], {0, 1, 3, 2}));
            scores = g.add(arithmetic(binary::mul), {number(g, 0.5F), scores}).front();
            scores = g.add(arithmetic(binary::add), {g.constant(images::some({5, 7}, 9)), scores}).front();
            return {product(g, softmaxed(g, scores), in[2])};
        });
    CHECK(masked.after == "Attention");
    CHECK(masked.agree);
    CHECK(masked.same_bits);
    const comparison flat(&fuse_attention, {{2, 5, 4}, {2, 7, 4}}, [](graph_builder& g, const ids& in) -> ids {
        return {product(g, softmaxed(g, product(g, in[0], turned(g, in[1], {0, 2, 1}))), in[1])};
    });
    CHECK(flat.after == "Attention");
    CHECK(flat.agree);
    CHECK(flat.same_bits);
    const comparison gathered(&fuse_attention, {{2, 5, 3, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto at = [&](std::int64_t i) {
            return g.add(gather(2), {in[0], g.constant(tensor::of<std::int64_t>({}, {i}))}).front();
        };
        return {product(g, softmaxed(g, product(g, at(0), turned(g, at(1), {0, 2, 1}))), at(-1))};
    });
    CHECK(gathered.after == "Attention");
    CHECK(gathered.agree);
    CHECK(gathered.same_bits);
}

TEST_CASE("a scale with more axes than the scores gives the answer more axes: that stays as it is written") {
    const comparison c(&fuse_attention, {{2, 5, 4}, {2, 7, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto scores = product(g, in[0], turned(g, in[1], {0, 2, 1}));
        const auto wide = g.constant(tensor::of<float>({1, 1, 1, 1}, {2}));
        const auto scaled = g.add(arithmetic(binary::div), {scores, wide}).front();
        return {turned(g, product(g, softmaxed(g, scaled), in[1]), {0, 1, 3, 2})};
    });
    CHECK(c.after.find("Attention") == std::string::npos);
    CHECK(c.agree);
}

TEST_CASE("scores that somebody else reads, or another axis, stay what they are") {
    const comparison read(&fuse_attention, {{2, 5, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto scores = product(g, in[0], turned(g, in[0], {0, 2, 1}));
        return {product(g, softmaxed(g, scores), in[0]), scores};
    });
    CHECK(read.after == read.before);
    const comparison across(&fuse_attention, {{2, 5, 4}}, [](graph_builder& g, const ids& in) -> ids {
        const auto scores = product(g, in[0], turned(g, in[0], {0, 2, 1}));
        return {product(g, g.add(softmax(1), {scores}).front(), in[0])};
    });
    CHECK(across.after == across.before);
}
