// tests/model/operators/encoders.cpp - categories into numbers, against what a reader would write down.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <fanfold/model/operators/encoders.hpp>

#include "../../catch.hpp"
#include "../../text.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {

const extent N = rows_extent;

template <class Op>
graph one_step(const Op& op, const std::vector<value_type>& types) {
    graph_builder g;
    std::vector<value_id> in;
    for (const value_type& type : types) in.push_back(g.input("x" + std::to_string(in.size()), type));
    return std::move(g).finish({{"y", g.add(op, in).front()}});
}

}  // namespace

TEST_CASE("an element is looked up among keys, the first of equal ones; a NaN is found where one is a key") {
    const key_places<double> places({3, std::nan(""), 1, 3, -0.0});
    CHECK(places.find(3) == 0);
    CHECK(places.find(std::nan("")) == 1);
    CHECK(places.find(1) == 2);
    CHECK(places.find(0) == 4);
    CHECK(places.find(2) == 5);
    CHECK(key_places<double>({1, 2}).find(std::nan("")) == 2);
    CHECK(key_places<std::int64_t>({}).find(7) == 0);

    const auto values = tensor::of<float>({4}, {10, 20, 30, -1});
    const auto g =
        one_step(element_lookup(tensor::of<std::int64_t>({3}, {7, 5, 7}), values), {{element::int64, {N, 2}}});
    CHECK(g.state().values[g.state().outputs[0]].type.text() == "float32 [N, 2]");
    const auto x = tensor::of<std::int64_t>({2, 2}, {5, 7, 6, 5});
    CHECK(floats_of(run(g, {x}, 2)[0]) == std::vector<float>{20, 10, -1, 20});
}

TEST_CASE("tables whose sides differ are refused, and elements of another type than keys") {
    const auto keys = tensor::of<float>({2}, {1, 2});
    CHECK(text_of([&] {
              (void)element_lookup(keys, tensor::of<float>({2}, {1, 2}));
          }) == "expected as many values as keys, 2, got 1");
    CHECK(text_of([&] {
              (void)element_lookup(tensor::of<std::int8_t>({1}, {1}), tensor::of<float>({2}, {1, 2}));
          }) == "expected keys in int64, float32 or float64, got int8 [1]");
    const element_lookup op(keys, tensor::of<float>({3}, {1, 2, 3}));
    CHECK_THROWS_WITH(answers_of(op, {{element::int64, {N}}}), "expected float32, got int64 [N]");
}

TEST_CASE("one column for each category, and none of them set for what is no category") {
    const auto g = one_step(one_hot_encoder({3, 1, 7}, unknown_category::all_zeros), {{element::float32, {N, 1}}});
    CHECK(g.state().values[g.state().outputs[0]].type.text() == "float32 [N, 1, 3]");
    const auto x = tensor::of<float>({6, 1}, {1, 3.9F, 7, 2, std::nanf(""), 1e30F});
    CHECK(floats_of(run(g, {x}, 6)[0]) == std::vector<float>{0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    const auto strict = one_step(one_hot_encoder({3, 1}, unknown_category::refused), {{element::int64, {N}}});
    CHECK_THROWS_WITH(run(strict, {tensor::of<std::int64_t>({2}, {1, 4})}, 2),
                      "node '' (OneHotEncoder): expected one of 2 categories, got 4");
    CHECK(text_of([] {
              (void)one_hot_encoder({3, 1, 3}, unknown_category::refused);
          }) == "expected each category once, got 3 twice");
    CHECK_THROWS(one_hot_encoder({}, unknown_category::refused));
    CHECK_THROWS(answers_of(one_hot_encoder({1}, unknown_category::refused), {{element::int8, {N}}}));
}

TEST_CASE("features beside each other, cut or filled up to their number of columns") {
    const auto g = one_step(feature_vectorizer({1, 3}), {{element::float32, {N, 2}}, {element::int64, {N, 2}}});
    const auto a = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    const auto b = tensor::of<std::int64_t>({2, 2}, {5, 6, 7, 8});
    CHECK(floats_of(run(g, {a, b}, 2)[0]) == std::vector<float>{1, 5, 6, 0, 3, 7, 8, 0});
    CHECK_THROWS_WITH(answers_of(feature_vectorizer({1}), {{element::float32, {N, 2}}, {element::float32, {N, 2}}}),
                      "expected numbers of columns for 2 inputs, got 1");
    CHECK_THROWS_WITH(answers_of(feature_vectorizer({1, 1}), {{element::float32, {2, 2}}, {element::float32, {3, 2}}}),
                      "expected features of equally many rows, got float32 [2, 2] and float32 [3, 2]");
    CHECK_THROWS(feature_vectorizer({1, -1}));
    CHECK_THROWS(feature_vectorizer({}));
    CHECK_THROWS(feature_vectorizer({std::int64_t{1} << 30, 1}));
}

TEST_CASE("an encoded row has the same bits wherever it stands in a batch of any size") {
    const auto table = element_lookup(tensor::of<float>({3}, {1, 2, 3}), tensor::of<float>({4}, {0.1F, 0.2F, 0.3F, 9}));
    graph_builder b;
    const auto x = b.input("x", {element::float32, {N, 3}});
    const auto codes = b.add(table, {x}).front();
    const auto y = b.add(feature_vectorizer({3, 4}), {codes, x}).front();
    const graph g = std::move(b).finish({{"y", y}});
    std::vector<float> values;
    for (int i = 0; i < 51; ++i) values.push_back(static_cast<float>(i * 7 % 5));
    const auto all = tensor::of<float>({17, 3}, std::span<const float>(values));
    const tensor whole = run(g, {all}, 17)[0];
    for (std::size_t count : {1U, 2U, 5U})
        for (std::size_t first = 0; first + count <= 17; ++first) {
            const std::vector<float> some(values.begin() + static_cast<std::ptrdiff_t>(3 * first),
                                          values.begin() + static_cast<std::ptrdiff_t>(3 * (first + count)));
            const auto rows = tensor::of<float>({static_cast<std::int64_t>(count), 3}, std::span<const float>(some));
            const tensor part = run(g, {rows}, count)[0];
            CHECK(std::memcmp(part.data(), whole.data() + first * 7 * sizeof(float), part.bytes()) == 0);
        }
}
