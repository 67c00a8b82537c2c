// fanfold/onnx/operators/choice.hpp - attributes that are one of a few words.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::pair

#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx::detail {

/// What a text attribute stands for.
template <class T, std::size_t Count>
[[nodiscard]] T choice(node_import& node, std::string_view attribute, std::string_view otherwise,
                       const std::array<std::pair<std::string_view, T>, Count>& known) {
    const std::string_view asked = node.text(attribute, otherwise);
    for (const auto& [name, meaning] : known)
        if (name == asked) return meaning;
    std::string expected;
    for (const auto& [name, meaning] : known) expected += (expected.empty() ? "" : ", ") + std::string(name);
    throw std::invalid_argument("attribute " + in_quotes(attribute) + ": expected one of " + expected + ", got " +
                                in_quotes(asked));
}

}  // namespace onnx::detail
}  // namespace fanfold::inline FANFOLD_ABI
