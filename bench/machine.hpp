// bench/machine.hpp - what one core can do at best: fused multiply-adds a second, and bytes read a second.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/kernel/simd.hpp>

#include <chrono>   // std::chrono::steady_clock
#include <cstddef>  // std::size_t
#include <span>     // std::span

// The order matters.
// clang-format off
#include <fanfold/kernel/target/baseline_begin.inc>
#include "machine.inc"
#include <fanfold/kernel/target/end.inc>
#if FANFOLD_X86_64
#include <fanfold/kernel/target/avx2_begin.inc>
#include "machine.inc"
#include <fanfold/kernel/target/end.inc>
#include <fanfold/kernel/target/avx512_begin.inc>
#include "machine.inc"
#include <fanfold/kernel/target/end.inc>
#endif
// clang-format on

namespace machine {

namespace kernel = fanfold::kernel;

/// Seconds that f takes.
template <class F>
double seconds(const F& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Flops a second of a loop of fused multiply-adds, measured over `rounds` of it, with the active instruction set.
inline double peak(std::size_t rounds = 20'000) {
    float in[32], out[16];
    for (std::size_t i = 0; i < 32; ++i) in[i] = 0.5F + 0.001F * static_cast<float>(i);
    const auto loop = kernel::detail::pick(kernel::active_isa(), &kernel::baseline::multiply_add,
                                           &kernel::avx2::multiply_add, &kernel::avx512::multiply_add);
    double flops = 0;
    const double time = seconds([&] { flops = loop(in, rounds, out); });
    return flops / time;
}

/// Bytes a second at which `from`, a multiple of 64 floats, is read in order `times` times.
inline double stream(std::span<const float> from, std::size_t times) {
    float out[16];
    const auto loop =
        kernel::detail::pick(kernel::active_isa(), &kernel::baseline::read, &kernel::avx2::read, &kernel::avx512::read);
    const double time = seconds([&] {
        for (std::size_t i = 0; i < times; ++i) loop(from.data(), from.size(), out);
    });
    return static_cast<double>(from.size_bytes()) * static_cast<double>(times) / time;
}

}  // namespace machine
