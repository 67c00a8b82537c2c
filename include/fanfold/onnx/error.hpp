// fanfold/onnx/error.hpp - why a model was refused: file, node, what was expected, what came.
// SPDX-License-Identifier: MIT
#pragma once
#include <stdexcept>    // std::runtime_error
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// A model that cannot be loaded. The text starts with the file's name, then names the node with operator and version
/// where it is about one: "net.onnx: node 'conv1' (Conv, opset 13): expected ..., got ...".
class load_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A name from a file as an error text shows it: quoted, printable, at most 80 characters.
[[nodiscard]] inline std::string in_quotes(std::string_view name) {
    constexpr std::size_t most = 80;
    std::string out = "'";
    for (const char c : name.substr(0, most)) out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    return out + (name.size() > most ? "..'" : "'");
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
