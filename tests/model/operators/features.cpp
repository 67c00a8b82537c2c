// tests/model/operators/features.cpp - shapes and numbers of linear models and prepared features.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/features.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
template <class Op>
std::vector<float> made(const Op& op, std::vector<float> row) {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {N, static_cast<std::int64_t>(row.size())}});
    const graph model = std::move(g).finish({{"y", g.add(op, {x}).back()}});
    return floats_of(
        run(model, {tensor::of<float>({1, static_cast<std::int64_t>(row.size())}, std::span<const float>(row))}, 1)[0]);
}
}  // namespace

TEST_CASE("features are prepared one by one") {
    CHECK(made(feature_scaler({1}, {2, 3}), {2, 3}) == std::vector<float>{2, 6});
    CHECK(made(feature_normalizer(row_norm::length), {3, 4}) == std::vector<float>{0.6F, 0.8F});
    CHECK(made(feature_normalizer(row_norm::absolute_sum), {-1, 3}) == std::vector<float>{-0.25F, 0.75F});
    CHECK(made(feature_normalizer(row_norm::maximum), {1, 4}) == std::vector<float>{0.25F, 1});
    CHECK(made(feature_normalizer(row_norm::length), {0, 0}) == std::vector<float>{0, 0});
    CHECK(made(binarizer(1), {1, 2}) == std::vector<float>{0, 1});
    CHECK(made(imputer({7, 8}, 0), {0, 1}) == std::vector<float>{7, 1});
    CHECK(made(imputer({7}, std::nan("")), {std::nanf(""), 0}) == std::vector<float>{7, 0});
    CHECK(made(linear_model({1, 2, 3, 4}, {10, 20}, 2, score_transform::none), {1, 1}) == std::vector<float>{13, 27});
    CHECK(made(linear_model({1, 2, 3, 4}, {}, 2, score_transform::none, {5, 6}), {1, 1}) == std::vector<float>{3, 7});
}

TEST_CASE("features that are too few or too many are refused") {
    const value_type x{element::float32, {N, 3}};
    CHECK_THROWS(answers_of(feature_scaler({1, 2}, {1}), {x}));
    CHECK_THROWS(answers_of(imputer({1, 2}, 0), {x}));
    CHECK_THROWS(imputer({}, 0));
    CHECK_THROWS(linear_model({1, 2, 3}, {}, 2, score_transform::none));
    CHECK_THROWS(answers_of(linear_model({1, 2, 3, 4}, {}, 1, score_transform::none), {x}));
    CHECK_THROWS(answers_of(feature_normalizer(row_norm::length), {{element::int8, {N, 3}}}));
    const value_type places{element::int64, {2}};
    CHECK(answers_of(feature_extractor(), {x, places})[0].text() == "float32 [N, 2]");
    CHECK(answers_of(feature_extractor(), {{element::int8, {3}}, places})[0].text() == "int8 [1, 2]");
    CHECK_THROWS(answers_of(feature_extractor(), {x, x}));
}
