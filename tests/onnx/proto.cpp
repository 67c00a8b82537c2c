// tests/onnx/proto.cpp - protobuf messages as structs: both spellings of repeated fields, damage noticed.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/proto.hpp>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

TEST_CASE("a model's parts are found where they lie") {
    const std::string bytes = model_file{
        15,
        {node("Relu", {"x"}, {"y"}, {{"a", ints{1, -2}}})},
        {value("x", {N, d(3)})},
        {undeclared("y")},
        {tensor("w", {2},
                {1, 2})}}.bytes();
    const auto m = fanfold::onnx::parse_model(bytes);
    CHECK(m.ir_version == 7);
    CHECK(m.opset == 15);
    REQUIRE(m.graph.has_value());
    REQUIRE(m.graph->nodes.size() == 1);
    CHECK(m.graph->nodes[0].op_type == "Relu");
    CHECK(m.graph->nodes[0].attributes[0].ints == ints{1, -2});
    CHECK(
        (m.graph->nodes[0].name.data() > bytes.data() && m.graph->nodes[0].name.data() < bytes.data() + bytes.size()));
    REQUIRE(m.graph->inputs.at(0).shape.has_value());
    CHECK(m.graph->inputs[0].shape->at(0).param == "N");
    CHECK(m.graph->inputs[0].shape->at(1).value == 3);
    CHECK_FALSE(m.graph->outputs.at(0).is_tensor);
    CHECK(m.graph->initializers.at(0).raw_data->size() == 8);
}

TEST_CASE("a sequence of tensors, and an optional one of either, say what they hold; what lies deeper is no tensor") {
    const auto parsed = [](const std::string& info) { return model_file{13, {}, {info}, {}}.bytes(); };
    const auto kind = [&](const std::string& info) {
        const std::string bytes = parsed(info);
        const auto m = fanfold::onnx::parse_model(bytes);
        const auto& input = m.graph->inputs.at(0);
        CHECK(input.name == "x");
        if (input.is_tensor) CHECK((input.element_type == 7 && input.shape->at(0).param == "N"));
        return std::string(input.is_optional ? "optional " : "") + (input.is_sequence ? "sequence " : "") +
               (input.is_tensor ? "tensor" : "other");
    };
    const std::string x = value("x", {N}, 7);
    CHECK(kind(x) == "tensor");
    CHECK(kind(sequence_of(x)) == "sequence tensor");
    CHECK(kind(optional_of(x)) == "optional tensor");
    CHECK(kind(optional_of(sequence_of(x))) == "optional sequence tensor");
    CHECK(kind(sequence_of(sequence_of(x))) == "sequence other");
    CHECK(kind(sequence_of(optional_of(x))) == "sequence other");
    CHECK(kind(optional_of(optional_of(x))) == "optional other");
    CHECK(kind(optional_of(sequence_of(sequence_of(x)))) == "optional sequence other");
    std::string deep = x;
    for (int i = 0; i < 1000; ++i) deep = sequence_of(deep);
    CHECK(kind(deep) == "sequence other");
    std::string cut = sequence_of(x);
    cut[cut.find("\x0a\x01x") + 4] = 100;  // the length of its type
    CHECK_THAT(text_of([&] { (void)fanfold::onnx::parse_model(parsed(cut)); }), Contains("graph input 0"));
}

TEST_CASE("repeated numbers may be packed or not") {
    std::string packed, loose;
    const ints values{3, -1, 300};
    protozero::pbf_writer(packed).add_packed_int64(8, values.begin(), values.end());
    for (const std::int64_t v : values) protozero::pbf_writer(loose).add_int64(8, v);
    CHECK(fanfold::onnx::parse_attribute(packed).ints == values);
    CHECK(fanfold::onnx::parse_attribute(loose).ints == values);
    const floats reals{1, 2.5F};
    std::string both;
    protozero::pbf_writer(both).add_packed_float(7, reals.begin(), reals.end());
    protozero::pbf_writer(both).add_float(7, 3);
    CHECK(fanfold::onnx::parse_attribute(both).floats == floats{1, 2.5F, 3});
}

TEST_CASE("an attribute without a type has that of its field") {
    using kind = fanfold::onnx::attribute_proto;
    const auto type_of = [](auto&& write) {
        std::string out;
        protozero::pbf_writer w(out);
        write(w);
        return fanfold::onnx::parse_attribute(out).type;
    };
    CHECK(type_of([](auto& w) { w.add_float(2, 1); }) == kind::real);
    CHECK(type_of([](auto& w) { w.add_int64(3, 1); }) == kind::integer);
    CHECK(type_of([](auto& w) { w.add_string(4, "a"); }) == kind::text);
    CHECK(type_of([](auto& w) { w.add_float(7, 1); }) == kind::reals);
    CHECK(type_of([](auto& w) { w.add_int64(8, 1); }) == kind::integers);
}

TEST_CASE("a field of the wrong wire type and a message cut short are refused, with the place") {
    std::string wrong;
    protozero::pbf_writer(wrong).add_string(1, "seven");  // ir_version
    CHECK_THAT(text_of([&] { (void)fanfold::onnx::parse_model(wrong); }),
               Contains("the model: protobuf field 1: expected wire type 0, got 2"));
    std::string bytes = model_file{13, {node("Relu", {"x"}, {"y"})}, {}, {}, {}}.bytes();
    bytes.resize(bytes.size() / 2);
    CHECK_THAT(text_of([&] { (void)fanfold::onnx::parse_model(bytes); }), Contains("cut or damaged"));
    std::string inner = node("Relu", {"x"}, {"y"});
    inner[1] = 100;  // the length of the first name
    CHECK_THAT(text_of([&] {
                   (void)fanfold::onnx::parse_model(model_file{13, {inner}, {}, {}, {}}.bytes());
               }),
               Contains("its graph: node 0: expected a protobuf message, got one that is cut or damaged"));
}

TEST_CASE("subgraphs are noticed, not read") {
    std::string deep;
    for (int level = 0; level < 20000; ++level) {
        std::string outer;
        protozero::pbf_writer(outer).add_message(6, deep);
        deep = std::move(outer);
    }
    CHECK(fanfold::onnx::parse_attribute(deep).inner.has_value());
}
