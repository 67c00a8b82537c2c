// fanfold/onnx/error.hpp - why a model was refused: file, node, what was expected, what came.
// SPDX-License-Identifier: MIT
#pragma once
#include <stdexcept>  // std::runtime_error

#include "../core/in_quotes.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// A model that cannot be loaded. The text starts with the file's name, then names the node with operator and version
/// where it is about one: "net.onnx: node 'conv1' (Conv, opset 13): expected ..., got ...".
class load_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using fanfold::detail::in_quotes;  // names from a file, in error texts

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
