// fanfold/model/symbolic_shape.hpp - shapes known at load but for the number of rows, N.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/element.hpp"
#include "../core/shape.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// An extent that is linear in the number of rows: fixed + per_row * N.
///
/// errors   arithmetic that leaves 63 bits, or is not linear in N, throws std::invalid_argument
struct extent {
    std::int64_t fixed = 0;
    std::int64_t per_row = 0;

    constexpr extent() = default;
    constexpr extent(std::int64_t fixed_extent) : fixed(fixed_extent) {}
    constexpr extent(std::int64_t fixed_extent, std::int64_t extent_per_row)
        : fixed(fixed_extent), per_row(extent_per_row) {}

    [[nodiscard]] constexpr bool constant() const noexcept { return per_row == 0; }
    [[nodiscard]] constexpr std::int64_t at(std::size_t rows) const {
        std::int64_t product = 0;
        std::int64_t sum = 0;
        if (__builtin_mul_overflow(per_row, rows, &product) || __builtin_add_overflow(product, fixed, &sum))
            throw std::invalid_argument("extent " + text() + " is too large at N = " + std::to_string(rows));
        return sum;
    }

    [[nodiscard]] friend constexpr bool operator==(const extent&, const extent&) = default;
    [[nodiscard]] friend constexpr extent operator*(const extent& a, const extent& b) {
        if (!a.constant() && !b.constant())
            throw std::invalid_argument("the product of " + a.text() + " and " + b.text() + " is not linear in N");
        const extent& scaled = a.constant() ? b : a;
        const std::int64_t factor = a.constant() ? a.fixed : b.fixed;
        extent out;
        if (__builtin_mul_overflow(scaled.fixed, factor, &out.fixed) ||
            __builtin_mul_overflow(scaled.per_row, factor, &out.per_row))
            throw std::invalid_argument("the product of extents " + a.text() + " and " + b.text() + " is too large");
        return out;
    }

    /// "28", "N", "3N", "N + 1"
    [[nodiscard]] std::string text() const {
        if (constant()) return std::to_string(fixed);
        const std::string rows = (per_row == 1 ? "" : std::to_string(per_row)) + "N";
        return fixed == 0 ? rows : rows + " + " + std::to_string(fixed);
    }
};

inline constexpr extent rows_extent{0, 1};

/// Extents, outermost first.
class symbolic_shape {
public:
    symbolic_shape() = default;
    symbolic_shape(std::initializer_list<extent> extents) : extents_(extents) {}
    explicit symbolic_shape(std::vector<extent> extents) : extents_(std::move(extents)) {}
    symbolic_shape(const shape& fixed) : extents_(fixed.begin(), fixed.end()) {}

    [[nodiscard]] std::size_t rank() const noexcept { return extents_.size(); }
    [[nodiscard]] const extent& operator[](std::size_t axis) const { return extents_.at(axis); }
    [[nodiscard]] extent& operator[](std::size_t axis) { return extents_.at(axis); }
    [[nodiscard]] auto begin() const noexcept { return extents_.begin(); }
    [[nodiscard]] auto end() const noexcept { return extents_.end(); }

    [[nodiscard]] bool constant() const noexcept {
        for (const extent& e : extents_)
            if (!e.constant()) return false;
        return true;
    }
    /// Axis 0 is a multiple of N and no other axis depends on N: rows lie one after another.
    [[nodiscard]] bool rows_lead() const noexcept {
        if (rank() == 0 || extents_[0].fixed != 0 || extents_[0].per_row <= 0) return false;
        for (std::size_t axis = 1; axis < rank(); ++axis)
            if (!extents_[axis].constant()) return false;
        return true;
    }
    /// The product of extents [first, last).
    [[nodiscard]] extent volume(std::size_t first, std::size_t last) const {
        extent product = 1;
        for (std::size_t axis = first; axis < last; ++axis) product = product * extents_[axis];
        return product;
    }
    /// The shape for `rows` rows; throws std::invalid_argument when that is negative or too large.
    [[nodiscard]] shape at(std::size_t rows) const {
        std::array<std::int64_t, shape::max_rank> extents{};
        if (rank() > extents.size()) throw std::invalid_argument("rank " + std::to_string(rank()) + " is above 8");
        for (std::size_t axis = 0; axis < rank(); ++axis) extents[axis] = extents_[axis].at(rows);
        return shape(std::span<const std::int64_t>(extents.data(), rank()));
    }
    [[nodiscard]] friend bool operator==(const symbolic_shape&, const symbolic_shape&) = default;

    /// "[N, 6, 28, 28]"
    [[nodiscard]] std::string text() const {
        std::string out = "[";
        for (std::size_t axis = 0; axis < rank(); ++axis) out += (axis == 0 ? "" : ", ") + extents_[axis].text();
        return out + "]";
    }

private:
    std::vector<extent> extents_;
};

/// What travels along one edge of a graph.
struct value_type {
    element type = element::float32;
    symbolic_shape shape;

    [[nodiscard]] friend bool operator==(const value_type&, const value_type&) = default;
    /// "float32 [N, 6, 28, 28]"
    [[nodiscard]] std::string text() const { return std::string(name_of(type)) + " " + shape.text(); }
};

}  // namespace fanfold::inline FANFOLD_ABI
