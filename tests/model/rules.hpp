// tests/model/rules.hpp - asks an operation's rules, and checks what it says about rows against what it does.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstring>
#include <fanfold/model/graph_builder.hpp>
#include <string>
#include <vector>

#include "../text.hpp"

/// "float32 [N, 3], int64 [N]": what the shape rule makes of these.
template <class Op>
std::string rule(const Op& op, const std::vector<fanfold::argument>& in) {
    std::string text;
    for (const fanfold::value_type& answer : op.answers(in)) text += (text.empty() ? "" : ", ") + answer.text();
    return text;
}
template <class Op>
std::string refusal(const Op& op, const std::vector<fanfold::argument>& in) {
    return text_of([&] { (void)op.answers(in); });
}
template <class Op>
bool mixes(const Op& op, const std::vector<fanfold::argument>& in) {
    return fanfold::operation(op).mixes_rows(in);
}

inline fanfold::value_type floats(fanfold::symbolic_shape shape) { return {fanfold::element::float32, shape}; }
inline fanfold::value_type int64s(fanfold::symbolic_shape shape) { return {fanfold::element::int64, shape}; }
inline fanfold::tensor list(const std::vector<std::int64_t>& values) {
    return fanfold::tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())},
                                             std::span<const std::int64_t>(values));
}

/// A graph of one operation: inputs, then constants.
inline fanfold::graph graph_of(const fanfold::operation& op, const std::vector<fanfold::value_type>& inputs,
                               const std::vector<fanfold::tensor>& constants = {}) {
    fanfold::graph_builder g;
    std::vector<fanfold::value_id> values;
    for (const auto& type : inputs) values.push_back(g.input("x" + std::to_string(values.size()), type));
    for (const auto& constant : constants) values.push_back(g.constant(constant));
    std::vector<std::pair<std::string, fanfold::value_id>> outputs;
    for (const fanfold::value_id answer : g.add(op, values, "it"))
        outputs.emplace_back("y" + std::to_string(outputs.size()), answer);
    return std::move(g).finish(outputs);
}

/// 0, 1, 2, ..: every element another one, some negative, out of order.
inline fanfold::tensor pattern(const fanfold::shape& extents) {
    fanfold::tensor made(fanfold::element::float32, extents);
    std::size_t i = 0;
    for (float& x : made.as<float>().flat()) x = static_cast<float>(i++ * 7919 % 101) / 8 - 5;
    return made;
}

inline bool same_bits(const fanfold::tensor& a, const fanfold::tensor& b) {
    if (a.type() != b.type() || !(a.shape() == b.shape())) return false;
    return a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

/// Each row alone gives the bits that it gives among the others; rows along `axis` of the one input.
inline bool rows_are_independent(const fanfold::graph& g, const fanfold::tensor& x, std::size_t axis) {
    fanfold::workspace space;
    const fanfold::tensor_view whole[]{x};
    const auto all = g.run(whole, space);
    const auto types = g.answers(fanfold::batch(fanfold::part(x, axis)));
    for (std::size_t row = 0; row < static_cast<std::size_t>(x.shape()[axis]); ++row) {
        const fanfold::tensor one(fanfold::tensor_view(x).slice(axis, row, 1));
        const fanfold::tensor_view alone[]{one};
        const auto answers = g.run(alone, space);
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (!types[i].rows) return false;
            const std::size_t along = *types[i].rows;
            const auto each = static_cast<std::size_t>(answers[i].shape()[along]);
            if (!same_bits(fanfold::tensor(fanfold::tensor_view(all[i]).slice(along, row * each, each)), answers[i]))
                return false;
        }
    }
    return true;
}
