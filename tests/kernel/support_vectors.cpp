// tests/kernel/support_vectors.cpp - kernels of support vectors against loops; probabilities from pairs.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <fanfold/kernel/support_vectors.hpp>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"
#include "helpers.hpp"

using namespace fanfold;
using fanfold_test::numbers;
using kernel::vector_kernel;

TEST_CASE("rows are compared with support vectors, however many there are, as a loop does it") {
    const kernel::vector_kernel_parameters with{0.7, -0.3, 3};
    for (const std::size_t count : {1U, 7U, 8U, 9U, 31U})
        for (const std::size_t features : {1U, 3U, 16U, 37U})
            for (const auto kind :
                 {vector_kernel::linear, vector_kernel::polynomial, vector_kernel::radial, vector_kernel::sigmoid}) {
                const auto v = numbers(1).some<double>(count * features), x = numbers(2).some<double>(features);
                const kernel::support_vectors vectors(v, count, kind, with);
                REQUIRE(vectors.features() == features);
                std::vector<double> got(count);
                vectors(x.data(), got);
                for (std::size_t s = 0; s < count; ++s) {
                    double dot = 0, apart = 0;
                    for (std::size_t f = 0; f < features; ++f) {
                        dot += x[f] * v[s * features + f];
                        apart += (x[f] - v[s * features + f]) * (x[f] - v[s * features + f]);
                    }
                    const double inside = 0.7 * dot - 0.3;
                    const double expected = kind == vector_kernel::linear       ? dot
                                            : kind == vector_kernel::polynomial ? inside * inside * inside
                                            : kind == vector_kernel::radial     ? std::exp(-0.7 * apart)
                                                                                : std::tanh(inside);
                    CHECK(std::abs(got[s] - expected) < 1e-12 * (1 + std::abs(expected)));
                }
            }
}

TEST_CASE("values that are no whole vectors are refused") {
    const std::vector<double> seven(7);
    CHECK(text_of([&] { (void)kernel::support_vectors(seven, 2, vector_kernel::linear, {}); }) ==
          "expected values for 2 vectors, got 7");
    CHECK_THROWS(kernel::support_vectors({}, 2, vector_kernel::linear, {}));
    CHECK_THROWS(kernel::support_vectors(seven, 0, vector_kernel::linear, {}));
}

TEST_CASE("probabilities that pairs agree on are found again") {
    // Where r_ij = p_i / (p_i + p_j) for some p, that p is the answer.
    const std::vector<double> p{0.1, 0.2, 0.3, 0.4};
    std::vector<double> pairs(16), got(4), scratch(20);
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) pairs[i * 4 + j] = p[i] / (p[i] + p[j]);
    kernel::couple_pairs(pairs, got, scratch);
    for (std::size_t i = 0; i < 4; ++i) CHECK(std::abs(got[i] - p[i]) < 0.005);
    // Of two classes, and of certain pairs: finite, and one in all.
    pairs = {0, 1 - 1e-7, 1e-7, 0};
    got.assign(2, 0);
    kernel::couple_pairs(pairs, got, scratch);
    CHECK(got[0] > 0.99);
    CHECK(std::abs(got[0] + got[1] - 1) < 1e-12);
}
