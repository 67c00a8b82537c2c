// tests/onnx/node.cpp - inputs as values or as elements, attributes by type, stored weights held no longer than needed.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/reshape.hpp>
#include <fanfold/onnx/node.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace fanfold::onnx;
using Catch::Matchers::Contains;

namespace {

struct fresh_state {
    import_context context{};
    graph_builder build{};
    import_state state{context, nullptr, build};

    explicit fresh_state(graph_limits limits = {}) {
        context.limits = limits;
        context.opset = 13;
    }
};

tensor_proto stored(const std::vector<float>& values) {
    tensor_proto t;
    t.dims = {static_cast<std::int64_t>(values.size())};
    t.data_type = 1;
    t.raw_data = std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return t;
}

}  // namespace

TEST_CASE("attributes: their value, a default, a complaint about another type, about those nobody read") {
    node_proto n;
    n.attributes.resize(3);
    n.attributes[0].name = "axis", n.attributes[0].type = attribute_proto::integer, n.attributes[0].i = 4;
    n.attributes[1].name = "alpha", n.attributes[1].type = attribute_proto::real, n.attributes[1].f = 0.5F;
    n.attributes[2].name = "mode", n.attributes[2].type = attribute_proto::text, n.attributes[2].s = "SAME";
    fresh_state fresh;
    import_state& state = fresh.state;
    node_import node(n, state);
    CHECK(node.integer("axis", 1) == 4);
    CHECK(node.integer("other", 1) == 1);
    CHECK(node.real("alpha", 1) == 0.5F);
    CHECK_THROWS_WITH(node.integers("axis"), Contains("attribute 'axis': expected integers"));
    CHECK_THROWS_WITH(node.expect_all_attributes_read(), Contains("got 'mode'"));
    CHECK(node.text("mode", "") == "SAME");
    CHECK_NOTHROW(node.expect_all_attributes_read());
    n.attributes.push_back(n.attributes[0]);
    CHECK_THROWS_WITH(node_import(n, state).integer("axis", 1), Contains("'axis' once, got it twice"));
}

TEST_CASE("stored elements: read as they are, or made a value of the graph once") {
    const std::vector<float> values{1, 2, 3};
    const tensor_proto w = stored(values);
    fresh_state fresh;
    import_state& state = fresh.state;
    state.values.emplace("w", named_value{std::nullopt, &w, std::nullopt});
    node_proto n;
    n.inputs = {"w", ""};
    n.outputs = {"y"};
    node_import node(n, state);
    CHECK(node.has_input(0));
    CHECK_FALSE(node.has_input(1));
    CHECK_FALSE(node.has_input(2));
    CHECK(node.type(0).text() == "float32 [3]");
    CHECK_FALSE(state.values.at("w").decoded.has_value());
    CHECK(node.known<float>(0, "weights")(2) == 3);
    CHECK_THROWS_WITH(node.known<std::int64_t>(0, "a shape"),
                      "expected a shape of int64 known at load, got 'w' float32 [3]");
    CHECK(state.values.at("w").decoded.has_value());
    node.release();
    CHECK_FALSE(state.values.at("w").decoded.has_value());
    const value_id value = node.input(0);
    CHECK(node.input(0).index == value.index);
    CHECK(node.known<float>(0, "weights")(1) == 2);
    CHECK_THROWS_WITH(node.input(1), "expected input 1, got none");
    node.answer(identity(), {value});
    CHECK(state.values.contains("y"));
    CHECK_THROWS_WITH(node.answer(value), Contains("got 'y', which is defined already"));
}

TEST_CASE("stored elements above the limit are not read") {
    const std::vector<float> values(100);
    const tensor_proto w = stored(values);
    const fresh_state fresh({.bytes_per_value = 399});
    const import_state& state = fresh.state;
    named_value value{std::nullopt, &w, std::nullopt};
    CHECK_THROWS_WITH(state.decode("w", value), "tensor 'w': expected at most 399 bytes, got float32 [100]");
}

TEST_CASE("an input that is a sequence, or absent, is passed on as it is and is no tensor") {
    fresh_state fresh;
    import_state& state = fresh.state;
    const value_id x = fresh.build.known_input("x", {{element::float32, symbolic_shape{2}}});
    state.values.emplace("q", named_value::of({x, x}));
    state.values.emplace("o", named_value::none());
    state.values.emplace("x", named_value{x, nullptr, std::nullopt, 10});
    node_proto n;
    n.inputs = {"q", "o", "x"};
    n.outputs = {"a", "", "c"};
    node_import node(n, state);
    CHECK(node.sequence(0)->size() == 2);
    CHECK(node.sequence(1) == nullptr);
    CHECK_THROWS_WITH(node.input(0), "expected input 0 to be a tensor, got a sequence of 2");
    CHECK_THROWS_WITH(node.input(1), "expected input 1 to be a tensor, got an optional value that is absent");
    CHECK_THROWS_WITH(node.any_input(3), "expected input 3, got none");
    node.answer_any({node.any_input(0), node.any_input(1), node.any_input(2)});
    CHECK(state.values.at("a").sequence->size() == 2);
    CHECK(state.values.at("c").declared == 10);
}
