// fanfold/context/tile_loop.hpp - how one operation splits itself: in order here, on idle workers where an executor
// says so.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::clamp
#include <atomic>     // std::atomic
#include <concepts>   // std::invocable
#include <cstddef>    // std::size_t
#include <cstdint>    // std::uint64_t

#include "../core/function_ref.hpp"
#include "stop.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Runs `body(tile)` or `body(tile, slot)` for tiles [0, count); returns when all have run. Tiles may run on several
/// threads at once, in any order, so each writes only what is its own, and nothing may depend on the order. Tiles that
/// run at the same time have different slots below `slots(count)`: scratch memory is taken from the caller's workspace
/// before the loop, a piece for each slot; the workspace itself is not touched in tiles. An exception reaches the
/// caller after the tiles in flight have ended.
class tile_loop {
public:
    using body = function_ref<void(std::size_t tile, std::size_t slot)>;
    constexpr tile_loop() = default;
    /// `run` executes all tiles, at most `width` at once, called when there are two or more; `source` is handed to it.
    /// `idle`, where given, counts who would help: while it is 0, nothing is gained by splitting an operation; whoever
    /// comes later helps with the next. `polled` is the stop that `run` polls, where one may come. Both outlive
    /// the loop.
    constexpr tile_loop(void (*run)(const void* source, std::size_t count, body), const void* source, std::size_t width,
                        const std::atomic<std::size_t>* idle = nullptr, const stop* polled = nullptr)
        : run_(run), source_(source), width_(width), idle_(idle), polled_(polled) {}
    /// In order, with `stopping` polled before each tile; operations are cut so that this is soon enough. It must
    /// outlive the loop.
    constexpr explicit tile_loop(const stop& stopping) : polled_(&stopping) {}

    /// How many tiles may run at once; 1: there is nothing to gain from splitting.
    [[nodiscard]] constexpr std::size_t width() const noexcept { return width_; }
    [[nodiscard]] constexpr std::size_t slots(std::size_t count) const noexcept { return std::min(width_, count); }

    void operator()(std::size_t count, body each) const {
        if (run_ != nullptr && count > 1) {
            run_(source_, count, each);
            return;
        }
        for (std::size_t tile = 0; tile < count; ++tile) {
            if (polled_ != nullptr && count > 1) polled_->check();
            each(tile, 0);
        }
    }
    template <std::invocable<std::size_t> Body>
    void operator()(std::size_t count, Body&& each) const {
        const auto without_slot = [&each](std::size_t tile, std::size_t) { each(tile); };
        (*this)(count, body(without_slot));
    }

    /// How many tiles `work` is worth, at most `most`: none of less than some 20 us, and no more than it takes to keep
    /// all workers busy to the end. While nobody is there to help 1, or tiles of some 200 us where a stop is polled.
    /// `work` counts floating-point operations; a byte that comes from memory counts as 8.
    [[nodiscard]] constexpr std::size_t tiles(std::uint64_t work, std::size_t most) const noexcept {
        if (most < 2 || work < 2 * tile_work) return 1;
        if (width_ < 2 || (idle_ != nullptr && idle_->load(std::memory_order_relaxed) == 0))
            return polled_ == nullptr || work < 2 * polled_work
                       ? 1
                       : static_cast<std::size_t>(std::min<std::uint64_t>(work / polled_work, most));
        return static_cast<std::size_t>(std::min<std::uint64_t>({work / tile_work, 4 * width_, most}));
    }

    /// Runs `body(first, last)` over ranges that cover [0, count), each worth a tile; `work` is that of all.
    template <std::invocable<std::size_t, std::size_t> Body>
    void ranges(std::size_t count, std::uint64_t work, Body&& each) const {
        if (count == 0) return;
        const std::size_t parts = tiles(work, count), length = count / parts, longer = count % parts;
        const auto range = [&](std::size_t part, std::size_t) {
            const std::size_t first = part * length + std::min(part, longer);
            each(first, first + length + (part < longer ? 1 : 0));
        };
        (*this)(parts, body(range));
    }

private:
    static constexpr std::uint64_t tile_work = std::uint64_t{1} << 21;
    static constexpr std::uint64_t polled_work = std::uint64_t{1} << 24;

    void (*run_)(const void*, std::size_t, body) = nullptr;
    const void* source_ = nullptr;
    std::size_t width_ = 1;
    const std::atomic<std::size_t>* idle_ = nullptr;
    const stop* polled_ = nullptr;
};

}  // namespace fanfold::inline FANFOLD_ABI
