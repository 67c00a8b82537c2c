// fanfold/core/shape.hpp - the extents of a tensor, held inline: copying a shape allocates nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>         // std::equal, std::copy
#include <array>             // std::array
#include <cstddef>           // std::size_t
#include <cstdint>           // std::int64_t
#include <initializer_list>  // std::initializer_list
#include <span>              // std::span
#include <stdexcept>         // std::invalid_argument
#include <string>            // std::string
#include <utility>           // std::exchange

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Extents, outermost first (row-major). At most `max_rank` of them; every extent is >= 0.
///
/// errors   throws std::invalid_argument on a negative extent, a rank above `max_rank`, or extents whose product,
///          zeros left out, does not fit 63 bits
class shape {
public:
    static constexpr std::size_t max_rank = 8;

    constexpr shape() = default;
    constexpr shape(std::initializer_list<std::int64_t> extents)
        : shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
    explicit constexpr shape(std::span<const std::int64_t> extents) : rank_(checked_rank(extents.size())) {
        for (std::size_t axis = 0; axis < rank_; ++axis) extents_[axis] = extents[axis];
        (void)volume();
    }

    [[nodiscard]] constexpr std::size_t rank() const noexcept { return rank_; }
    [[nodiscard]] constexpr std::int64_t operator[](std::size_t axis) const { return extents_[axis]; }
    [[nodiscard]] constexpr const std::int64_t* begin() const noexcept { return extents_.data(); }
    [[nodiscard]] constexpr const std::int64_t* end() const noexcept { return extents_.data() + rank_; }

    /// Number of elements; 1 for rank 0.
    [[nodiscard]] constexpr std::size_t volume() const {
        std::int64_t count = 1;
        bool empty = false;
        for (const std::int64_t extent : *this) {
            if (extent < 0) throw std::invalid_argument("shape: negative extent in " + text());
            if (extent == 0)
                empty = true;
            else if (__builtin_mul_overflow(count, extent, &count))
                throw std::invalid_argument("shape: more elements than 63 bits can count in " + text());
        }
        return empty ? 0 : static_cast<std::size_t>(count);
    }

    /// The same shape with `extent` at `axis`; throws std::invalid_argument when there is no such axis.
    [[nodiscard]] constexpr shape with(std::size_t axis, std::int64_t extent) const {
        shape changed = *this;
        changed.set(axis, extent);
        return changed;
    }
    /// From now on `extent` at `axis`; errors as `with`.
    constexpr void set(std::size_t axis, std::int64_t extent) {
        if (axis >= rank_) refuse_axis(axis);
        const std::int64_t before = std::exchange(extents_[axis], extent);
        if (extent < 0 || extent > before) (void)volume();  // a smaller one fits as the one before does
    }

    [[nodiscard]] friend constexpr bool operator==(const shape& a, const shape& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

    /// "[10000, 1, 28, 28]"
    [[nodiscard]] std::string text() const {
        std::string out = "[";
        for (std::size_t axis = 0; axis < rank_; ++axis) {
            if (axis != 0) out += ", ";
            out += std::to_string(extents_[axis]);
        }
        return out += "]";
    }

private:
    [[noreturn, gnu::cold, gnu::noinline]] void refuse_axis(std::size_t axis) const {
        throw std::invalid_argument("shape: no axis " + std::to_string(axis) + " in " + text());
    }
    static constexpr std::size_t checked_rank(std::size_t rank) {
        if (rank > max_rank)
            throw std::invalid_argument("shape: rank " + std::to_string(rank) + ", at most " +
                                        std::to_string(max_rank));
        return rank;
    }

    std::array<std::int64_t, max_rank> extents_{};
    std::size_t rank_ = 0;
};

/// Distance between neighbours along each axis, in elements; the axes of `shape` in the same order.
using strides = std::array<std::int64_t, shape::max_rank>;

/// The strides of a dense row-major tensor.
[[nodiscard]] constexpr strides dense_strides(const shape& extents) noexcept {
    strides steps{};
    std::int64_t step = 1;
    for (std::size_t axis = extents.rank(); axis-- > 0;) {
        steps[axis] = step;
        step *= std::max<std::int64_t>(extents[axis], 1);
    }
    return steps;
}

}  // namespace fanfold::inline FANFOLD_ABI
