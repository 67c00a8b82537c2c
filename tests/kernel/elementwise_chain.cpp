// SPDX-License-Identifier: MIT
#include <fanfold/kernel/elementwise_chain.hpp>

#include <cstring>
#include <vector>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::binary;
using kernel::chain_inputs;
using kernel::chain_step;
using kernel::unary;

namespace {
using floats = view<const float>;
}

TEST_CASE("a chain has the bits of its operations one after the other, at every length and broadcast") {
    numbers next(5);
    for (const kernel::isa set : {kernel::isa::baseline, kernel::isa::avx2, kernel::isa::avx512}) {
        if (!kernel::supports(set)) continue;
        for (const std::int64_t n : {1, 3, 16, 33, 300, 600}) {
            const std::vector<float> x = next.some(static_cast<std::size_t>(2 * 3 * n)),
                                     row = next.some(static_cast<std::size_t>(n)), column = next.some(3),
                                     one = next.some(1);
            const shape whole{2, 3, n};
            const floats in[] = {floats(x.data(), whole), floats(row.data(), {n}), floats(column.data(), {3, 1}),
                                 floats(one.data(), shape{})};
            // (x row + column) * tanh(one)
            const std::vector<chain_step> steps{{.pair = binary::mul, .a = 0, .b = 1},
                                                {.pair = binary::add, .a = chain_inputs, .b = 2},
                                                {.single = unary::tanh, .a = 3},
                                                {.pair = binary::mul, .a = chain_inputs + 1, .b = chain_inputs + 2}};
            std::vector<float> got(x.size()), wanted(x.size()), gate(1);
            kernel::detail::elementwise_chain(set, steps, in, {got.data(), whole});
            const view<float> to(wanted.data(), whole);
            kernel::detail::elementwise(set, binary::mul, in[0], in[1], to);
            kernel::detail::elementwise(set, binary::add, floats(to), in[2], to);
            kernel::detail::apply(set, kernel::detail::unary_call{unary::tanh, 0, 0}, in[3],
                                  view<float>(gate.data(), shape{}));
            kernel::detail::elementwise(set, binary::mul, floats(to), floats(gate.data(), shape{}), to);
            CHECK(std::memcmp(got.data(), wanted.data(), got.size() * sizeof(float)) == 0);
        }
    }
}

TEST_CASE("strides are followed; operands that are not there are refused") {
    const std::vector<float> x{1, 2, 3, 4, 5, 6};
    std::vector<float> got(6);
    const std::vector<chain_step> steps{{.pair = binary::add, .a = 0, .b = 0},
                                        {.single = unary::neg, .a = chain_inputs}};
    const floats turned[] = {floats(x.data(), shape{2, 3}, strides{1, 2})};
    kernel::elementwise_chain(steps, turned, {got.data(), shape{2, 3}});
    CHECK(got == std::vector<float>{-2, -6, -10, -4, -8, -12});
    const std::vector<chain_step> ahead{{.single = unary::neg, .a = chain_inputs}};
    CHECK_THROWS_AS(kernel::elementwise_chain(ahead, turned, {got.data(), shape{2, 3}}), std::invalid_argument);
    CHECK_THROWS_AS(kernel::elementwise_chain(steps, turned, {got.data(), shape{3, 2}}), std::invalid_argument);
}
