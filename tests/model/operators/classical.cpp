// tests/model/operators/classical.cpp - shapes, labels and transforms of trees' scores.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/classical.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
/// x[1] <= 0 ? low : high
kernel::tree_ensemble stump(double low, double high) {
    std::vector<kernel::tree_node> nodes(3);
    nodes[0] = {kernel::tree_test::at_most, false, 1, 1, 2, 0, 0, 0};
    nodes[1].last_weight = 1;
    nodes[2].first_weight = 1;
    nodes[2].last_weight = 2;
    return {nodes, {0}, {{0, low}, {0, high}}, 1, kernel::tree_aggregate::sum};
}
}  // namespace

TEST_CASE("features in, scores out") {
    const tree_regressor op(stump(1, 2), {0.5}, score_transform::none);
    CHECK(answers_of(op, {{element::int64, {N, 2}}})[0].text() == "float32 [N, 1]");
    CHECK(answers_of(op, {{element::float32, {2}}})[0].text() == "float32 [1, 1]");
    CHECK(answers_of(op, {{element::float32, symbolic_shape::unknown()}})[0].text() == "float32 [?, 1]");
    CHECK_THROWS(answers_of(op, {{element::float32, {N, 1}}}));
    CHECK_THROWS(answers_of(op, {{element::int8, {N, 2}}}));
    CHECK_THROWS(tree_regressor(stump(1, 2), {1, 2}, score_transform::none));
    CHECK_THROWS(tree_classifier(stump(1, 2), {}, score_transform::none, {1, 2, 3}));
    graph_builder g;
    const auto x = g.input("x", {element::float64, {N, 2}});
    const graph model = std::move(g).finish({{"y", g.add(op, {x}).front()}});
    CHECK(floats_of(run(model, {tensor::of<double>({2, 2}, {0, -1, 0, 1})}, 2)[0]) == std::vector<float>{1.5F, 2.5F});
}

TEST_CASE("one score speaks for the second of two labels") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {N, 2}});
    const auto sure = g.add(tree_classifier(stump(0.25, 0.75), {}, score_transform::none, {7, 9}), {x});
    const auto margin = g.add(tree_classifier(stump(-1, 1), {}, score_transform::none, {7, 9}), {x});
    const graph model = std::move(g).finish({{"a", sure[0]}, {"b", sure[1]}, {"c", margin[0]}, {"d", margin[1]}});
    const auto y = run(model, {tensor::of<float>({2, 2}, {0, -1, 0, 1})}, 2);
    CHECK(y[0].as<std::int64_t>().flat()[0] == 7);
    CHECK(y[0].as<std::int64_t>().flat()[1] == 9);
    CHECK(floats_of(y[1]) == std::vector<float>{0.75F, 0.25F, 0.25F, 0.75F});
    CHECK(y[2].as<std::int64_t>().flat()[1] == 9);
    CHECK(floats_of(y[3]) == std::vector<float>{1, -1, -1, 1});
}

TEST_CASE("transforms of scores") {
    const auto made = [](score_transform how, std::vector<double> scores) {
        detail::transform_scores(how, scores);
        return scores;
    };
    CHECK(made(score_transform::logistic, {0}) == std::vector<double>{0.5});
    CHECK(made(score_transform::softmax, {3, 3}) == std::vector<double>{0.5, 0.5});
    CHECK(made(score_transform::softmax_zero, {3, 0, 3}) == std::vector<double>{0.5, 0, 0.5});
    CHECK(std::abs(made(score_transform::probit, {0.8413})[0] - 1) < 1e-2);
}
