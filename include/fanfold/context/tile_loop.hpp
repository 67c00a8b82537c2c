// fanfold/context/tile_loop.hpp - how one operation splits itself: in order here, on idle workers where an executor
// says so. SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>  // std::size_t

#include "../core/function_ref.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Runs `body(tile)` for tiles [0, count); returns when all have run. Tiles may run on several threads at once, in any
/// order, so each writes only what is its own, and nothing may depend on the order. An exception reaches the caller
/// after the tiles in flight have ended.
class tile_loop {
public:
    using body = function_ref<void(std::size_t tile)>;
    constexpr tile_loop() = default;
    /// `run` executes all tiles, called when there are two or more; `source` is handed to it.
    constexpr tile_loop(void (*run)(const void* source, std::size_t count, body), const void* source)
        : run_(run), source_(source) {}

    void operator()(std::size_t count, body each) const {
        if (run_ != nullptr && count > 1) {
            run_(source_, count, each);
            return;
        }
        for (std::size_t tile = 0; tile < count; ++tile) each(tile);
    }

private:
    void (*run_)(const void*, std::size_t, body) = nullptr;
    const void* source_ = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
