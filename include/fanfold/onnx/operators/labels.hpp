// fanfold/onnx/operators/labels.hpp - what classes are called: integers, or strings held as their positions; ZipMap.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../../model/operators/reshape.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

namespace detail {

/// The labels of a classifier, as it answers them.
struct class_labels {
    std::vector<std::int64_t> numbers{};
    std::vector<std::string> strings{};  ///< where labels are strings: `numbers` are positions in here
};

/// errors   throws std::invalid_argument unless one of both attributes holds labels
[[nodiscard]] inline class_labels read_labels(node_import& node, const std::string& integers,
                                              const std::string& strings) {
    class_labels out;
    if (const std::vector<std::int64_t>* found = node.integers(integers)) out.numbers = *found;
    if (const auto* found = node.texts(strings)) out.strings.assign(found->begin(), found->end());
    if (out.numbers.empty() == out.strings.empty())
        throw std::invalid_argument("expected labels in attribute " + in_quotes(integers) + " or " +
                                    in_quotes(strings) + ", got " + (out.numbers.empty() ? "none" : "both"));
    for (std::size_t i = 0; i < out.strings.size(); ++i) out.numbers.push_back(static_cast<std::int64_t>(i));
    return out;
}

/// Answers with a classifier: labels and scores.
inline void answer_labels(node_import& node, const operation& op, class_labels labels) {
    node.answer(op, {node.input(0)});
    if (!labels.strings.empty()) node.name(0, {std::move(labels.strings), {}});
}

}  // namespace detail

/// The scores as they come, their columns named by the labels: a map a row would repeat the names.
///
/// source   ONNX-ML ZipMap-1
inline void import_zip_map(node_import& node) {
    node.expect_inputs(1, 1);
    detail::class_labels labels = detail::read_labels(node, "classlabels_int64s", "classlabels_strings");
    const value_type scores = node.type(0);
    const auto count = static_cast<std::int64_t>(labels.numbers.size());
    const symbolic_shape& s = scores.shape;
    const bool fits = !s.ranked() || ((s.rank() == 1 || s.rank() == 2) && may_equal(s[s.rank() - 1], count));
    if (scores.type != element::float32 || !fits)
        throw std::invalid_argument("expected scores float32 [N, " + std::to_string(count) + "] for " +
                                    std::to_string(count) + " labels, got " + scores.text());
    if (labels.strings.empty())
        for (const std::int64_t label : labels.numbers) labels.strings.push_back(std::to_string(label));
    node.answer(identity(), {node.input(0)});
    node.name(0, {{}, std::move(labels.strings)});
}

inline constexpr std::array label_operators{operator_entry{"ZipMap", 1, 5, &import_zip_map, "ai.onnx.ml"}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
