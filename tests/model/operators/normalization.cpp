// tests/model/operators/normalization.cpp - shapes, rows and refusals; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/normalization.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
template <class Op>
bool mixes(const Op& op, const std::vector<value_type>& in) {
    const std::vector<argument> arguments(in.begin(), in.end());
    return op.mixes_rows(arguments);
}
}  // namespace

TEST_CASE("layer normalization answers with means and factors, too") {
    const auto y = answers_of(layer_normalization(1), {of({N, 4, 5}), of({4, 5}), of({5})});
    CHECK(y[0].text() == "float32 [N, 4, 5]");
    CHECK(y[1].text() == "float32 [N, 1, 1]");
    CHECK(y[2] == y[1]);
    CHECK_THROWS(answers_of(layer_normalization(), {of({N, 4, 5}), of({4})}));
    CHECK_THROWS(answers_of(layer_normalization(), {of({N, 4, 5}), of({4, 5})}));
    CHECK_THROWS(answers_of(layer_normalization(3), {of({N, 4, 5}), of({5})}));
    CHECK_THROWS(answers_of(layer_normalization(), {{element::float64, {N, 5}}, of({5})}));
    CHECK_FALSE(mixes(layer_normalization(), {of({4, N, 5}), of({5})}));
    CHECK(mixes(layer_normalization(0), {of({N, 5}), of({1, 5})}));
}

TEST_CASE("a scale of fewer elements is repeated") {
    graph_builder g;
    const auto x = g.input("x", of({N, 2, 2}));
    const auto scale = g.constant(tensor::of<float>({2}, {1, 10}));
    const auto y = g.add(layer_normalization(1, 0), {x, scale}).front();
    const graph model = std::move(g).finish({{"y", y}});
    CHECK(floats_of(run(model, {tensor::of<float>({1, 2, 2}, {-1, 1, 1, -1})}, 1)[0]) ==
          std::vector<float>{-1, 10, 1, -10});
}

TEST_CASE("normalizations by channel") {
    const value_type x = of({N, 6, 5}), list = of({6});
    CHECK(answers_of(group_normalization(3), {x, of({3}), of({3})})[0] == x);
    CHECK(answers_of(group_normalization(3), {x, list, list})[0] == x);
    CHECK(answers_of(instance_normalization(), {x, list, list})[0] == x);
    CHECK(answers_of(batch_normalization(), {x, list, list, list, list})[0] == x);
    CHECK(answers_of(batch_normalization_training(0, 0), {x, list, list, list, list}).size() == 5);
    CHECK(mixes(batch_normalization_training(0, 0), {x, list, list, list, list}));
    CHECK_THROWS(answers_of(group_normalization(4), {x, list, list}));
    CHECK_THROWS(group_normalization(0));
    CHECK_THROWS(answers_of(instance_normalization(), {x, of({5}), list}));
    CHECK_THROWS(answers_of(batch_normalization(), {x, list, list, list}));
}

TEST_CASE("statistics of the batch, and what runs along with them") {
    graph_builder g;
    const auto x = g.input("x", of({N, 1}));
    const auto one = g.constant(tensor::of<float>({1}, {1}));
    const auto y = g.add(batch_normalization_training(0, 0.75F), {x, one, one, one, one});
    const graph model = std::move(g).finish({{"y", y[0]}, {"mean", y[1]}, {"variance", y[2]}, {"own", y[4]}});
    const auto out = run(model, {tensor::of<float>({2, 1}, {1, 5})}, 2);
    CHECK(floats_of(out[0]) == std::vector<float>{0, 2});
    CHECK(floats_of(out[1]) == std::vector<float>{1.5F});
    CHECK(floats_of(out[2]) == std::vector<float>{1.75F});
    CHECK(floats_of(out[3]) == std::vector<float>{4});
}

TEST_CASE("normalizations over axes know when rows are among them") {
    const value_type x = of({N, 6, 5});
    CHECK_FALSE(mixes(mean_variance_normalization({1, 2}), {x}));
    CHECK(mixes(mean_variance_normalization({0, 2}), {x}));
    CHECK_FALSE(mixes(lp_normalization(-1), {x}));
    CHECK(mixes(lp_normalization(0), {x}));
    CHECK_THROWS(answers_of(mean_variance_normalization({3}), {x}));
    CHECK_THROWS(answers_of(lp_normalization(3), {x}));
    CHECK_THROWS(lp_normalization(0, 3));
    CHECK(answers_of(local_response_normalization(3, 1, 1, 1), {x})[0] == x);
    CHECK_THROWS(local_response_normalization(0, 1, 1, 1));
}
