// tests/onnx/partly_read_file.cpp - a file whose large tensors stay on the disk tells the parser the same as all its bytes.
// SPDX-License-Identifier: MIT
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

/// What a model says with all its initializers' elements, or the error; `file`: where what it left out is read.
std::string said(std::string_view bytes, partly_read_file* file) {
    std::string out;
    const std::string error = text_of([&] {
        auto model = parse_model(bytes);
        out += std::to_string(model.ir_version) + "," + std::to_string(model.opset.value_or(-1)) + ";";
        if (!model.graph) return;
        for (const auto& node : model.graph->nodes) out += std::string(node.name) + std::string(node.op_type) + ";";
        for (tensor_proto& stored : model.graph->initializers) {
            if (file != nullptr && stored.raw_data && file->leaves_out(*stored.raw_data)) stored.file = file;
            out += std::string(stored.name) + text_of([&] {
                       const fanfold::tensor values = fanfold::onnx::to_tensor(stored, {});
                       out.append(reinterpret_cast<const char*>(values.data()), values.bytes());
                   });
        }
    });
    return out + error;
}

std::string three_tensors() {
    return model_file{.nodes = {node("Add", {"x", "w"}, {"y"})},
                      .inputs = {value("x", {N, d(40)})},
                      .outputs = {value("y", {N, d(40)})},
                      .initializers = {tensor("w", {40}, noise(40, 1)), tensor("few", {2}, noise(2, 2)),
                                       tensor<std::uint8_t>("half", {33}, std::vector<std::uint8_t>(17, 0x7D), 22)}}
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
    partly_read_file part(file.path, 1);  // so large that its memory is fresh: what is not read is zero
    CHECK(said(text(part.bytes()), &part) == said(bytes, nullptr));
}

TEST_CASE("large raw data stays in the file, and is read from it") {
    const scratch_file file;
    const std::string bytes = three_tensors();
    file.write(bytes);
    partly_read_file part(file.path, 100);
    REQUIRE(part.bytes().size() == bytes.size());
    const auto model = parse_model(text(part.bytes()));
    const std::string_view large = *model.graph->initializers[0].raw_data;
    CHECK(part.leaves_out(large));
    CHECK_FALSE(part.leaves_out(*model.graph->initializers[1].raw_data));
    const floats expected = noise(40, 1);
    floats got(40);
    part.read(large, std::as_writable_bytes(std::span(got)));
    CHECK(std::memcmp(got.data(), expected.data(), 160) == 0);
    for (const std::size_t limit : {1U, 8U, 17U, 100U, 160U, 161U, 100000U}) {
        partly_read_file again(file.path, limit);
        CHECK(said(text(again.bytes()), &again) == said(bytes, nullptr));
    }
}

TEST_CASE("a model that is cut anywhere is refused in the words for one in memory") {
    const scratch_file file;
    const std::string whole = three_tensors();
    for (std::size_t end = 1; end < whole.size(); ++end) {
        const std::string bytes = whole.substr(0, end);
        file.write(bytes);
        partly_read_file part(file.path, 8);
        REQUIRE(said(text(part.bytes()), &part) == said(bytes, nullptr));
    }
    file.write("");
    CHECK_THROWS_WITH(partly_read_file(file.path), "expected an ONNX model, got an empty file");
}

TEST_CASE("a damaged model says the same from a file as from memory") {
    const scratch_file file;
    const std::string whole = three_tensors();
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes = whole;
        for (auto flips = 1 + random() % 3; flips != 0; --flips)
            bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
        file.write(bytes);
        partly_read_file part(file.path, 8);
        INFO("round " << round);
        REQUIRE(said(text(part.bytes()), &part) == said(bytes, nullptr));
    }
}

TEST_CASE("a file that has become shorter is told of when its tensor is read") {
    const scratch_file file;
    file.write(three_tensors());
    partly_read_file part(file.path, 100);
    fs::resize_file(file.path, 60);
    auto model = parse_model(text(part.bytes()));
    tensor_proto& stored = model.graph->initializers[0];
    stored.file = &part;
    CHECK_THROWS_WITH(fanfold::onnx::to_tensor(stored, {}), "it cannot be read: it has become shorter");
}
