// fanfold/context/random.hpp - numbers that look random: the same sequence for a seed, on every machine.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// A UniformRandomBitGenerator for seeded choices: jitter, order of events; not for secrets.
///
/// cost     some ns a number, 8 bytes of state
/// source   splitmix64, Steele, Lea & Flood 2014
class random_bits {
public:
    using result_type = std::uint64_t;

    explicit random_bits(std::uint64_t seed) : state_(seed) {}

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return UINT64_MAX; }

    result_type operator()() noexcept {
        state_ += 0x9E3779B97F4A7C15U;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31);
    }
    /// In [0, 1).
    [[nodiscard]] double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
    /// In [0, count); count is not 0.
    [[nodiscard]] std::size_t below(std::size_t count) noexcept {
        __extension__ using wide = unsigned __int128;
        return static_cast<std::size_t>((static_cast<wide>((*this)()) * count) >> 64);
    }

private:
    std::uint64_t state_;
};

}  // namespace fanfold::inline FANFOLD_ABI
