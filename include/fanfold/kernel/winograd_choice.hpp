// fanfold/kernel/winograd_choice.hpp - by which tiles a 3x3 convolution is fastest, from its shape alone.
//   in    channels, outputs, size of one image's answer      out   the tile, or none: the direct sum
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>   // std::int64_t
#include <optional>  // std::optional

#include "winograd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

/// A 3x3 convolution of one image; nothing here depends on how many there are.
struct winograd_problem {
    std::int64_t channels, outputs, height, width;  // of the answer
    std::int64_t stride = 1;
};

/// Estimated time, in nanoseconds of a core at 110 GFLOP/s; only ratios matter.
///
/// source   measured, bench/RESULTS.md "Winograd"
[[nodiscard]] inline double direct_time(const winograd_problem& p) {
    const double weights = static_cast<double>(p.channels) * static_cast<double>(p.outputs);
    const double positions = static_cast<double>(p.height) * static_cast<double>(p.width);
    return positions * 9 * weights / 52 + 9 * weights * 0.14;
}
[[nodiscard]] inline double winograd_time(const winograd_problem& p, winograd_tile tile) {
    const auto edge = static_cast<std::int64_t>(tile);
    const double weights = static_cast<double>(p.channels) * static_cast<double>(p.outputs);
    const double tiles =
        static_cast<double>((p.height + edge - 1) / edge) * static_cast<double>((p.width + edge - 1) / edge);
    const double vectors_in = static_cast<double>((p.channels + 15) / 16);
    const double vectors_out = static_cast<double>((p.outputs + 15) / 16);
    const std::int64_t points = (edge - 1) * p.stride + 3;
    const double frequencies = static_cast<double>(points * points);
    const double transform_in = points == 4 ? 70 : points == 5 ? 80 : 200;  // of 16 channels of a tile
    const double transform_out = points == 4 ? 35 : points == 5 ? 40 : 140;
    // The last term: weights, which small batches read from memory.
    return tiles * (frequencies * weights / 50 + vectors_in * transform_in + vectors_out * transform_out) +
           frequencies * weights * 0.14;
}

/// The tile that is clearly faster than the direct sum, no larger than `largest`.
[[nodiscard]] inline std::optional<winograd_tile> fastest_tile(const winograd_problem& p, winograd_tile largest) {
    std::optional<winograd_tile> best;
    double least = direct_time(p) * 0.9;
    for (const winograd_tile tile : {winograd_tile::two, winograd_tile::four}) {
        if (tile > largest || (tile == winograd_tile::four && p.stride != 1)) continue;
        if (winograd_time(p, tile) >= least) continue;
        least = winograd_time(p, tile);
        best = tile;
    }
    return best;
}

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
