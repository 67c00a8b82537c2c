// tests/model/operators/recurrent.cpp - shapes and rows of recurrent layers; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/recurrent.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
recurrent_layer layer(std::size_t directions, recurrent_layout order = recurrent_layout::time_first) {
    return {std::vector<recurrent_direction>(directions), order, 4};
}
}  // namespace

TEST_CASE("an LSTM answers with all states, the last one, and the last cell") {
    const auto y = answers_of(layer(2), {of({7, N, 3}), of({2, 16, 3}), of({2, 16, 4})});
    REQUIRE(y.size() == 3);
    CHECK(y[0].text() == "float32 [7, 2, N, 4]");
    CHECK(y[1].text() == "float32 [2, N, 4]");
    CHECK(y[2] == y[1]);
    const auto by_row = answers_of(layer(1, recurrent_layout::row_first),
                                   {of({N, extent::unknown(), 3}), of({1, 16, 3}), of({1, 16, 4})});
    CHECK(by_row[0].text() == "float32 [N, ?, 1, 4]");
    CHECK(by_row[1].text() == "float32 [N, 1, 4]");
}

TEST_CASE("weights, lengths and states that do not fit are refused") {
    const value_type x = of({7, N, 3}), w = of({1, 16, 3}), r = of({1, 16, 4}), none = of({1, 32});
    CHECK_THROWS(answers_of(layer(1), {of({7, N}), w, r}));
    CHECK_THROWS(answers_of(layer(1), {of({7, N, 2}), w, r}));
    CHECK_THROWS(answers_of(layer(2), {x, w, r}));
    CHECK_THROWS(answers_of(layer(1), {x, of({1, 12, 3}), r}));
    CHECK_THROWS(answers_of(layer(1), {x, w, r, none, {element::int64, {N}}}));
    CHECK_THROWS(answers_of(layer(1), {x, w, r, none, {element::int32, {N}}, of({1, 2, 4})}));
    CHECK_NOTHROW(answers_of(layer(1), {x, w, r, none, {element::int32, {N}}, of({1, N, 4})}));
}

TEST_CASE("rows are where the layout has them") {
    const value_type w = of({1, 16, 3}), r = of({1, 16, 4});
    const auto mixes = [](const recurrent_layer& op, std::vector<argument> in) { return op.mixes_rows(in); };
    CHECK_FALSE(mixes(layer(1), {of({7, N, 3}), w, r}));
    CHECK(mixes(layer(1), {of({N, 7, 3}), w, r}));
    CHECK_FALSE(mixes(layer(1, recurrent_layout::row_first), {of({N, 7, 3}), w, r}));
    CHECK(mixes(layer(1), {of({7, 1, 3}), of({1, 16, N}), r}));
}

TEST_CASE("packed weights give what weights of the run give") {
    std::vector<float> values(16 * 3 + 16 * 4);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1F * static_cast<float>(i % 7) - 0.3F;
    const tensor w = tensor::of<float>({1, 16, 3}, std::span<const float>(values).first(48));
    const tensor r = tensor::of<float>({1, 16, 4}, std::span<const float>(values).last(64));
    graph_builder g;
    const auto x = g.input("x", of({2, N, 3}));
    const auto seen = g.add(layer(1), {x, g.input("w", of({1, 16, 3})), g.input("r", of({1, 16, 4}))});
    const recurrent_layer fixed(std::vector<recurrent_direction>(1), recurrent_layout::time_first, 4,
                                recurrent_constants{w, r, {}, {}});
    CHECK(fixed.weight_bytes() > 0);
    const auto packed = g.add(fixed, {x});
    const graph model = std::move(g).finish({{"a", seen[1]}, {"b", packed[1]}});
    const auto y = run(model, {tensor::of<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6}), w, r}, 1);
    CHECK(floats_of(y[0]) == floats_of(y[1]));
}
