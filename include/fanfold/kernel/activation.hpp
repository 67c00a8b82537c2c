// fanfold/kernel/activation.hpp - the activations that a kernel can apply to what it has just computed.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint8_t
#include <string_view>  // std::string_view

#include "simd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// gelu: x Phi(x); gelu_tanh: its approximation by tanh; silu: x sigmoid(x); hard_swish: x max(0, min(1, x / 6 + 1/2)).
enum class activation : std::uint8_t { none, relu, sigmoid, tanh, gelu, gelu_tanh, silu, hard_swish };

[[nodiscard]] constexpr std::string_view name_of(activation act) noexcept {
    switch (act) {
        case activation::none: return "none";
        case activation::relu: return "relu";
        case activation::sigmoid: return "sigmoid";
        case activation::tanh: return "tanh";
        case activation::gelu: return "gelu";
        case activation::gelu_tanh: return "gelu_tanh";
        case activation::silu: return "silu";
        case activation::hard_swish: return "hard_swish";
    }
    return "?";
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI

// The order matters.
// clang-format off
#include "target/baseline_begin.inc"
#include "body/activation.inc"
#include "target/end.inc"
#if FANFOLD_X86_64
#include "target/avx2_begin.inc"
#include "body/activation.inc"
#include "target/end.inc"

#include "target/avx512_begin.inc"
#include "body/activation.inc"
#include "target/end.inc"
#endif
// clang-format on

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

inline void exp_row(isa set, const float* in, float* out, std::size_t n) {
    pick(set, &baseline::exp_row, &avx2::exp_row, &avx512::exp_row)(in, out, n);
}
inline void activate_row(isa set, activation act, const float* in, float* out, std::size_t n) {
    pick(set, &baseline::activate_row, &avx2::activate_row, &avx512::activate_row)(act, in, out, n);
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
