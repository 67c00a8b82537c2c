// tests/model/operators/quantization.cpp - types, shapes and rows; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/quantization.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
value_type of(element type, symbolic_shape s) { return {type, std::move(s)}; }
const value_type scale = of(element::float32, {}), zero = of(element::uint8, {});
}  // namespace

TEST_CASE("to integers and back") {
    const value_type x = of(element::float32, {N, 3});
    CHECK(answers_of(quantize_linear(), {x, scale})[0].text() == "uint8 [N, 3]");
    CHECK(answers_of(quantize_linear(1, element::int16), {x, scale})[0].text() == "int16 [N, 3]");
    CHECK(answers_of(quantize_linear(), {x, scale, of(element::int8, {})})[0].text() == "int8 [N, 3]");
    CHECK(answers_of(dequantize_linear(), {of(element::int8, {N, 3}), of(element::float32, {3})})[0] == x);
    const auto dynamic = answers_of(dynamic_quantize_linear(), {x});
    CHECK(dynamic[0].text() == "uint8 [N, 3]");
    CHECK(dynamic[2].text() == "uint8 []");
    CHECK_THROWS(quantize_linear(1, element::float32));
    CHECK_THROWS(answers_of(quantize_linear(), {x, of(element::float32, {2})}));
    CHECK_THROWS(answers_of(dequantize_linear(), {of(element::int8, {N, 3}), scale, zero}));
    CHECK_THROWS(answers_of(dequantize_linear(), {x, scale}));
}

TEST_CASE("only the dynamic kind mixes rows, or scales that belong to them") {
    const auto mixes = [](const auto& op, std::vector<argument> in) { return op.mixes_rows(in); };
    const argument x(of(element::float32, {3, N}));
    CHECK_FALSE(mixes(quantize_linear(), {x, scale}));
    CHECK(mixes(quantize_linear(), {x, of(element::float32, {N})}));
    CHECK(mixes(dynamic_quantize_linear(), {x}));
    const argument left(of(element::int8, {3, N})), right(of(element::int8, {N, 3}));
    CHECK(mixes(matmul_integer(), {left, right}));
    CHECK_FALSE(mixes(matmul_integer(), {right, of(element::int8, {3, 2})}));
}

TEST_CASE("products and convolutions of integers") {
    const value_type a = of(element::uint8, {N, 3}), b = of(element::int8, {3, 2});
    CHECK(answers_of(matmul_integer(), {a, b})[0].text() == "int32 [N, 2]");
    CHECK(answers_of(qlinear_matmul(), {a, scale, zero, b, scale, of(element::int8, {}), scale, zero})[0].text() ==
          "uint8 [N, 2]");
    CHECK_THROWS(answers_of(matmul_integer(), {a, of(element::float32, {3, 2})}));
    CHECK_THROWS(answers_of(matmul_integer(), {a, b, of(element::int8, {})}));
    const value_type x = of(element::uint8, {N, 2, 5}), w = of(element::uint8, {4, 2, 3});
    CHECK(answers_of(convolution_integer({}), {x, w})[0].text() == "int32 [N, 4, 3]");
    CHECK(answers_of(qlinear_convolution({}), {x, scale, zero, w, scale, zero, scale, zero})[0].text() ==
          "uint8 [N, 4, 3]");
    CHECK_THROWS(answers_of(convolution_integer({}), {x, of(element::float32, {4, 2, 3})}));
    CHECK_THROWS(answers_of(qlinear_convolution({}), {x, scale, zero, w, scale, zero, scale, zero, scale}));
}

TEST_CASE("stacks of quantized matrices, with a zero point for each column") {
    graph_builder g;
    const auto a = g.input("a", of(element::uint8, {N, 2, 1, 2}));
    const auto b = g.constant(tensor::of<std::uint8_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
    const auto zeros = g.constant(tensor::of<std::uint8_t>({2}, {1, 2}));
    const auto y = g.add(matmul_integer(), {a, b, g.none(), zeros}).front();
    const graph model = std::move(g).finish({{"y", y}});
    const auto out = run(model, {tensor::of<std::uint8_t>({1, 2, 1, 2}, {1, 2, 3, 4})}, 1);
    const auto values = out[0].as<std::int32_t>().flat();
    CHECK(std::vector<std::int32_t>(values.begin(), values.end()) == std::vector<std::int32_t>{4, 4, 36, 36});
}
