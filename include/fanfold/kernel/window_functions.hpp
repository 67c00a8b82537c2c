// fanfold/kernel/window_functions.hpp - weights that fade a signal in and out: Hann, Hamming, Blackman.
//   in    a length      out   that many weights
// SPDX-License-Identifier: MIT
#pragma once
#include <array>    // std::array
#include <cmath>    // std::cos
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint8_t
#include <numbers>  // std::numbers::pi
#include <span>     // std::span

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class window_function : std::uint8_t { hann, hamming, blackman };
/// Whether the weight behind the last one would be the first again, or the last one is.
enum class window_ends : std::uint8_t { periodic, symmetric };

/// out[n] = a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N); N is the length, less 1 when symmetric. A symmetric window of
/// one weight is 1.
///
/// source   ONNX HannWindow-17, HammingWindow-17, BlackmanWindow-17
template <class T>
void fill_window(window_function function, window_ends ends, std::span<T> out) {
    static constexpr std::array<std::array<double, 3>, 3> terms{
        {{0.5, 0.5, 0}, {25.0 / 46, 21.0 / 46, 0}, {0.42, 0.5, 0.08}}};
    const auto& [a0, a1, a2] = terms[static_cast<std::size_t>(function)];
    const std::size_t period = ends == window_ends::periodic ? out.size() : out.size() - 1;
    for (std::size_t n = 0; n < out.size(); ++n) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(period);
        out[n] = static_cast<T>(period == 0 ? 1.0 : a0 - a1 * std::cos(turn) + a2 * std::cos(2 * turn));
    }
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
