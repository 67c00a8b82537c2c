// tests/onnx/load.cpp - whole models: rows, names, order, declarations, files; the trained networks.
// SPDX-License-Identifier: MIT
#include <unistd.h>
#include <cmath>
#include <fanfold/infer/infer.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/onnx/load.hpp>
#include <fanfold/schedule/serial.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "../catch.hpp"
#include "model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

const fs::path data = FANFOLD_TEST_DATA;

/// Relu of one input.
model_file relu(const std::vector<dim>& in, const std::vector<dim>& out, std::int64_t opset = 13) {
    return {opset, {node("Relu", {"x"}, {"y"}, {}, "r")}, {value("x", in)}, {value("y", out)}};
}
std::string input_shape(const model_file& m, const fanfold::onnx::load_options& options = {}) {
    const auto g = load(m, options);
    return g.state().values[g.state().inputs[0]].type.shape.text();
}

}  // namespace

TEST_CASE("the trained networks load: activations fused, shapes with a symbolic number of rows") {
    const auto lenet = fanfold::onnx::load(data / "fmnist_lenet5.onnx");
    for (const auto& step : lenet.state().steps) CHECK(step.op.as_activation() == fanfold::kernel::activation::none);
    CHECK(lenet.state().steps.size() <= 11);  // two of them change the order of channels
    CHECK(lenet.rows_per_call() == 0);
    CHECK(lenet.row_mixer().empty());
    CHECK(lenet.state().values[lenet.state().inputs[0]].name == "image");
    CHECK(lenet.state().output_names == std::vector<std::string>{"logits"});
    CHECK(lenet.state().values[lenet.state().outputs[0]].type.text() == "float32 [N, 10]");
    CHECK(lenet.state().weight_bytes >= 61706 * 4);
    const auto mlp = fanfold::onnx::load(data / "fmnist_mlp.onnx");
    CHECK(mlp.state().steps.size() <= 5);
    CHECK(mlp.state().weight_bytes >= 235146 * 4);
}

TEST_CASE("from a file and from memory comes the same") {
    std::ifstream file(data / "fmnist_mlp.onnx", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto x = noise_tensor({3, 1, 28, 28}, 1);
    const auto a = run(fanfold::onnx::load(data / "fmnist_mlp.onnx"), {x}, 3);
    const auto b = run(load(bytes), {x}, 3);
    CHECK(std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0);
}

TEST_CASE("a row's bits do not depend on its neighbours") {
    const auto g = fanfold::onnx::load(data / "fmnist_lenet5.onnx");
    const auto x = noise_tensor({7, 1, 28, 28}, 2);
    const auto all = run(g, {x}, 7);
    for (std::size_t row = 0; row < 7; ++row) {
        const auto one = run(g, {fanfold::tensor(x.rows(row, 1))}, 1);
        CHECK(std::memcmp(one[0].data(), all[0].rows(row, 1).data(), one[0].bytes()) == 0);
    }
}

TEST_CASE("axis 0 counts rows when it is open, by a name or by nothing") {
    CHECK(input_shape(relu({N, d(3)}, {N, d(3)})) == "[N, 3]");
    CHECK(input_shape(relu({dim(std::string()), d(3)}, {N, d(3)})) == "[N, 3]");
    CHECK(input_shape(relu({d(4), d(3)}, {d(4), d(3)})) == "[4, 3]");
    CHECK(load(relu({d(4), d(3)}, {d(4), d(3)})).rows_per_call() == 4);
    CHECK(input_shape(relu({N, dim(std::string("T"))}, {N, d(3)})) == "[N, ?]");
    CHECK(input_shape(relu({N, dim(std::string())}, {N, d(3)})) == "[N, ?]");
    CHECK(load(relu({N, N}, {N, N})).row_mixer() == "r");
    CHECK_THAT(complaint(relu({N, d(-3)}, {N, d(3)})), Contains("0 or more, got -3"));
    CHECK(input_shape(relu({N, dim(std::string("T"))}, {N, d(3)}), {.limits = {}, .dims = {{"T", 3}}}) == "[N, 3]");
    CHECK(input_shape(relu({N, d(3)}, {d(5), d(3)}), {.limits = {}, .dims = {{"N", 5}}}) == "[5, 3]");
    CHECK_THAT(complaint(relu({N, d(3)}, {N, d(3)}), {.limits = {}, .dims = {{"M", 5}}}),
               Contains("names of input dimensions, got 'M'"));
    CHECK_THAT(complaint(relu({N, d(3)}, {N, d(3)}), {.limits = {}, .dims = {{"N", -5}}}), Contains("got -5"));
}

TEST_CASE("every input with rows has the same") {
    const auto two = [](const std::vector<dim>& a, const std::vector<dim>& b) {
        return model_file{13, {node("Add", {"a", "b"}, {"y"})}, {value("a", a), value("b", b)}, {undeclared("y")}};
    };
    CHECK(complaint(two({N, d(2)}, {N, d(2)})).empty());
    CHECK(complaint(two({N, d(2)}, {dim(std::string()), d(2)})).empty());
    CHECK(complaint(two({d(1), d(2)}, {N, d(2)})).empty());
    CHECK(load(two({N, d(2)}, {N, d(2)})).state().planned);
    CHECK_FALSE(load(two({N, d(2)}, {dim(std::string("M")), d(2)})).state().planned);  // M is no number of rows
}

TEST_CASE("initializers among the inputs are constants") {
    const auto g = load(model_file{7,
                                   {node("Gemm", {"x", "w", ""}, {"y"})},
                                   {value("x", {N, d(2)}), value("w", fixed({2, 1}))},
                                   {value("y", {N, d(1)})},
                                   {tensor("w", {2, 1}, {3, 4})}});
    CHECK(g.state().inputs.size() == 1);
    CHECK(difference(run(g, {fanfold::tensor::of<float>({1, 2}, {1, 1})}, 1)[0], {7}) == 0);
}

TEST_CASE("operators and versions that are not supported are refused with what is") {
    const auto one = [](std::string n, std::int64_t opset = 13) {
        return complaint(model_file{opset, {std::move(n)}, {value("x", {N})}, {undeclared("y")}});
    };
    CHECK(one(node("Foo", {"x"}, {"y"}, {}, "sum it")) ==
          "model in memory: node 'sum it' (Foo, opset 13): expected a supported operator "
          "(onnx::supported_operators() lists them), got 'Foo'");
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}, {}, "n", "com.microsoft")),
               Contains("got 'Relu' of the domain 'com.microsoft'"));
    CHECK(one(node("Relu", {"x"}, {"y"}, {}, "n", "ai.onnx")).empty());
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}), 0), Contains("expected opset 1 to 22 of the domain ai.onnx, got 0"));
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}), 23), Contains("got 23"));
    CHECK_THAT(one(node("If", {"x"}, {"y"}, {{"then_branch", std::string("\x01"), false, true}})),
               Contains("attribute 'then_branch'"));
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}, {{"body", std::string("\x01"), false, true}})), Contains("'body'"));
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}, {{"alpha", 1.0F}})), Contains("got 'alpha'"));
    CHECK_THAT(one(node("Relu", {"x", "x"}, {"y"})), Contains("expected 1 inputs, got 2"));
    CHECK_THAT(one(node("Relu", {""}, {"y"})), Contains("expected input 0, got none"));
    CHECK_THAT(one(node("Relu", {}, {"y"})), Contains("got 0"));
    CHECK_THAT(one(node("Relu", {"x"}, {})), Contains("expected an output, got none"));
    CHECK_THAT(one(node("Relu", {"x"}, {"y"}, {}, "")), Contains("output") || Catch::Matchers::Equals(""));
    CHECK_THAT(one(node("Foo", {"x"}, {"y"}, {}, "")), Contains("node 0 (Foo, opset 13)"));
}

TEST_CASE("names are defined once, before they are used") {
    const auto nodes = [](std::vector<std::string> list, std::vector<std::string> initializers = {}) {
        return complaint(
            model_file{13, std::move(list), {value("x", {N})}, {undeclared("y")}, std::move(initializers)});
    };
    CHECK_THAT(nodes({node("Relu", {"nowhere"}, {"y"}, {}, "a")}),
               Contains("node 'a' (Relu, opset 13): expected its input 'nowhere' to be defined, got no such value"));
    CHECK_THAT(nodes({node("Relu", {"h"}, {"y"}, {}, "late"), node("Relu", {"x"}, {"h"}, {}, "early")}),
               Contains("expected nodes in the order of execution") && Contains("later node 'early' (Relu, opset 13)"));
    CHECK_THAT(nodes({node("Add", {"x", "c"}, {"a"}, {}, "p"), node("Relu", {"a"}, {"b"}, {}, "q"),
                      node("Relu", {"b"}, {"c"}, {}, "r"), node("Relu", {"c"}, {"y"}, {}, "s")}),
               Contains("node 'p' (Add, opset 13): expected a graph without cycles, got its input 'c' from node 'r'"));
    CHECK_THAT(nodes({node("Relu", {"y"}, {"y"}, {}, "self")}), Contains("cycles"));
    CHECK_THAT(nodes({node("Relu", {"x"}, {"y"}), node("Relu", {"x"}, {"y"}, {}, "again")}),
               Contains("node 'again' (Relu, opset 13): expected a new name for its output, got 'y'"));
    CHECK_THAT(nodes({node("Relu", {"x"}, {"x"})}), Contains("got 'x', which is defined already"));
    CHECK_THAT(nodes({node("Relu", {"x"}, {"w"})}, {tensor("w", {1}, {1})}), Contains("got 'w'"));
    CHECK_THAT(nodes({node("Relu", {"x"}, {"z"})}), Contains("expected a node that computes the output 'y', got none"));
    CHECK_THAT(nodes({}, {tensor("w", {1}, {1}), tensor("w", {1}, {1})}), Contains("one initializer 'w', got two"));
    CHECK_THAT(
        complaint(model_file{13, {node("Relu", {"x"}, {"y"})}, {value("x", {N}), value("x", {N})}, {undeclared("y")}}),
        Contains("expected one input 'x', got two"));
}

TEST_CASE("a declared output must be what comes out") {
    CHECK(complaint(relu({N, d(3)}, {dim(std::string("other")), d(3)})).empty());
    CHECK(complaint(relu({N, d(3)}, {dim(std::string()), dim(std::string())})).empty());
    CHECK_THAT(complaint(relu({N, d(3)}, {N, d(4)})),
               Contains("output 'y': expected float32 (1) ['N', 4] as declared, got float32 [N, 3]"));
    CHECK_THAT(complaint(relu({N, d(3)}, {N})), Contains("['N'] as declared"));
    CHECK_THAT(complaint(relu({N, d(3)}, {d(1), d(3)})), Contains("got float32 [N, 3]"));
    CHECK_THAT(complaint(relu({d(1), d(3)}, {d(2), d(3)})), Contains("got float32 [1, 3]"));
    CHECK_THAT(complaint(model_file{13, {node("Relu", {"x"}, {"y"})}, {value("x", {N})}, {value("y", {N}, 7)}}),
               Contains("int64 (7) ['N'] as declared, got float32 [N]"));
}

TEST_CASE("an answer may be an input, a constant, or another answer") {
    const auto g = load(model_file{13,
                                   {node("Relu", {"x"}, {"y"}), node("Identity", {"y"}, {"z"})},
                                   {value("x", {N, d(2)})},
                                   {undeclared("x"), undeclared("c"), undeclared("y"), undeclared("z")},
                                   {tensor("c", {2}, {7, 8})}});
    const auto out = run(g, {fanfold::tensor::of<float>({2, 2}, {1, -2, 3, -4})}, 2);
    CHECK(difference(out[0], {1, -2, 3, -4}) == 0);
    CHECK(difference(out[1], {7, 8}) == 0);
    CHECK(difference(out[2], {1, 0, 3, 0}) == 0);
    CHECK(difference(out[3], {1, 0, 3, 0}) == 0);
}

TEST_CASE("extents that only a run tells") {
    const dim T{std::string("T")};
    const auto g = load(model_file{13,
                                   {node("Reshape", {"x", "to"}, {"flat"}), node("Relu", {"flat"}, {"y"})},
                                   {value("x", {N, T, d(2)})},
                                   {undeclared("y"), undeclared("flat")},
                                   {tensor("to", {2}, std::vector<std::int64_t>{0, -1}, 7)}});
    CHECK_FALSE(g.state().planned);
    fanfold::workspace space;
    for (const std::int64_t extent : {3, 1, 0, 5}) {
        const auto x = noise_tensor({2, extent, 2}, 7);
        const fanfold::tensor_view in[]{x};
        const auto out = g.run(in, space);
        REQUIRE(out[0].shape() == fanfold::shape{2, extent * 2});
        CHECK((x.bytes() == 0 || std::memcmp(out[1].data(), x.data(), x.bytes()) == 0));
        for (std::size_t i = 0; i < x.size(); ++i)
            CHECK(out[0].as<float>().flat()[i] == std::max(x.as<float>().flat()[i], 0.0F));
        const fanfold::batch rows{x};
        CHECK(g.answers(rows)[0].shape == out[0].shape());
        CHECK(g.row_mixer(rows).empty());
    }
    const auto wrong = noise_tensor({2, 3}, 1);
    const fanfold::tensor_view in[]{wrong};
    CHECK_THROWS_WITH(g.run(in, space), "input 'x': expected float32 [N, ?, 2], got float32 [2, 3]");
}

TEST_CASE("inputs that are no plain tensors are refused") {
    const auto with = [](std::string in) {
        return complaint(model_file{13, {node("Relu", {"x"}, {"y"})}, {std::move(in)}, {undeclared("y")}});
    };
    CHECK_THAT(with(undeclared("x")), Contains("input 'x': expected a tensor, got another type"));
    CHECK_THAT(with(value("x", {N}, 14)), Contains("uint8 to uint64, bool, got complex64 (14)"));
    CHECK_THAT(with(value("x", std::vector<dim>(9, d(1)))), Contains("rank 8 at most, got 9"));
    CHECK_THAT(with(value("x", {N, d(std::int64_t{1} << 60)})), Contains("bytes a row"));
}

TEST_CASE("sparse and quantized models, and files that are no models, are refused") {
    const auto graph_with = [](int field) {
        std::string out;
        protozero::pbf_writer w(out);
        {
            protozero::pbf_writer graph(w, 7);
            graph.add_message(static_cast<protozero::pbf_tag_type>(field), std::string());
        }
        protozero::pbf_writer(w, 8).add_int64(2, 13);
        return text_of([&] { (void)load(out); });
    };
    CHECK_THAT(graph_with(15), Contains("dense initializers, got 1 sparse"));
    CHECK_THAT(graph_with(14), Contains("1 quantization annotations"));
    CHECK_THAT(text_of([] { (void)load(std::string()); }), Contains("expected an ONNX model, got no bytes"));
    std::string opset_only;
    {
        protozero::pbf_writer w(opset_only);
        protozero::pbf_writer(w, 8).add_int64(2, 13);
    }
    CHECK_THAT(text_of([&] { (void)load(opset_only); }), Contains("got no graph"));
}

TEST_CASE("files that cannot be read are refused with path and reason") {
    const fs::path folder = fs::temp_directory_path() / ("fanfold-load-" + std::to_string(getpid()));
    fs::create_directories(folder);
    const auto complain = [](const fs::path& path) { return text_of([&] { (void)fanfold::onnx::load(path); }); };
    CHECK_THAT(complain(folder / "gone.onnx"), StartsWith((folder / "gone.onnx").string() + ": expected a file"));
    CHECK_THAT(complain(folder), StartsWith(folder.string() + ": ") && Contains("a directory"));
    std::ofstream(folder / "empty.onnx").flush();
    CHECK_THAT(complain(folder / "empty.onnx"), Contains("empty.onnx: ") && Contains("an empty file"));
    std::ofstream(folder / "text.onnx") << "this is not a model\n";
    CHECK_THAT(complain(folder / "text.onnx"), StartsWith((folder / "text.onnx").string() + ": the model: "));
    CHECK_THROWS_AS(fanfold::onnx::load(folder / "text.onnx"), fanfold::onnx::load_error);
    fs::remove_all(folder);
}

TEST_CASE("A short file that asks for many copies of its weights in branches is refused") {
    constexpr std::int64_t floats_of_mib = 1 << 18;
    model_file m{17, {}, {value("c", std::vector<dim>{}, 9)}, {}, {}};
    m.initializers.push_back(tensor("w", {floats_of_mib}, floats(floats_of_mib, 1)));
    for (int i = 0; i < 60; ++i) {
        const std::string y = "y" + std::to_string(i);
        m.nodes.push_back(
            node("If", {"c"}, {y},
                 {inner("then_branch", {}, {}, {undeclared("w")}), inner("else_branch", {}, {}, {undeclared("w")})}));
        m.outputs.push_back(undeclared(y));
    }
    CHECK_THAT(complaint(m, {.limits = {std::size_t{1} << 20}}), Contains("copies of stored tensors of at most"));
    m.nodes.resize(2);
    m.outputs.resize(2);
    CHECK(complaint(m, {.limits = {std::size_t{1} << 20}}).empty());
}

TEST_CASE("A file that many tensors name is read many times at most as far as its length allows") {
    const fs::path file = fs::temp_directory_path() / ("fanfold-copies-" + std::to_string(getpid()) + ".onnx");
    const auto named = [&](int i) {
        std::string stored;
        protozero::pbf_writer t(stored);
        t.add_int64(1, 1 << 18);
        t.add_int32(2, 1);
        t.add_string(8, "w" + std::to_string(i));
        for (const auto& [key, text] : {std::pair<std::string, std::string>{"location", file.filename().string()},
                                        {"length", std::to_string(1 << 20)}}) {
            protozero::pbf_writer entry(t, 13);
            entry.add_string(1, key);
            entry.add_string(2, text);
        }
        t.add_int32(14, 1);
        return stored;
    };
    const auto text = [&](int count) {
        model_file m{13, {}, {}, {}, {tensor("padding", {1 << 18}, floats(1 << 18))}};
        for (int i = 0; i < count; ++i) {
            m.initializers.push_back(named(i));
            m.outputs.push_back(undeclared("w" + std::to_string(i)));
        }
        std::ofstream(file, std::ios::binary) << m.bytes();
        return text_of([&] { (void)fanfold::onnx::load(file, {.limits = {std::size_t{1} << 20}}); });
    };
    CHECK(text(20).empty());
    CHECK_THAT(text(200), Contains("copies of stored tensors of at most"));
    fs::remove(file);
}

TEST_CASE("weights beside the model are found in its folder") {
    const fs::path folder = fs::temp_directory_path() / ("fanfold-external-" + std::to_string(getpid()));
    fs::create_directories(folder);
    const floats w{3, 4};
    std::ofstream(folder / "w.bin", std::ios::binary).write(reinterpret_cast<const char*>(w.data()), 8);
    std::string stored;
    {
        protozero::pbf_writer t(stored);
        const ints dims{2, 1};
        t.add_packed_int64(1, dims.begin(), dims.end());
        t.add_int32(2, 1);
        t.add_string(8, "w");
        protozero::pbf_writer entry(t, 13);
        entry.add_string(1, "location");
        entry.add_string(2, "w.bin");
        entry.commit();
        t.add_int32(14, 1);
    }
    const model_file m{
        13, {node("MatMul", {"x", "w"}, {"y"}, {}, "m")}, {value("x", {N, d(2)})}, {undeclared("y")}, {stored}};
    const std::string bytes = m.bytes();
    std::ofstream(folder / "m.onnx", std::ios::binary) << bytes;
    const auto y = run(fanfold::onnx::load(folder / "m.onnx"), {fanfold::tensor::of<float>({1, 2}, {1, 1})}, 1);
    CHECK(difference(y[0], {7}) == 0);
    CHECK_THAT(complaint(m),
               Contains("node 'm' (MatMul, opset 13): tensor 'w': external data 'w.bin': a model from memory"));
    fs::remove_all(folder);
}

TEST_CASE(
    "A model loaded with its sums has them before its first job; else that takes them, and looks at the weights") {
    using fanfold::onnx::weight_sums;
    const auto x = noise_tensor({6, 1, 28, 28}, 3);
    const auto failed = [&](weight_sums when, auto&& change) {
        const auto g = fanfold::onnx::load(data / "fmnist_mlp.onnx", {.sums = when});
        for (const auto& step : g.state().steps)
            if (const auto* product = step.op.as<fanfold::dense>()) {
                change(const_cast<float&>(product->seen().panels[16 * 5 + 3]));
                break;
            }
        const auto done = fanfold::infer(fanfold::serial_executor(), g, x, {.checksum = fanfold::checksum{}});
        for (const auto& f : done.failures) CHECK(f.kind == fanfold::fault_kind::damaged);
        CHECK_FALSE(g.damaged_weights().empty());
        return done.failed_rows();
    };
    const auto flip = [](float& weight) { weight += 3; };
    const auto nudge = [](float& weight) { weight = std::nextafter(weight, 9.0F); };  // below what sums can see
    CHECK(failed(weight_sums::at_load, flip) == 6);
    CHECK(failed(weight_sums::at_first_checksum, flip) == 6);
    CHECK(failed(weight_sums::at_load, nudge) == 0);
    CHECK(failed(weight_sums::at_first_checksum, nudge) == 6);
}
