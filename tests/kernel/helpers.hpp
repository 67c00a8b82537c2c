// tests/kernel/helpers.hpp - instruction sets to try, reproducible numbers, memory that notices trespassers.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <bit>        // std::bit_cast
#include <cmath>      // std::abs
#include <cstdint>    // std::uint32_t
#include <cstring>    // std::memcmp
#include <span>       // std::span
#include <vector>     // std::vector

#include "../../include/fanfold/context/tile_loop.hpp"
#include "../../include/fanfold/core/view.hpp"
#include "../../include/fanfold/kernel/isa.hpp"

namespace fanfold_test {

inline std::vector<fanfold::kernel::isa> every_isa() {
    std::vector<fanfold::kernel::isa> sets;
    using fanfold::kernel::isa;
    for (const isa set : {isa::baseline, isa::avx2, isa::avx512})
        if (fanfold::kernel::supports(set)) sets.push_back(set);
    return sets;
}

/// Reproducible floats in [-1, 1).
class numbers {
public:
    explicit numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
    float operator()() {
        state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<float>(static_cast<std::int32_t>(state_ >> 32)) * 0x1p-31F;
    }
    template <class T = float>
    std::vector<T> some(std::size_t count) {
        std::vector<T> made(count);
        for (T& x : made) x = (*this)();
        return made;
    }

private:
    std::uint64_t state_;
};

/// As for that many workers, on one thread: from the last tile to the first, each in another slot than its neighbours.
inline fanfold::tile_loop backwards(std::size_t width) {
    return {[](const void*, std::size_t count, fanfold::tile_loop::body each) {
                for (std::size_t tile = count; tile-- > 0;) each(tile, tile % 2);
            },
            nullptr, width};
}

inline float poison() {
    const std::uint32_t bits = 0x7FC0BEEF;  // a NaN that no computation makes
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
inline bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }
inline bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

/// `size` floats amid poison, `shift` floats away from a vector boundary. A kernel that reads beyond spreads NaN; one
/// that writes beyond is seen by `intact`.
class guarded {
public:
    explicit guarded(std::size_t size, std::size_t shift = 1)
        : room_(size + 2 * margin, poison()), shift_(shift), size_(size) {}
    guarded(std::span<const float> values, std::size_t shift = 1) : guarded(values.size(), shift) {
        const std::size_t count = std::min(values.size(), room_.size() - margin);  // g++ 12 fears sizes near SIZE_MAX
        if (count != 0) std::memcpy(data(), values.data(), count * sizeof(float));
    }
    float* data() { return room_.data() + margin / 2 + shift_; }
    std::span<const float> span() const { return {room_.data() + margin / 2 + shift_, size_}; }
    fanfold::view<float> as(const fanfold::shape& extents) { return {data(), extents}; }
    bool intact() const {
        for (std::size_t i = 0; i < room_.size(); ++i)
            if ((i < margin / 2 + shift_ || i >= margin / 2 + shift_ + size_) && !same_bits(room_[i], poison()))
                return false;
        return true;
    }

private:
    static constexpr std::size_t margin = 160;
    std::vector<float> room_;
    std::size_t shift_;
    std::size_t size_;
};

/// |got - expected| is at most `units` roundings of a sum of terms whose sizes add up to `magnitude`.
inline bool near(float got, double expected, double magnitude, double units = 4) {
    return std::abs(static_cast<double>(got) - expected) <= units * 0x1p-23 * magnitude + 1e-38;
}

}  // namespace fanfold_test
