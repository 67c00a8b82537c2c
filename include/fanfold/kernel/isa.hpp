// fanfold/kernel/isa.hpp - which instruction set the kernels run with: decided here, once per process.
//   in    the CPU, the environment variable FANFOLD_ISA      out   one of baseline (on AArch64: NEON), avx2, avx512
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>      // std::uint8_t
#include <cstdlib>      // std::getenv
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// baseline: what every CPU of the architecture has (SSE2 on x86-64, NEON on AArch64); avx2: AVX2 and FMA; avx512:
/// AVX-512 F, BW, DQ, VL. avx2, avx512 and NEON give the same bits (of a NaN, only that it is one); SSE2 rounds
/// products before it adds them.
enum class isa : std::uint8_t { baseline, avx2, avx512 };

[[nodiscard]] constexpr std::string_view name_of(isa set) noexcept {
    switch (set) {
        case isa::baseline: return FANFOLD_NEON ? "neon" : "baseline";
        case isa::avx2: return "avx2";
        case isa::avx512: return "avx512";
    }
    return "?";
}

/// This CPU, and the operating system on it, can run `set`.
[[nodiscard]] inline bool supports([[maybe_unused]] isa set) noexcept {
#if FANFOLD_X86_64
    __builtin_cpu_init();
    switch (set) {
        case isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case isa::avx512:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                   __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        case isa::baseline: break;
    }
#endif
    return set == isa::baseline;
}

/// The best instruction set of this CPU.
[[nodiscard]] inline isa best_isa() noexcept {
    if (supports(isa::avx512)) return isa::avx512;
    if (supports(isa::avx2)) return isa::avx2;
    return isa::baseline;
}

/// The instruction set called `name`: baseline (or sse2, neon, where it is that), avx2, avx512; empty: the best one.
///
/// errors   throws std::invalid_argument when the name is unknown or this CPU cannot run it
[[nodiscard]] inline isa isa_named(std::string_view name) {
    if (name.empty()) return best_isa();
    const bool baseline = name == "baseline" || (FANFOLD_X86_64 && name == "sse2");
    const auto known = baseline ? name_of(isa::baseline) : name;
    std::string supported;
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512}) {
        if (!supports(set)) continue;
        if (known == name_of(set)) return set;
        supported += (supported.empty() ? "" : ", ") + std::string(name_of(set));
    }
    throw std::invalid_argument("FANFOLD_ISA is '" + std::string(name) + "'; this CPU supports " + supported);
}

/// The instruction set of every kernel in this process: the best one, or what FANFOLD_ISA says. Read once.
///
/// errors   as isa_named, at each call
[[nodiscard]] inline isa active_isa() {
    static const isa chosen = [] {
        const char* asked = std::getenv("FANFOLD_ISA");
        return isa_named(asked == nullptr ? "" : asked);
    }();
    return chosen;
}

namespace detail {

/// One of three functions of the same type.
template <class F>
[[nodiscard]] constexpr F pick(isa set, F baseline, F avx2, F avx512) noexcept {
    return set == isa::avx512 ? avx512 : set == isa::avx2 ? avx2 : baseline;
}

}  // namespace detail
}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
