// fanfold/kernel/image_rows.hpp - the rows of the images of an answer, shared by workers.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int64_t, std::uint64_t

#include "../context/tile_loop.hpp"
#include "../core/shape.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel::detail {

/// Calls `body(image, first, last)` for rows [first, last) of images [N, H, ..]: each whole image, or parts where that
/// is worth it. `work` as for tile_loop::tiles.
template <class Body>
void over_image_rows(const tile_loop& tiles, const shape& images, std::uint64_t work, const Body& body) {
    const auto height = static_cast<std::size_t>(images[1]), all = static_cast<std::size_t>(images[0]) * height;
    tiles.ranges(all, work, [&](std::size_t first, std::size_t last) {
        while (first < last) {
            const std::size_t image = first / height, end = std::min(last, (image + 1) * height);
            body(image, static_cast<std::int64_t>(first - image * height),
                 static_cast<std::int64_t>(end - image * height));
            first = end;
        }
    });
}

}  // namespace kernel::detail
}  // namespace fanfold::inline FANFOLD_ABI
