// fanfold/onnx/operator_entry.hpp - one line of a table of operators: the built-in ones', or a user's own.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

class node_import;  // node.hpp

/// Versions [since, until] of an operator, by its domain's opset; the default domain is "". The function turns a node
/// into operations of the graph.
struct operator_entry {
    std::string_view name;
    std::int64_t since;
    std::int64_t until;
    void (*import_node)(node_import&);
    std::string_view domain = {};
};

/// The versions of the default domain that are supported.
inline constexpr std::int64_t first_opset = 1;
inline constexpr std::int64_t last_opset = 22;

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
