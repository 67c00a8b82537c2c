// tests/model/images.hpp - graphs over images, with and without a pass, side by side.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/convolution_nd.hpp>
#include <string>
#include <vector>

#include "run.hpp"

namespace images {

using fanfold::shape;
using fanfold::tensor;
using fanfold::value_id;

/// Reproducible floats in [-1, 1).
inline tensor some(const shape& extents, std::uint64_t seed) {
    tensor made(fanfold::element::float32, extents);
    std::uint64_t state = seed * 2 + 1;
    for (float& x : made.as<float>().flat()) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        x = static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-31F;
    }
    return made;
}

/// A convolution with constant weights and bias; `pad` on every side.
inline value_id conv(fanfold::graph_builder& g, value_id x, const shape& weights, std::int64_t pad = 0,
                     std::int64_t stride = 1, std::int64_t groups = 1) {
    fanfold::sliding_rule rule;
    rule.axes = weights.rank() - 2;
    for (std::size_t axis = 0; axis < rule.axes; ++axis) {
        rule.window.before[axis] = rule.window.after[axis] = pad;
        rule.window.stride[axis] = stride;
    }
    const auto w = g.constant(some(weights, 3 + weights.volume())), b = g.constant(some({weights[0]}, 7));
    return g.add(fanfold::convolution_nd(rule, groups), {x, w, b}, "conv").front();
}

/// "Conv MaxPool"
inline std::string steps(const fanfold::graph& g) {
    std::string names;
    for (const fanfold::graph_step& step : g.state().steps)
        names += (names.empty() ? "" : " ") + std::string(step.op.name());
    return names;
}

/// Each row by itself has the bits that it has among the others.
inline bool same_bits_alone(const fanfold::graph& g, const std::vector<tensor>& in,
                            const std::vector<tensor>& answers) {
    const auto rows = static_cast<std::size_t>(in[0].shape()[0]);
    for (std::size_t row = 0; row < rows; ++row) {
        std::vector<tensor> alone;
        for (const tensor& one : in) alone.emplace_back(fanfold::tensor_view(one).slice(0, row, 1));
        const std::vector<tensor> got = run(g, alone, 1);
        for (std::size_t i = 0; i < got.size(); ++i)
            if (std::memcmp(got[i].data(), answers[i].data() + row * got[i].bytes(), got[i].bytes()) != 0) return false;
    }
    return true;
}

/// Builds the graph twice; the second with the pass. Their answers agree.
struct comparison {
    std::string before, after;
    bool agree = true;
    bool same_bits = true;  ///< with the pass, whatever the batch

    template <class Build>
    comparison(fanfold::graph_pass pass, const std::vector<shape>& inputs, Build&& build) {
        std::vector<tensor> in;
        for (const shape& extents : inputs) in.push_back(some(extents, 41 + in.size()));
        std::vector<std::vector<tensor>> answers;
        for (const fanfold::graph_pass each : {fanfold::graph_pass(nullptr), pass}) {
            fanfold::graph_builder g;
            std::vector<value_id> values;
            for (const shape& extents : inputs) {
                fanfold::symbolic_shape open;
                open.push_back(fanfold::rows_extent);
                for (std::size_t axis = 1; axis < extents.rank(); ++axis) open.push_back(extents[axis]);
                values.push_back(g.input("x" + std::to_string(values.size()), {fanfold::element::float32, open}));
            }
            const std::vector<value_id> made = build(g, values);
            std::vector<std::pair<std::string, value_id>> outputs;
            for (const value_id value : made) outputs.emplace_back("y" + std::to_string(outputs.size()), value);
            const fanfold::graph finished = std::move(g).finish(outputs, each);
            (answers.empty() ? before : after) = steps(finished);
            answers.push_back(run(finished, in, static_cast<std::size_t>(inputs[0][0])));
            same_bits = same_bits && same_bits_alone(finished, in, answers.back());
        }
        for (std::size_t i = 0; i < answers[0].size(); ++i) {
            const std::vector<float> x = floats_of(answers[0][i]), y = floats_of(answers[1][i]);
            agree = agree && answers[0][i].shape() == answers[1][i].shape();
            for (std::size_t k = 0; k < x.size(); ++k)
                agree = agree && std::abs(x[k] - y[k]) <= 1e-4F * (1 + std::abs(x[k]));
        }
    }
};

}  // namespace images
