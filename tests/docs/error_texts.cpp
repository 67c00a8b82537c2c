// The error texts that docs/onnx.md shows are those that the importer gives.
// SPDX-License-Identifier: MIT
#include <fstream>
#include <iterator>

#include "../catch.hpp"
#include "../onnx/model_writer.hpp"

using namespace written;

TEST_CASE("docs/onnx.md shows error texts as they are") {
    std::ifstream file(FANFOLD_DOCS "/onnx.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    REQUIRE_FALSE(page.empty());

    const auto one_node = [](const std::string& made, const std::vector<dim>& shape) {
        return model_file{13, {made}, {value("x", shape)}, {undeclared("y")}, {tensor("w", {400, 10}, floats(4000))}};
    };
    const std::vector<std::string> shown{
        complaint(one_node(node("Gelu", {"x"}, {"y"}, {}, "act1"), {N, d(10)})),
        complaint(one_node(node("Gemm", {"x", "w"}, {"y"}, {}, "fc1"), {N, d(784)})),
        complaint(model_file{13, {node("Relu", {"x"}, {"y"})}, {undeclared("x")}, {undeclared("y")}}),
        complaint(model_file{
            13, {node("Identity", {"images"}, {"y"})}, {sequence_of(value("images", {N}))}, {undeclared("y")}}),
    };
    for (const std::string& text : shown) {
        INFO(text);
        CHECK(text.starts_with("model in memory: "));
        CHECK(page.find(text.substr(text.find(": "))) != std::string::npos);
    }
}
