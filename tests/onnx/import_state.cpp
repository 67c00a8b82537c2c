// tests/onnx/import_state.cpp - what a name stands for, in a graph and around it.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/import_state.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace fanfold::onnx;
using Catch::Matchers::Contains;

namespace {

const import_context context{};

}  // namespace

TEST_CASE("A name that nobody defined is not found; stored elements become a constant when a node wants a value") {
    const std::vector<float> values{1, 2, 3};
    tensor_proto stored;
    stored.dims = {3};
    stored.data_type = 1;
    stored.raw_data = std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    graph_builder build;
    import_state state{context, nullptr, build};
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
    graph_builder outer_build, inner_build;
    import_state outer{context, nullptr, outer_build};
    const value_id x = outer.builder.known_input("x", {{element::float32, symbolic_shape{2}}});
    const value_id two = outer.builder.constant(tensor::of<float>({}, {2}));
    outer.values.emplace("x", named_value{x});
    outer.values.emplace("q", named_value::of({two, x}));
    outer.values.emplace("o", named_value::none());
    import_state inner{context, &outer, inner_build};

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

    named_value* const absent = inner.find("o");
    REQUIRE(absent != nullptr);
    CHECK(absent->absent);
    CHECK(inner.captures.size() == 2);
    CHECK_THROWS_WITH(inner.materialize("o", *absent), Contains("'o' to be a tensor, got an optional value that is"));
}

TEST_CASE("A graph whose nodes become those of the graph around it has the values there, and nothing is captured") {
    graph_builder build;
    import_state outer{context, nullptr, build};
    const value_id x = build.known_input("x", {{element::float32, symbolic_shape{2}}});
    outer.values.emplace("x", named_value{x});
    import_state inner{context, &outer, build};
    CHECK(inner.in_place());
    CHECK_FALSE(outer.in_place());
    CHECK(inner.find("x") == outer.find("x"));
    inner.values.emplace("x", named_value::none());
    CHECK(inner.find("x")->absent);
    CHECK(inner.captures.empty());
}

TEST_CASE("Bodies that are unrolled have a budget, of nodes and of bytes; others have none") {
    unrolled_bodies all;
    const graph_limits limits{.bytes_per_value = 100};
    all.charge(unrolled_bodies::most_nodes + 1, 101, limits);
    CHECK(all.nodes == 0);
    all.depth = 1;
    all.charge(unrolled_bodies::most_nodes, 100, limits);
    CHECK_THROWS_WITH(all.charge(1, 0, limits), Contains("at most 65536 nodes in all iterations"));
    all.nodes = 0;
    CHECK_THROWS_WITH(all.charge(1, 1, limits), Contains("at most 100 bytes in all iterations"));
}
