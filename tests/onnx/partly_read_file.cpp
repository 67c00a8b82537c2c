// tests/onnx/partly_read_file.cpp - a file whose large tensors stay on the disk tells the parser the same as all its bytes.
// SPDX-License-Identifier: MIT
#include <malloc.h>
#include <unistd.h>
#include <cstring>
#include <fanfold/onnx/partly_read_file.hpp>
#include <fanfold/onnx/tensor_proto.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>

#include "../catch.hpp"
#include "../text.hpp"
#include "model_writer.hpp"

using namespace written;
using fanfold::onnx::parse_model;
using fanfold::onnx::partly_read_file;
using fanfold::onnx::tensor_proto;
namespace fs = std::filesystem;

namespace {

struct scratch_file {
    fs::path path = fs::temp_directory_path() / ("fanfold-partly-" + std::to_string(getpid()));
    ~scratch_file() { fs::remove(path); }
    void write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
};

std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What a model says with all its initializers' elements, or the error.
std::string said(std::string_view bytes, partly_read_file* file = nullptr) {
    std::string out;
    const std::string error = text_of([&] {
        auto model = parse_model(bytes);
        out += std::to_string(model.ir_version) + "," + std::to_string(model.opset.value_or(-1)) + ";";
        if (!model.graph) return;
        if (file != nullptr) file->claim(*model.graph);
        for (const auto& node : model.graph->nodes) out += std::string(node.name) + std::string(node.op_type) + ";";
        for (const tensor_proto& stored : model.graph->initializers)
            out += std::string(stored.name) + text_of([&] {
                       const fanfold::tensor values = fanfold::onnx::to_tensor(stored, {});
                       out.append(reinterpret_cast<const char*>(values.data()), values.bytes());
                   });
    });
    return out + error;
}

/// The same from a file of which nothing is read ahead, on memory where nothing right lies by accident.
std::string said_by(const fs::path& path, std::size_t large) {
    mallopt(M_PERTURB, 0x5A);
    partly_read_file file(path, large, 1);
    mallopt(M_PERTURB, 0);
    return said(text(file.bytes()), &file);
}

std::string some_tensors() {
    std::string typed;
    protozero::pbf_writer w(typed);
    const floats values = noise(12, 6);
    const ints extents{12};
    w.add_packed_int64(1, extents.begin(), extents.end());
    w.add_int32(2, 1);
    w.add_string(8, "typed");
    w.add_packed_float(4, values.begin(), values.end());
    return model_file{.nodes = {node("Add", {"x", "w"}, {"y"})},
                      .inputs = {value("x", {N, d(40)})},
                      .outputs = {value("y", {N, d(40)})},
                      .initializers = {tensor("w", {40}, noise(40, 1)), tensor("few", {2}, noise(2, 2)),
                                       tensor<std::uint8_t>("half", {33}, std::vector<std::uint8_t>(17, 0x7D), 22),
                                       tensor("w", {40}, noise(40, 3)) + tensor("twice", {40}, noise(40, 4)), typed,
                                       tensor("the last, with a long name", {1}, noise(1, 5))}}
        .bytes();
}

}  // namespace

TEST_CASE("nothing but raw data is left out") {
    const scratch_file file;
    const std::string bytes =
        model_file{.nodes = {node("Add", {"x", "w"}, {"y"})},
                   .inputs = {value("x", {N, d(1000)})},
                   .outputs = {value("y", {N, d(1000)})},
                   .initializers = {tensor("w", {300, 1000}, noise(300'000, 1)), tensor("last", {1}, noise(1, 2))}}
            .bytes();
    file.write(bytes);
    for (const std::size_t large : {1U, 8U, 100U, 100'000U, 2'000'000U})
        CHECK(said_by(file.path, large) == said(bytes));
}

TEST_CASE("large raw data stays in the file, and is read from it") {
    const scratch_file file;
    const std::string bytes = some_tensors();
    file.write(bytes);
    mallopt(M_PERTURB, 0x5A);
    partly_read_file part(file.path, 100, 1);
    mallopt(M_PERTURB, 0);
    REQUIRE(part.bytes().size() == bytes.size());
    auto model = parse_model(text(part.bytes()));
    part.claim(*model.graph);
    CHECK(model.graph->initializers[0].file == &part);
    CHECK(model.graph->initializers[1].file == nullptr);
    const std::string_view large = *model.graph->initializers[0].raw_data;
    const std::size_t at = static_cast<std::size_t>(large.data() - text(part.bytes()).data());
    CHECK(large != std::string_view(bytes).substr(at, large.size()));
    const floats expected = noise(40, 1);
    floats got(40);
    part.read(large, std::as_writable_bytes(std::span(got)));
    CHECK(std::memcmp(got.data(), expected.data(), 160) == 0);
    for (const std::size_t limit : {1U, 8U, 17U, 100U, 160U, 161U, 100000U})
        CHECK(said_by(file.path, limit) == said(bytes));
}

TEST_CASE("a model that is cut anywhere is refused in the words for one in memory") {
    const scratch_file file;
    const std::string whole = some_tensors();
    for (std::size_t end = 1; end < whole.size(); ++end) {
        const std::string bytes = whole.substr(0, end);
        file.write(bytes);
        REQUIRE(said_by(file.path, 8) == said(bytes));
    }
    file.write("");
    CHECK_THROWS_WITH(partly_read_file(file.path), "expected an ONNX model, got an empty file");
}

TEST_CASE("a damaged model says the same from a file as from memory") {
    const scratch_file file;
    const std::string whole = some_tensors();
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = whole;
        for (auto flips = 1 + random() % 3; flips != 0; --flips)
            bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
        file.write(bytes);
        INFO("round " << round);
        REQUIRE(said_by(file.path, 8) == said(bytes));
    }
}

TEST_CASE("a file that has become shorter is told of when its tensor is read") {
    const scratch_file file;
    file.write(some_tensors());
    partly_read_file part(file.path, 100);
    fs::resize_file(file.path, 60);
    auto model = parse_model(text(part.bytes()));
    part.claim(*model.graph);
    CHECK_THROWS_WITH(fanfold::onnx::to_tensor(model.graph->initializers[0], {}),
                      "it cannot be read: it has become shorter");
}
