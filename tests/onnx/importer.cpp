// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/onnx/importer.hpp>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;

namespace {

/// A table as a user of the importer might bring: one operator hands its input on, one packs its second input.
const fanfold::onnx::operator_entry* find(const fanfold::onnx::import_context&, std::string_view, std::string_view name,
                                          std::int64_t) {
    static constexpr fanfold::onnx::operator_entry pass{
        "Pass", 1, 100, +[](fanfold::onnx::node_import& node) { node.answer(node.input(0)); }};
    static constexpr fanfold::onnx::operator_entry pack{
        "Pack", 1, 100, +[](fanfold::onnx::node_import& node) {
            const auto weights = node.constant(1);
            if (!weights) throw std::invalid_argument("expected weights, got none");
            node.answer(fanfold::dense(weights->as<float>()), {node.input(0)});
        }};
    return name == pass.name ? &pass : name == pack.name ? &pack : nullptr;
}

fanfold::graph import_with_own_table(const model_file& m) {
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
    CHECK(refusal ==
          "node 'r' (Relu, opset 13): expected a supported operator (onnx::supported_operators() lists them), got "
          "'Relu'");
}

TEST_CASE("A large constant is given back when the last name for it has been read") {
    const std::string mean = tensor("mean", {128, 128}, floats(128 * 128, 1.0F / 128));
    const auto g = import_with_own_table(
        {13,
         {node("Pass", {"mean"}, {"same"}), node("Pack", {"x", "mean"}, {"y"}), node("Pack", {"y", "same"}, {"z"})},
         {value("x", {N, d(128)})},
         {value("z", {N, d(128)})},
         {mean}});
    for (const auto& constant : g.state().constants) CHECK(constant == nullptr);
    const auto x = fanfold::tensor::of<float>({1, 128}, floats(128, 3));
    CHECK(run(g, {x}, 1)[0].as<float>()(0, 127) == 3);
    const auto kept = import_with_own_table({13,
                                             {node("Pass", {"mean"}, {"same"}), node("Pack", {"x", "mean"}, {"y"})},
                                             {value("x", {N, d(128)})},
                                             {value("y", {N, d(128)}), value("same", {d(128), d(128)})},
                                             {mean}});
    CHECK(run(kept, {x}, 1)[1].as<float>()(127, 127) == 1.0F / 128);
}
