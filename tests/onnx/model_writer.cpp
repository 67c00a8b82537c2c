// tests/onnx/model_writer.cpp - the part of model_writer.hpp that compiles the importer and the graph.
// SPDX-License-Identifier: MIT
#include "model_writer.hpp"

namespace written {

fanfold::graph load(const std::string& bytes, const fanfold::onnx::load_options& options) {
    return fanfold::onnx::load(std::as_bytes(std::span(bytes)), options);
}
fanfold::graph load(const model& m, const fanfold::onnx::load_options& options) { return load(m.bytes(), options); }

std::vector<fanfold::tensor> run(const fanfold::graph& g, const std::vector<fanfold::tensor>& inputs,
                                        std::size_t rows) {
    std::vector<fanfold::tensor_view> in(inputs.begin(), inputs.end());
    std::vector<fanfold::tensor> answers;
    for (const std::size_t output : g.state().outputs) {
        const fanfold::value_type& type = g.state().values[output].type;
        answers.emplace_back(type.type, type.shape.at(rows));
    }
    std::vector<fanfold::mutable_tensor_view> out(answers.begin(), answers.end());
    fanfold::workspace space(g.workspace_bytes(rows));
    g(fanfold::batch_view(in, rows), fanfold::mutable_batch_view(out, rows), space);
    return answers;
}

}  // namespace written
