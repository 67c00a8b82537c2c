// tests/model/operators/support_vectors.cpp - support vector machines against LIBSVM's rules as loops.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <fanfold/model/operators/support_vectors.hpp>

#include "../../catch.hpp"
#include "../../kernel/helpers.hpp"
#include "../../text.hpp"
#include "../run.hpp"

using namespace fanfold;
using fanfold_test::numbers;
using kernel::vector_kernel;

namespace {

const extent N = rows_extent;

tensor rows_of(std::size_t rows, std::size_t features) {
    const std::vector<float> values = numbers(9).some(rows * features);
    return tensor::of<float>({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(features)},
                             std::span<const float>(values));
}
template <class Op>
graph one_step(const Op& op, std::int64_t features) {
    graph_builder g;
    const auto y = g.add(op, {g.input("x", {element::float32, {N, features}})});
    std::vector<std::pair<std::string, value_id>> outputs;
    for (const value_id each : y) outputs.emplace_back("y" + std::to_string(outputs.size()), each);
    return std::move(g).finish(outputs);
}

constexpr std::size_t features = 5;
const std::vector<std::int64_t> counts{4, 2, 5};
const std::vector<double> vectors = numbers(3).some<double>(11 * features);
const std::vector<double> coefficients = numbers(4).some<double>(2 * 11);
kernel::support_vectors radial() { return {vectors, 11, vector_kernel::radial, {0.5, 0, 0}}; }
svm_pairs pairs() { return {counts, coefficients, {0.1, -0.2, 0.3}}; }

/// The numbers of three pairs of a row.
std::vector<double> decisions(const float* x) {
    std::vector<double> alike(11), out;
    for (std::size_t v = 0; v < 11; ++v) {
        double apart = 0;
        for (std::size_t f = 0; f < features; ++f)
            apart += std::pow(static_cast<double>(x[f]) - vectors[v * features + f], 2);
        alike[v] = std::exp(-0.5 * apart);
    }
    const std::size_t start[] = {0, 4, 6, 11};
    const double rho[] = {0.1, -0.2, 0.3};
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = i + 1; j < 3; ++j) {
            double sum = rho[out.size()];
            for (std::size_t v = start[i]; v < start[i + 1]; ++v) sum += coefficients[(j - 1) * 11 + v] * alike[v];
            for (std::size_t v = start[j]; v < start[j + 1]; ++v) sum += coefficients[i * 11 + v] * alike[v];
            out.push_back(sum);
        }
    return out;
}

}  // namespace

TEST_CASE("a regression is the sum of kernels, or the side that it lies on") {
    const std::vector<double> weights = numbers(6).some<double>(11);
    const auto make = [&](svm_answer answer) {
        const kernel::support_vectors linear(vectors, 11, vector_kernel::linear, {});
        return one_step(svm_regressor(linear, weights, 0.25, answer), features);
    };
    const tensor x = rows_of(7, features);
    const auto got = floats_of(run(make(svm_answer::number), {x}, 7)[0]);
    const auto sides = floats_of(run(make(svm_answer::side), {x}, 7)[0]);
    for (std::size_t n = 0; n < 7; ++n) {
        double sum = 0.25;
        for (std::size_t v = 0; v < 11; ++v)
            for (std::size_t f = 0; f < features; ++f)
                sum += weights[v] * vectors[v * features + f] *
                       static_cast<double>(x.as<float>().data()[n * features + f]);
        CHECK(std::abs(static_cast<double>(got[n]) - sum) < 1e-6);
        CHECK(sides[n] == (sum > 0 ? 1.0F : -1.0F));
    }
}

TEST_CASE("the label wins most pairs, and scores are the pairs' numbers") {
    const graph g = one_step(svm_classifier(radial(), pairs(), score_transform::none, {7, 8, 9}), features);
    const tensor x = rows_of(20, features);
    const auto y = run(g, {x}, 20);
    CHECK(g.state().values[g.state().outputs[1]].type.text() == "float32 [N, 3]");
    for (std::size_t n = 0; n < 20; ++n) {
        const auto d = decisions(x.as<float>().data() + n * features);
        int votes[3] = {};
        ++votes[d[0] > 0 ? 0 : 1], ++votes[d[1] > 0 ? 0 : 2], ++votes[d[2] > 0 ? 1 : 2];
        const std::int64_t best = votes[2] > votes[0] && votes[2] > votes[1] ? 9 : votes[1] > votes[0] ? 8 : 7;
        CHECK(y[0].as<std::int64_t>().flat()[n] == best);
        for (std::size_t pair = 0; pair < 3; ++pair)
            CHECK(std::abs(static_cast<double>(y[1].as<float>().flat()[n * 3 + pair]) - d[pair]) < 1e-6);
    }
}

TEST_CASE("probabilities of two labels follow the curve of their pair; without one, the pair's number speaks twice") {
    const svm_pairs two{{6, 5}, std::vector<double>(coefficients.begin(), coefficients.begin() + 11), {0.1}};
    svm_pairs sure = two;
    sure.a = {-2}, sure.b = {0.5};
    const tensor x = rows_of(9, features);
    const auto plain = run(one_step(svm_classifier(radial(), two, score_transform::none, {0, 1}), features), {x}, 9);
    const auto chances = run(one_step(svm_classifier(radial(), sure, score_transform::none, {0, 1}), features), {x}, 9);
    for (std::size_t n = 0; n < 9; ++n) {
        const auto s = static_cast<double>(plain[1].as<float>().flat()[2 * n + 1]);
        CHECK(plain[1].as<float>().flat()[2 * n] == static_cast<float>(-s));
        const double p = 1 / (1 + std::exp(-2 * s + 0.5));
        CHECK(std::abs(static_cast<double>(chances[1].as<float>().flat()[2 * n]) - p) < 0.003);
        CHECK(plain[0].as<std::int64_t>().flat()[n] == (s > 0 ? 0 : 1));
        CHECK(chances[0].as<std::int64_t>().flat()[n] == (s > 0 ? 0 : 1));
    }
}

TEST_CASE("a row's label, scores and probabilities have the same bits wherever it stands in a batch of any size") {
    svm_pairs sure = pairs();
    sure.a = {-1, -2, -0.5}, sure.b = {0.1, 0, -0.1};
    for (const svm_pairs& of : {pairs(), sure}) {
        const graph g = one_step(svm_classifier(radial(), of, score_transform::none, {7, 8, 9}), features);
        const tensor x = rows_of(23, features);
        const auto whole = run(g, {x}, 23);
        for (const std::size_t count : {1U, 2U, 7U})
            for (std::size_t first = 0; first + count <= 23; ++first) {
                const std::span<const float> some_rows(x.as<float>().data() + first * features, count * features);
                const auto rows = tensor::of<float>({static_cast<std::int64_t>(count), features}, some_rows);
                const auto part = run(g, {rows}, count);
                for (std::size_t i = 0; i < 2; ++i)
                    CHECK(std::memcmp(part[i].data(), whole[i].data() + first * whole[i].bytes() / 23,
                                      part[i].bytes()) == 0);
            }
    }
}

TEST_CASE("machines whose lists disagree are refused with both numbers") {
    const auto complain = [](auto change) {
        svm_pairs of = pairs();
        std::vector<std::int64_t> labels{7, 8, 9};
        change(of, labels);
        return text_of([&] { (void)svm_classifier(radial(), of, score_transform::none, labels); });
    };
    CHECK(complain([](svm_pairs& of, auto&) { of.rho.pop_back(); }) ==
          "expected 3 numbers of rho, one a pair of labels, got 2");
    CHECK(complain([](svm_pairs& of, auto&) {
              of.a = {1, 2, 3};
          }) == "expected 3 numbers of prob_b, one a pair of labels, got 0");
    CHECK(complain([](svm_pairs& of, auto&) { of.coefficients.pop_back(); }) ==
          "expected 22 coefficients, 2 a vector, got 21");
    CHECK(complain([](svm_pairs&, auto& labels) { labels.pop_back(); }) == "expected vectors of 2 classes, got 3");
    CHECK(complain([](svm_pairs&, auto& labels) { labels = {7}; }) == "expected 2 labels or more, got 1");
    CHECK(complain([](svm_pairs& of, auto&) {
              of.vectors_per_class = {4, 2, 4};
          }) == "expected classes with 11 support vectors in all, got 10");
    CHECK(complain([](svm_pairs& of, auto&) {
              of.vectors_per_class = {-4, 10, 5};
          }) == "expected classes with 11 support vectors in all, got one with -4");
    CHECK(text_of([] {
              const svm_pairs two{{6, 5}, std::vector<double>(11), {0.1}};
              (void)svm_classifier(radial(), two, score_transform::softmax, {0, 1});
          }) == "expected no transform but LOGISTIC for two labels without probabilities, got another one");
    CHECK(text_of([] {
              (void)svm_regressor(radial(), {1, 2}, 0, svm_answer::number);
          }) == "expected as many coefficients as support vectors, 11, got 2");
    const svm_classifier op(radial(), pairs(), score_transform::none, {7, 8, 9});
    CHECK_THROWS_WITH(answers_of(op, {{element::float32, {N, 4}}}), "expected at least 5 features, got float32 [N, 4]");
}
