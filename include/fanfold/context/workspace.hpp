// fanfold/context/workspace.hpp - what a computation carries with it: scratch memory, tile loop, stop, event sink.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>    // std::max
#include <bit>          // std::bit_width
#include <cstddef>      // std::byte
#include <cstdint>      // SIZE_MAX
#include <new>          // std::bad_alloc
#include <span>         // std::span
#include <type_traits>  // std::is_trivially_destructible_v
#include <utility>      // std::exchange
#include <vector>       // std::vector

#include "../core/tensor.hpp"
#include "events.hpp"
#include "stop.hpp"
#include "sum_checks.hpp"
#include "tile_loop.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Blocks of memory taken and given back in any order, kept for those who take next.
///
/// cost     the smallest kept block that fits is found by a look at each; sizes are rounded up to a quarter octave, so
///          that values which grow from run to run reuse blocks
/// errors   std::bad_alloc when memory is short
/// threads  one user at a time
class block_pool {
public:
    /// 64-byte aligned, uninitialized, never null.
    template <class = void>
    [[nodiscard]] std::byte* take(std::size_t bytes) {
        block* best = nullptr;
        for (block& one : blocks_)
            if (!one.taken && one.bytes >= bytes && one.bytes / 2 <= bytes + least &&
                (best == nullptr || one.bytes < best->bytes))
                best = &one;
        if (best == nullptr) best = &add(bytes);
        best->taken = true;
        return best->memory.get();
    }
    void give(std::byte* memory) noexcept {
        for (block& one : blocks_)
            if (one.memory.get() == memory) one.taken = false;
    }

private:
    static constexpr std::size_t least = 4096;
    struct block {
        detail::aligned_bytes memory;
        std::size_t bytes = 0;
        bool taken = false;
    };

    template <class = void>
    block& add(std::size_t bytes) {
        std::size_t kept = 0;
        std::size_t used = 0;
        for (const block& one : blocks_) (one.taken ? used : kept) += one.bytes;
        if (kept > used + bytes + (std::size_t{1} << 20))
            std::erase_if(blocks_, [](const block& one) { return !one.taken; });
        std::size_t step = std::max(least, bytes) / 4;
        step = std::size_t{1} << (std::bit_width(step) - 1);
        if (bytes > SIZE_MAX - step) throw std::bad_alloc();
        const std::size_t rounded = std::max(least, (bytes + step - 1) / step * step);
        blocks_.reserve(blocks_.size() + 1);
        blocks_.push_back({detail::allocate_aligned(rounded), rounded, false});
        return blocks_.back();
    }

    std::vector<block> blocks_;
};

/// Scratch memory of one worker, handed down the call chain. Memory is taken like a stack and released by scopes.
///
/// layout   every span starts 64-byte aligned; elements are uninitialized
/// cost     a pointer bump; what does not fit is allocated apart and kept for the next that does not; once nothing is
///          taken, room is made for all of it in one piece
/// errors   std::bad_alloc when memory is short; what was taken before stays taken
/// threads  one user at a time; a moved-from workspace has no memory and no reservation
class workspace {
public:
    explicit workspace(std::size_t bytes = 0) { reserve(bytes); }
    workspace(workspace&& other) noexcept
        : tiles(other.tiles),
          stop(std::move(other.stop)),
          events(other.events),
          steps(other.steps),
          sums(other.sums),
          node(other.node),
          blocks(std::move(other.blocks)),
          block_(std::move(other.block_)),
          capacity_(std::exchange(other.capacity_, 0)),
          used_(std::exchange(other.used_, 0)),
          spills_(std::exchange(other.spills_, {})),
          spilled_(std::exchange(other.spilled_, 0)),
          spilled_bytes_(std::exchange(other.spilled_bytes_, 0)),
          wanted_(std::exchange(other.wanted_, 0)) {}
    workspace& operator=(workspace&& other) noexcept {
        if (this == &other) return *this;
        std::destroy_at(this);
        return *std::construct_at(this, std::move(other));
    }

    tile_loop tiles;     ///< how an operation may split itself
    fanfold::stop stop;  ///< polled per operation and per tile
    event_sink events;   ///< empty unless somebody watches
    step_sink steps;     ///< empty unless somebody watches what a graph spends its time on
    sum_checks* sums = nullptr;  ///< null unless products are to be checked as they are computed
    std::size_t node = 0;  ///< NUMA node, by number in topology::nodes, that its memory is near
    block_pool blocks;   ///< for what outlives scopes: values whose size only the run tells

    /// Uninitialized room for `count` elements, until the innermost scope ends.
    template <class T>
    [[nodiscard]] std::span<T> take(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= buffer_alignment);
        std::size_t bytes = 0;
        if (__builtin_mul_overflow(count, sizeof(T), &bytes)) throw std::bad_alloc();
        return {reinterpret_cast<T*>(take_bytes(bytes)), count};
    }

    /// Gives back, at its end, what was taken since its start.
    class scope {
    public:
        explicit scope(workspace& space)
            : space_(space), used_(space.used_), spilled_(space.spilled_), spilled_bytes_(space.spilled_bytes_) {}
        ~scope() { space_.release(used_, spilled_, spilled_bytes_); }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

    private:
        workspace& space_;
        std::size_t used_;
        std::size_t spilled_;
        std::size_t spilled_bytes_;
    };

    /// Makes room for `bytes` in one piece; does nothing while anything of the room so far is taken.
    void reserve(std::size_t bytes) {
        if (bytes <= capacity_ || used_ != 0) return;
        block_.reset();
        capacity_ = 0;
        block_ = detail::allocate_for_long(bytes);
        capacity_ = bytes;
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Rounds a size up as `take` does, for those who add up what they will need.
    [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
        return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
    }

private:
    template <class = void>
    std::byte* take_bytes(std::size_t bytes) {
        if (bytes > SIZE_MAX - buffer_alignment) throw std::bad_alloc();
        bytes = rounded(bytes);
        if (spilled_ == 0 && bytes <= capacity_ - used_) {
            std::byte* taken = block_.get() + used_;
            used_ += bytes;
            return taken;
        }
        spill(std::max(bytes, buffer_alignment));
        spilled_bytes_ += bytes;
        wanted_ = std::max(wanted_, used_ + spilled_bytes_);
        return spills_[spilled_++].memory.get();
    }

    /// Makes the first block that is not taken one of `bytes` or more: the smallest kept that is, else a new one in the
    /// place of a kept one.
    template <class = void>
    void spill(std::size_t bytes) {
        std::size_t best = spills_.size();
        for (std::size_t at = spilled_; at < spills_.size(); ++at)
            if (spills_[at].bytes >= bytes && (best == spills_.size() || spills_[at].bytes < spills_[best].bytes))
                best = at;
        if (best == spills_.size()) {
            spilled_block made{detail::allocate_aligned(bytes), bytes};
            if (spilled_ == spills_.size()) {
                spills_.push_back(std::move(made));
            } else {
                best = spilled_;
                spills_[best] = std::move(made);
            }
        }
        if (best != spilled_) std::swap(spills_[best], spills_[spilled_]);
    }

    void release(std::size_t used, std::size_t spilled, std::size_t spilled_bytes) noexcept {
        used_ = used;
        spilled_ = spilled;
        spilled_bytes_ = spilled_bytes;
        if (used_ != 0 || spilled_ != 0 || wanted_ <= capacity_) return;
        spills_.clear();
        try {
            reserve(wanted_);  // once it was too small, it is large enough from then on
        } catch (...) {        // then the next one spills again
        }
    }

    detail::aligned_bytes block_;
    std::size_t capacity_ = 0;
    std::size_t used_ = 0;
    struct spilled_block {
        detail::aligned_bytes memory;
        std::size_t bytes = 0;
    };
    std::vector<spilled_block> spills_;  ///< those taken, then those kept for the next that do not fit
    std::size_t spilled_ = 0;            ///< how many are taken
    std::size_t spilled_bytes_ = 0;
    std::size_t wanted_ = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
