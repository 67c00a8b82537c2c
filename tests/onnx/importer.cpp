// SPDX-License-Identifier: MIT
#include <fanfold/onnx/importer.hpp>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;

namespace {

/// A table as a user of the importer might bring: it knows one operator, which hands its input on.
const fanfold::onnx::operator_entry* find(const fanfold::onnx::import_context&, std::string_view, std::string_view name,
                                          std::int64_t) {
    static constexpr fanfold::onnx::operator_entry pass{
        "Pass", 1, 100, +[](fanfold::onnx::node_import& node) { node.answer(node.input(0)); }};
    return name == pass.name ? &pass : nullptr;
}

fanfold::graph import_with_own_table(const model& m) {
    const std::string bytes = m.bytes();
    const auto parsed = fanfold::onnx::parse_model(bytes);
    return fanfold::onnx::import_model(parsed, {&find}, {});
}

}  // namespace

TEST_CASE("The importer knows no operators but those of its table") {
    const auto g =
        import_with_own_table({13, {node("Pass", {"x"}, {"y"})}, {value("x", {N, d(2)})}, {value("y", {N, d(2)})}});
    const auto x = fanfold::tensor::of<float>({1, 2}, {3, 4});
    CHECK(run(g, {x}, 1)[0].as<float>()(0, 1) == 4);
    const std::string refusal = text_of([] {
        (void)import_with_own_table(
            {13, {node("Relu", {"x"}, {"y"}, {}, "r")}, {value("x", {N, d(2)})}, {undeclared("y")}});
    });
    CHECK(refusal == "node 'r' (Relu, opset 13): expected a supported operator (onnx::supported_operators() lists them), got 'Relu'");
}
