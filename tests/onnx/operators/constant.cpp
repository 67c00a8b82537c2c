// tests/onnx/operators/constant.cpp - Constant in its five forms, and constants that are computed at load.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/constant.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file adding(std::vector<attribute> constant, int element = 1, const char* op = "Add") {
    return {13,
            {node("Constant", {}, {"c"}, constant, "const"), node(op, {"x", "c"}, {"y"})},
            {value("x", {N, d(2)}, element)},
            {undeclared("y")}};
}
std::vector<double> answer(const model_file& m) {
    const auto y = run(load(m), {fanfold::tensor::of<float>({1, 2}, {1, 2})}, 1);
    const auto out = y[0].as<float>().flat();
    return {out.begin(), out.end()};
}

}  // namespace

TEST_CASE("Constant takes its value from any of its attributes") {
    CHECK(answer(adding({{"value", tensor("", {2}, {10, 20}), true}})) == std::vector<double>{11, 22});
    CHECK(answer(adding({{"value_float", 3.0F}})) == std::vector<double>{4, 5});
    CHECK(answer(adding({{"value_floats", floats{5, 6}}})) == std::vector<double>{6, 8});
    for (const auto& form : {attribute{"value_int", std::int64_t{3}}, attribute{"value_ints", ints{3, 4}}}) {
        const auto y = run(load(adding({form}, 7)), {fanfold::tensor::of<std::int64_t>({1, 2}, {1, 2})}, 1);
        CHECK(y[0].as<std::int64_t>().flat()[0] == 4);
    }
}

TEST_CASE("Constant refuses everything else") {
    CHECK_THAT(complaint(adding({})), Contains("node 'const' (Constant, opset 13): expected one of value"));
    CHECK_THAT(complaint(adding({{"value_float", 1.0F}, {"value_int", std::int64_t{1}}})), Contains("got 2"));
    CHECK_THAT(complaint(adding({{"value_string", std::string("a")}})), Contains("got 0"));
    CHECK_THAT(complaint(adding({{"value_float", 1.0F}, {"sparse_value", std::string()}})), Contains("'sparse_value'"));
    CHECK_THAT(complaint(adding({{"value", std::string("no tensor")}})), Contains("'value': expected a tensor"));
    CHECK_THAT(complaint(adding({{"value", tensor("", {1}, std::vector<double>{1}, 14), true}})),
               Contains("complex64 (14)"));
}

TEST_CASE("weights may be Constant nodes, or computed from constants") {
    const auto g = load(
        model_file{13,
                   {node("Constant", {}, {"w"}, {{"value", tensor("", {3, 2}, {1, 2, 3, 4, 5, 6}), true}}),
                    node("Constant", {}, {"two"}, {{"value_float", 2.0F}}), node("Mul", {"w", "two"}, {"w2"}),
                    node("Constant", {}, {"to"}, {{"value_ints", ints{2, 3}}}), node("Reshape", {"w2", "to"}, {"wr"}),
                    node("Gemm", {"x", "wr"}, {"y"}, {{"transB", std::int64_t{1}}})},
                   {value("x", {N, d(3)})},
                   {value("y", {N, d(2)})}});
    CHECK(g.state().steps.size() == 1);
    CHECK(difference(run(g, {fanfold::tensor::of<float>({1, 3}, {1, 1, 1})}, 1)[0], {12, 30}) == 0);
    std::size_t kept = 0;
    for (const auto& constant : g.state().constants) kept += constant == nullptr ? 0 : constant->bytes();
    CHECK(kept == 0);  // packed weights are held once
}
