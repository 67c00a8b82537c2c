// fanfold/onnx/operators/signal.hpp - DFT, STFT, HannWindow, HammingWindow, BlackmanWindow, MelWeightMatrix.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>    // std::array
#include <cstdint>  // std::int64_t

#include "../../model/operators/signal.hpp"
#include "../element.hpp"
#include "../node.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {

/// source   ONNX DFT-17 with the axis as an attribute, DFT-20 as an input
inline void import_dft(node_import& node) {
    node.expect_inputs(1, 3);
    const bool one_sided = node.integer("onesided", 0) != 0;
    const bool inverse = node.integer("inverse", 0) != 0;
    const std::int64_t axis = node.opset() < 20 ? node.integer("axis", 1) : -2;
    node.answer(fourier_transform(inverse ? kernel::transform::inverse : kernel::transform::forward,
                                  one_sided ? spectrum::one_sided : spectrum::whole, axis),
                node.inputs());
}

/// source   ONNX STFT-17
inline void import_stft(node_import& node) {
    node.expect_inputs(2, 4);
    const bool one_sided = node.integer("onesided", 1) != 0;
    node.answer(short_time_fourier_transform(one_sided ? spectrum::one_sided : spectrum::whole), node.inputs());
}

/// source   ONNX HannWindow-17, HammingWindow-17, BlackmanWindow-17
template <kernel::window_function Function>
void import_window(node_import& node) {
    node.expect_inputs(1, 1);
    const bool periodic = node.integer("periodic", 1) != 0;
    node.answer(window_weights(Function, periodic ? kernel::window_ends::periodic : kernel::window_ends::symmetric,
                               widened(element_of_data_type(node.integer("output_datatype", 1)))),
                node.inputs());
}

/// source   ONNX MelWeightMatrix-17
inline void import_mel_weights(node_import& node) {
    node.expect_inputs(5, 5);
    node.answer(mel_weights(widened(element_of_data_type(node.integer("output_datatype", 1)))), node.inputs());
}

inline constexpr std::array signal_operators{
    operator_entry{"DFT", 17, last_opset, &import_dft},
    operator_entry{"STFT", 17, last_opset, &import_stft},
    operator_entry{"HannWindow", 17, last_opset, &import_window<kernel::window_function::hann>},
    operator_entry{"HammingWindow", 17, last_opset, &import_window<kernel::window_function::hamming>},
    operator_entry{"BlackmanWindow", 17, last_opset, &import_window<kernel::window_function::blackman>},
    operator_entry{"MelWeightMatrix", 17, last_opset, &import_mel_weights}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
