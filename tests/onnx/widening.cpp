// tests/onnx/widening.cpp - 16-bit floating point of files is computed in float32, and answered as declared.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/widening.hpp>

#include <limits>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;
using namespace fanfold;

namespace {

std::string halves(std::string_view name, const ints& dims, const floats& values) {
    std::vector<std::uint16_t> bits;
    for (const float v : values) bits.push_back(float16(v).bits);
    return written::tensor(name, dims, bits, 10);
}

}  // namespace

TEST_CASE("a network of float16 throughout") {
    const graph g = load(model_file{
        17,
        {node("Conv", {"x", "w", "b"}, {"c"}), node("Relu", {"c"}, {"r"}), node("GlobalAveragePool", {"r"}, {"p"}),
         node("Flatten", {"p"}, {"f"}), node("Gemm", {"f", "m"}, {"y"})},
        {value("x", {N, d(1), d(3)}, 10)},
        {value("y", {N, d(2)}, 10)},
        {halves("w", {1, 1, 2}, {1, -0.5F}), halves("b", {1}, {0.25F}), halves("m", {1, 2}, {2, -3})}});
    CHECK(output_type(g) == "float16 [N, 2]");
    fanfold::tensor x(element::float16, {1, 1, 3});
    for (int i = 0; i < 3; ++i) x.as<float16>().data()[i] = float16(static_cast<float>(i + 1));
    const fanfold::tensor y = run(g, {x}, 1)[0];  // 0.25, 0.75
    CHECK(static_cast<float>(y.as<float16>().data()[0]) == 1);
    CHECK(static_cast<float>(y.as<float16>().data()[1]) == -1.5F);
}

TEST_CASE("what is cast to 16 bits is rounded to them, wherever it goes") {
    const graph g = load(model_file{
        17,
        {node("Cast", {"x"}, {"h"}, {{"to", std::int64_t{10}}}), node("Cast", {"h"}, {"y"}, {{"to", std::int64_t{1}}}),
         node("CastLike", {"x", "h"}, {"l"}), node("Cast", {"l"}, {"z"}, {{"to", std::int64_t{1}}})},
        {value("x", {N})},
        {value("y", {N}), value("z", {N}), value("h", {N}, 10)}});
    const auto y = run(g, {fanfold::tensor::of<float>({2}, {1.0001F, 70000})}, 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(y[i].as<float>().data()[0] == 1);
        CHECK(y[i].as<float>().data()[1] == std::numeric_limits<float>::infinity());
    }
    CHECK(y[2].type() == element::float16);
}

TEST_CASE("stored elements and their types") {
    CHECK(onnx::widened(element::bfloat16) == element::float32);
    CHECK(onnx::widened(element::float64) == element::float64);
    fanfold::tensor h(element::float16, {1});
    h.as<float16>().data()[0] = float16(0.5F);
    const fanfold::tensor wide = onnx::widened(h);
    CHECK(wide.as<float>().data()[0] == 0.5F);
}
