// fanfold/context/workspace.hpp - what a computation carries with it: scratch memory, tile loop, stop, event sink.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max
#include <cstddef>    // std::byte
#include <span>       // std::span
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../core/tensor.hpp"
#include "events.hpp"
#include "stop.hpp"
#include "tile_loop.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Scratch memory of one worker, handed down the call chain. Memory is taken like a stack and released by scopes.
///
/// layout   every span starts 64-byte aligned; elements are uninitialized
/// cost     a pointer bump; more than was reserved costs one allocation the first time and is kept for the next
/// threads  one user at a time
class workspace {
public:
    explicit workspace(std::size_t bytes = 0) { reserve(bytes); }
    workspace(workspace&&) noexcept = default;
    workspace& operator=(workspace&&) noexcept = default;

    tile_loop tiles;     ///< how an operation may split itself
    fanfold::stop stop;  ///< polled per operation and per tile
    event_sink events;   ///< empty unless somebody watches

    /// Uninitialized room for `count` elements, until the innermost scope ends.
    template <class T>
    [[nodiscard]] std::span<T> take(std::size_t count) {
        std::size_t bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &bytes)) throw std::bad_alloc();
        return {reinterpret_cast<T*>(take_bytes(bytes)), count};
    }

    /// Gives back, at its end, what was taken since its start.
    class scope {
    public:
        explicit scope(workspace& space) : space_(space), used_(space.used_), spilled_(space.spills_.size()) {}
        ~scope() { space_.release(used_, spilled_); }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

    private:
        workspace& space_;
        std::size_t used_;
        std::size_t spilled_;
    };

    /// Makes room for `bytes` in one piece; only while nothing is taken.
    void reserve(std::size_t bytes) {
        if (bytes <= capacity_ || used_ != 0) return;
        block_.reset();
        capacity_ = 0;
        block_ = detail::allocate_aligned(bytes);
        capacity_ = bytes;
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Rounds a size up as `take` does, for those who add up what they will need.
    [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
        return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    }

private:
    std::byte* take_bytes(std::size_t bytes) {
        if (bytes > SIZE_MAX - buffer_alignment) throw std::bad_alloc();
        bytes = rounded(bytes);
        if (spills_.empty() && bytes <= capacity_ - used_) {
            std::byte* taken = block_.get() + used_;
            used_ += bytes;
            return taken;
        }
        spills_.push_back(detail::allocate_aligned(std::max(bytes, buffer_alignment)));
        spilled_bytes_ += bytes;
        wanted_ = std::max(wanted_, used_ + spilled_bytes_);
        return spills_.back().get();
    }

    void release(std::size_t used, std::size_t spilled) noexcept {
        used_ = used;
        if (spills_.size() == spilled) return;
        spills_.resize(spilled);
        if (!spills_.empty()) return;
        spilled_bytes_ = 0;
        if (used_ != 0) return;
        try {
            reserve(wanted_);  // once it was too small, it is large enough from then on
        } catch (...) {        // then the next one spills again
        }
    }

    detail::aligned_bytes block_;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
    std::vector<detail::aligned_bytes> spills_;
    std::size_t spilled_bytes_ = 0;
    std::size_t wanted_ = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
