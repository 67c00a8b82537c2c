// tests/onnx/import_state.cpp - what a name stands for, in a graph and around it.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/import_state.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace fanfold::onnx;
using Catch::Matchers::Contains;

namespace {

import_state fresh(import_state* around = nullptr) {
    static const import_context context;
    return {context, around, graph_builder(context.limits)};
}

}  // namespace

TEST_CASE("A name that nobody defined is not found; stored elements become a constant when a node wants a value") {
    const std::vector<float> values{1, 2, 3};
    tensor_proto stored;
    stored.dims = {3};
    stored.data_type = 1;
    stored.raw_data = std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    import_state state = fresh();
    CHECK(state.find("w") == nullptr);
    state.values.emplace("w", named_value{std::nullopt, &stored});
    named_value* const found = state.find("w");
    REQUIRE(found != nullptr);
    CHECK_FALSE(found->id);
    const value_id made = state.materialize("w", *found);
    CHECK(state.builder.constant_of(made)->as<float>()(2) == 3);
    CHECK(state.materialize("w", *found).index == made.index);
    CHECK_FALSE(found->decoded);
}

TEST_CASE("A value around becomes an input here, once; a constant around stays one; a sequence keeps its elements") {
    import_state outer = fresh();
    const value_id x = outer.builder.known_input("x", {{element::float32, symbolic_shape{2}}});
    const value_id two = outer.builder.constant(tensor::of<float>({}, {2}));
    outer.values.emplace("x", named_value{x});
    outer.values.emplace("q", named_value{std::nullopt, nullptr, std::nullopt, 0, std::vector{two, x}});
    import_state inner = fresh(&outer);

    named_value* const here = inner.find("x");
    REQUIRE(here != nullptr);
    REQUIRE(here->id);
    CHECK(inner.find("x") == here);
    CHECK(inner.captures.size() == 1);
    CHECK(inner.captures[0].index == x.index);

    named_value* const sequence = inner.find("q");
    REQUIRE(sequence != nullptr);
    REQUIRE(sequence->sequence);
    REQUIRE(sequence->sequence->size() == 2);
    CHECK(inner.builder.constant_of(sequence->sequence->at(0))->as<float>()() == 2);
    CHECK_FALSE(inner.builder.constant_of(sequence->sequence->at(1)));
    CHECK(inner.captures.size() == 2);
    CHECK_THROWS_WITH(inner.materialize("q", *sequence), Contains("'q' to be a tensor, got a sequence of 2"));
}
