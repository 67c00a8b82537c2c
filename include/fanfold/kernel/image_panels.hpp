// fanfold/kernel/image_panels.hpp - the elements under a sliding window as a matrix in packed panels (im2col).
//   in    an image [C, ...], a window      out   [taps, positions] in panels of 16 positions
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max, std::clamp
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t

#include "window_nd.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// How many positions go into panels at a time: a multiple of 16 that keeps the panels in the second-level cache.
[[nodiscard]] inline std::int64_t panel_positions(std::int64_t taps, std::int64_t positions) {
    const std::int64_t fits =
        std::clamp<std::int64_t>((std::int64_t{1} << 17) / std::max<std::int64_t>(taps, 1), 64, std::int64_t{1} << 14);
    return (std::min(fits, positions) + 15) / 16 * 16;
}

/// Positions [lowest, highest) along one axis at which tap k lies within the image.
struct position_range {
    std::int64_t from, to;
    position_range(const window3& w, std::size_t axis, std::int64_t tap) {
        const std::int64_t shift = tap * w.dilation[axis] - w.before[axis], s = w.stride[axis];
        const std::int64_t room = w.in[axis] - shift;
        from = std::min(shift < 0 ? (-shift + s - 1) / s : 0, w.out[axis]);
        to = std::max(from, std::min(room <= 0 ? 0 : (room + s - 1) / s, w.out[axis]));
    }
};

/// Output positions [first, first + count) of taps [tap, tap_end), counted over channels and windows, into
/// [count / 16][taps][16], 0 where a tap lies outside and behind the last position. `read(channel, offset)` gives an
/// element of the image.
template <class Value, class Read>
void image_to_panels(const window3& w, std::int64_t tap, std::int64_t tap_end, std::int64_t first, std::int64_t count,
                     Value* panels, Read&& read) {
    const std::int64_t taps = tap_end - tap, padded = (count + 15) / 16 * 16;
    for (std::int64_t k = 0; k < taps; ++k) {
        const std::int64_t kx = (tap + k) % w.size[2], ky = (tap + k) / w.size[2] % w.size[1];
        const std::int64_t kz = (tap + k) / (w.size[2] * w.size[1]) % w.size[0], c = (tap + k) / w.window();
        const position_range inside(w, 2, kx);
        const auto put = [&](std::int64_t q, Value value) { panels[((q >> 4) * taps + k) * 16 + (q & 15)] = value; };
        std::int64_t q = 0;
        while (q < count) {  // one row of the answer after another
            const std::int64_t position = first + q, x0 = position % w.out[2], row = position / w.out[2];
            const std::int64_t z = row / w.out[1] * w.stride[0] - w.before[0] + kz * w.dilation[0];
            const std::int64_t y = row % w.out[1] * w.stride[1] - w.before[1] + ky * w.dilation[1];
            const std::int64_t run = std::min(w.out[2] - x0, count - q);
            const bool within = z >= 0 && z < w.in[0] && y >= 0 && y < w.in[1];
            const std::int64_t from = within ? std::clamp(inside.from - x0, std::int64_t{0}, run) : run;
            const std::int64_t to = within ? std::clamp(inside.to - x0, from, run) : run;
            std::int64_t i = 0;
            for (; i < from; ++i) put(q + i, Value{});
            const std::int64_t start =
                (z * w.in[1] + y) * w.in[2] + x0 * w.stride[2] - w.before[2] + kx * w.dilation[2];
            for (; i < to; ++i) put(q + i, read(c, start + i * w.stride[2]));
            for (; i < run; ++i) put(q + i, Value{});
            q += run;
        }
        for (; q < padded; ++q) put(q, Value{});
    }
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
