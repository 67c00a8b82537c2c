// tests/onnx/operators/softmax.cpp - Softmax in both meanings against a plain loop.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <fanfold/onnx/operators/softmax.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

/// Groups of `n` elements `inner` apart.
std::vector<double> plain(const floats& x, std::size_t n, std::size_t inner) {
    std::vector<double> out(x.size());
    for (std::size_t outer = 0; outer < x.size() / (n * inner); ++outer)
        for (std::size_t i = 0; i < inner; ++i) {
            const std::size_t first = outer * n * inner + i;
            double sum = 0;
            for (std::size_t k = 0; k < n; ++k) sum += std::exp(static_cast<double>(x[first + k * inner]));
            for (std::size_t k = 0; k < n; ++k)
                out[first + k * inner] = std::exp(static_cast<double>(x[first + k * inner])) / sum;
        }
    return out;
}

fanfold::graph softmax(std::int64_t opset, std::vector<attribute> attributes) {
    return load(model_file{opset,
                           {node("Softmax", {"x"}, {"y"}, attributes, "soft")},
                           {value("x", {N, d(3), d(5)})},
                           {value("y", {N, d(3), d(5)})}});
}

}  // namespace

TEST_CASE("Softmax means one axis since opset 13, and everything from an axis on before") {
    struct meaning {
        std::int64_t opset;
        std::vector<attribute> attributes;
        std::size_t n, inner;
        bool mixes;
    };
    const auto s = GENERATE(
        meaning{13, {}, 5, 1, false}, meaning{21, {{"axis", std::int64_t{1}}}, 3, 5, false},
        meaning{13, {{"axis", std::int64_t{-2}}}, 3, 5, false}, meaning{13, {{"axis", std::int64_t{0}}}, 4, 15, true},
        meaning{12, {}, 15, 1, false}, meaning{7, {{"axis", std::int64_t{2}}}, 5, 1, false},
        meaning{11, {{"axis", std::int64_t{-1}}}, 5, 1, false}, meaning{12, {{"axis", std::int64_t{0}}}, 60, 1, true});
    const floats x = noise(60, 5);
    const auto g = softmax(s.opset, s.attributes);
    CHECK(g.row_mixer() == (s.mixes ? "soft" : ""));
    CHECK(difference(run(g, {fanfold::tensor::of<float>({4, 3, 5}, std::span(x))}, 4)[0], plain(x, s.n, s.inner)) <
          1e-6);
}

TEST_CASE("Softmax refuses an axis that is not there") {
    CHECK_THAT(text_of([] { (void)softmax(13, {{"axis", std::int64_t{3}}}); }), Contains("an axis in [-3, 3), got 3"));
    CHECK_THAT(text_of([] { (void)softmax(12, {{"axis", std::int64_t{-4}}}); }), Contains("got -4"));
}
