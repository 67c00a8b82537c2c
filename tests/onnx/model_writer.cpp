// tests/onnx/model_writer.cpp - the part of model_writer.hpp that compiles the importer and the graph.
// SPDX-License-Identifier: MIT
#include "model_writer.hpp"

namespace written {

fanfold::graph load(const std::string& bytes, const fanfold::onnx::load_options& options) {
    return fanfold::onnx::load(std::as_bytes(std::span(bytes)), options);
}
fanfold::graph load_file(const std::filesystem::path& file) { return fanfold::onnx::load(file); }
fanfold::graph load(const model_file& m, const fanfold::onnx::load_options& options) {
    return load(m.bytes(), options);
}

}  // namespace written
