// fanfold/onnx/widening.hpp - 16-bit floating point of a file as the float32 that stands for it in the graph.
// SPDX-License-Identifier: MIT
#pragma once
#include <utility>  // std::move

#include "../core/tensor.hpp"
#include "../kernel/cast.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// Kernels compute in float32 or float64; what a graph takes and answers keeps the type that the file declares.
[[nodiscard]] constexpr bool is_narrow(element type) noexcept {
    return type == element::float16 || type == element::bfloat16;
}
[[nodiscard]] constexpr element widened(element type) noexcept { return is_narrow(type) ? element::float32 : type; }

/// The same numbers: float32 holds them all.
[[nodiscard]] inline tensor widened(tensor stored) {
    if (!is_narrow(stored.type())) return stored;
    tensor wide = tensor::populated(element::float32, stored.shape());
    if (wide.size() != 0) kernel::cast(stored, wide);
    return wide;
}

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
