// tests/onnx/operators/quantization.cpp - attributes of quantizing operators.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/quantization.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file quantized(std::int64_t opset, std::vector<attribute> attributes, std::vector<std::string> inputs) {
    return {opset,
            {node("QuantizeLinear", inputs, {"q"}, attributes, "to"),
             node("DequantizeLinear",
                  inputs.size() == 3 ? std::vector<std::string>{"q", inputs[1], inputs[2]}
                                     : std::vector<std::string>{"q", inputs[1]},
                  {"y"}, attributes.empty() ? attributes : std::vector<attribute>{attributes[0]}, "back")},
            {value("x", {N, d(2)})},
            {undeclared("q"), undeclared("y")},
            {tensor("s", {}, floats{2}), tensor("each", {2}, floats{2, 4}),
             tensor("z", {2}, std::vector<std::int8_t>{1, 2}, 3)}};
}

}  // namespace

TEST_CASE("one scale for all, or one a column") {
    const auto x = fanfold::tensor::of<float>({1, 2}, {5, 13});
    const auto one = run(load(quantized(10, {}, {"x", "s"})), {x}, 1);
    CHECK(one[0].as<std::uint8_t>().flat()[1] == 6);
    CHECK(difference(one[1], {4, 12}) == 0);
    const auto each = run(load(quantized(13, {{"axis", std::int64_t{-1}}}, {"x", "each", "z"})), {x}, 1);
    CHECK(each[0].as<std::int8_t>().flat()[0] == 3);
    CHECK(difference(each[1], {4, 12}) == 0);
    const auto wide =
        run(load(quantized(21, {{"axis", std::int64_t{1}}, {"output_dtype", std::int64_t{4}}}, {"x", "s"})), {x}, 1);
    CHECK(wide[0].type() == fanfold::element::uint16);
    CHECK_THAT(complaint(quantized(21, {{"block_size", std::int64_t{2}}}, {"x", "s"})),
               Contains("a scale for each block of 2, [N, 1], got float32 []"));
}

TEST_CASE("the whole batch decides how DynamicQuantizeLinear scales") {
    const auto g = load(model_file{11,
                                   {node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"}, {}, "dynamic"),
                                    node("MatMulInteger", {"q", "w", "z"}, {"y"})},
                                   {value("x", {N, d(2)})},
                                   {undeclared("y"), undeclared("s")},
                                   {tensor("w", {2, 1}, std::vector<std::int8_t>{1, 2}, 3)}});
    CHECK(g.row_mixer() == "dynamic");
    const auto y = run(g, {fanfold::tensor::of<float>({1, 2}, {255, 1})}, 1);
    CHECK(y[0].as<std::int32_t>().flat()[0] == 257);
    CHECK(difference(y[1], {1}) < 1e-6);
}

TEST_CASE("ConvInteger and QLinearConv") {
    const auto g =
        load(model_file{10,
                        {node("ConvInteger", {"x", "w"}, {"y"}, {{"pads", ints{1, 0}}}),
                         node("QLinearConv", {"x", "s", "z", "w", "s", "z", "t", "z"}, {"q"})},
                        {value("x", {N, d(1), d(3)}, 2)},
                        {undeclared("y"), undeclared("q")},
                        {tensor("w", {1, 1, 2}, std::vector<std::uint8_t>{1, 2}, 2), tensor("s", {}, floats{1}),
                         tensor("t", {}, floats{2}), tensor("z", {}, std::vector<std::uint8_t>{0}, 2)}});
    const auto y = run(g, {fanfold::tensor::of<std::uint8_t>({1, 1, 3}, {1, 3, 6})}, 1);
    const auto sums = y[0].as<std::int32_t>().flat();
    CHECK(std::vector<std::int32_t>(sums.begin(), sums.end()) == std::vector<std::int32_t>{2, 7, 15});
    const auto halves = y[1].as<std::uint8_t>().flat();
    CHECK(std::vector<int>(halves.begin(), halves.end()) == std::vector<int>{4, 8});
}

TEST_CASE("4-bit weights in blocks, two to a byte") {
    std::string w;
    protozero::pbf_writer writer(w);
    const ints dims{3, 2};
    writer.add_packed_int64(1, dims.begin(), dims.end());
    writer.add_int32(2, 22);
    writer.add_string(8, "w");
    writer.add_bytes(9, std::string("\x21\xF7\x8E", 3));  // 1, 2, 7, -1, -2, -8
    const auto g = load(model_file{
        21,
        {node("DequantizeLinear", {"w", "s"}, {"d"}, {{"axis", std::int64_t{0}}, {"block_size", std::int64_t{2}}}),
         node("MatMul", {"x", "d"}, {"y"})},
        {value("x", {N, d(3)})},
        {value("y", {N, d(2)})},
        {w, tensor("s", {2, 2}, floats{1, 2, 4, 0.5F})}});
    CHECK(difference(run(g, {fanfold::tensor::of<float>({1, 3}, {1, 10, 100})}, 1)[0], {-729, -416}) == 0);
}

TEST_CASE("4-bit integers and 8-bit floats are rounded to, and held in wider types") {
    const model_file m{
        21,
        {node("QuantizeLinear", {"x", "s"}, {"q"}, {{"output_dtype", std::int64_t{22}}}),
         node("DequantizeLinear", {"q", "s"}, {"y"}), node("Cast", {"x"}, {"f"}, {{"to", std::int64_t{17}}}, "float8")},
        {value("x", {N, d(4)})},
        {value("q", {N, d(4)}, 22), value("y", {N, d(4)}), value("f", {N, d(4)}, 17)},
        {tensor("s", {}, floats{2})}};
    const auto y = run(load(m), {fanfold::tensor::of<float>({1, 4}, {1.0625F, 5, 100, -100})}, 1);
    const auto q = y[0].as<std::int8_t>().flat();
    CHECK(std::vector<int>(q.begin(), q.end()) == std::vector<int>{1, 2, 7, -8});
    CHECK(difference(y[1], {2, 4, 14, -16}) == 0);
    CHECK(difference(y[2], {1, 5, 96, -96}) == 0);
}

TEST_CASE("a block longer than any axis is one block") {
    const model_file m{
        21,
        {node("QuantizeLinear", {"x", "s"}, {"q"}, {{"axis", std::int64_t{1}}, {"block_size", INT64_MAX}})},
        {value("x", fixed({1, 2}))},
        {undeclared("q")},
        {tensor("s", {1, 1}, floats{2})}};
    const auto q = run(load(m), {fanfold::tensor::of<float>({1, 2}, {5, 13})}, 1);
    CHECK(q[0].as<std::uint8_t>().flat()[1] == 6);
}

TEST_CASE("zero points and scales of a product belong to its rows or columns, told at load") {
    const auto product = [](const ints& zeros) {
        const std::vector<std::uint8_t> z(volume(zeros), 1);
        return complaint({13,
                          {node("MatMulInteger", {"a", "b", "z"}, {"y"}, {}, "product")},
                          {value("a", {N, d(1), d(3)}, 2)},
                          {undeclared("y")},
                          {tensor("b", {3, 1}, std::vector<std::uint8_t>{1, 1, 1}, 2), tensor("z", zeros, z, 2)}});
    };
    CHECK(product({}).empty());
    CHECK(product({1}).empty());
    CHECK(product({1, 1, 1}).empty());
    CHECK_THAT(product({4}), Contains("node 'product' (MatMulInteger, opset 13)") && Contains("each row"));
    CHECK_THAT(product({4, 1, 1}), Contains("each row"));  // it would be another one in each shard
    const auto scaled = [](const char* scale) {
        return complaint({13,
                          {node("QLinearMatMul", {"a", "one", "z", "b", scale, "z", "one", "z"}, {"y"})},
                          {value("a", {N, d(2)}, 2)},
                          {undeclared("y")},
                          {tensor("one", {}, floats{1}), tensor("three", {3}, floats{1, 2, 3}),
                           tensor("across", {1, 3}, floats{1, 2, 3}), tensor("along", {3, 1}, floats{1, 2, 3}),
                           tensor("z", {}, std::vector<std::uint8_t>{1}, 2),
                           tensor("b", {2, 3}, std::vector<std::uint8_t>(6, 1), 2)}});
    };
    CHECK(scaled("three").empty());
    CHECK(scaled("across").empty());
    CHECK_THAT(scaled("along"), Contains("each column"));
}

TEST_CASE("what a step refuses in a run, it refuses by name") {
    const auto g =
        load(model_file{10,
                        {node("QLinearConv", {"x", "s", "z", "w", "five", "z", "s", "z"}, {"q"}, {}, "conv")},
                        {value("x", {N, d(1), d(3)}, 2)},
                        {undeclared("q")},
                        {tensor("w", {1, 1, 2}, std::vector<std::uint8_t>{1, 2}, 2), tensor("s", {}, floats{1}),
                         tensor("five", {5}, floats(5, 1)), tensor("z", {}, std::vector<std::uint8_t>{0}, 2)}});
    CHECK_THAT(text_of([&] {
                   (void)run(g, {fanfold::tensor::of<std::uint8_t>({1, 1, 3}, {1, 3, 6})}, 1);
               }),
               Contains("node 'conv' (QLinearConv): ") && Contains("5 scales"));
}

TEST_CASE("a scale for each element of an axis of 8-bit floats fits that axis, which is known at load") {
    const auto scaled = [](const std::string& x, std::int64_t axis) {
        return model_file{19,
                          {node("DequantizeLinear", {"x", "s"}, {"y"}, {{"axis", axis}})},
                          {x},
                          {undeclared("y")},
                          {tensor("s", {3}, floats{1, 2, 4})}};
    };
    const auto ones = fanfold::tensor::of<float>({3, 2}, {1, 1, 1, 1, 1, 1});
    CHECK(difference(run(load(scaled(value("x", fixed({3, 2}), 17), 0)), {ones}, 3)[0], {1, 1, 2, 2, 4, 4}) == 0);
    CHECK_THAT(complaint(scaled(value("x", fixed({1, 3}), 17), 0)), Contains("each element of axis 0"));
    CHECK_THAT(complaint(scaled(value("x", nullptr, 17), 0)), Contains("of known rank"));
}
