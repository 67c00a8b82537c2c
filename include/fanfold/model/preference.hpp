// fanfold/model/preference.hpp - what a graph may give up for speed.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>  // std::uint8_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// How convolutions may round. usual: by tiles of up to 4x4 where that is faster, about 1e-5 of the answers' size;
/// high: by tiles of 2x2 at most, about 2e-6; direct: sums as they are written, about 7e-6,
/// and no tile spreads an infinity.
enum class accuracy : std::uint8_t { usual, high, direct };

/// What weights may take. usual: up to four times the file's where that is faster; small:
/// no more than the file's, padded.
enum class weight_memory : std::uint8_t { usual, small };

/// example  onnx::load("vgg19.onnx", {.prefer = {.memory = weight_memory::small}})
struct preference {
    fanfold::accuracy accuracy = fanfold::accuracy::usual;
    weight_memory memory = weight_memory::usual;
};

}  // namespace fanfold::inline FANFOLD_ABI
