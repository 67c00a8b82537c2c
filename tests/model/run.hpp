// tests/model/run.hpp - runs a graph on tensors, without the layers above it.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <fanfold/model/graph_builder.hpp>
#include <span>
#include <vector>

/// The answers of `rows` rows; inputs in the graph's order.
inline std::vector<fanfold::tensor> run(const fanfold::graph& g, const std::vector<fanfold::tensor>& inputs,
                                        std::size_t rows, fanfold::workspace& space) {
    const std::vector<fanfold::tensor_view> in(inputs.begin(), inputs.end());
    if (!g.state().planned) return g.run(in, space);
    std::vector<fanfold::tensor> answers;
    for (const std::size_t output : g.state().outputs) {
        const fanfold::value_type& type = g.state().values[output].type;
        answers.emplace_back(type.type, type.shape.at(rows));
    }
    const std::vector<fanfold::mutable_tensor_view> out(answers.begin(), answers.end());
    g(fanfold::batch_view(in, rows), fanfold::mutable_batch_view(out, rows), space);
    return answers;
}
inline std::vector<fanfold::tensor> run(const fanfold::graph& g, const std::vector<fanfold::tensor>& inputs,
                                        std::size_t rows) {
    fanfold::workspace space(g.workspace_bytes(rows));
    return run(g, inputs, rows, space);
}

inline std::vector<float> floats_of(const fanfold::tensor& t) {
    const auto values = t.as<float>().flat();
    return {values.begin(), values.end()};
}

/// What `op` makes of values of these types.
template <class Op>
std::vector<fanfold::value_type> answers_of(const Op& op, const std::vector<fanfold::value_type>& inputs) {
    const std::vector<fanfold::argument> arguments(inputs.begin(), inputs.end());
    return op.answers(arguments);
}
