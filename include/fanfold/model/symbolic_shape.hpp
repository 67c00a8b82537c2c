// fanfold/model/symbolic_shape.hpp - shapes known at load but for the number of rows, N, and for what a run tells.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>      // std::array
#include <cstdint>    // std::int64_t
#include <optional>   // std::optional
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <vector>     // std::vector

#include "../core/element.hpp"
#include "../core/shape.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// An extent that is linear in the number of rows, fixed + per_row * N, or unknown until the run.
///
/// errors   arithmetic that leaves 63 bits throws std::invalid_argument; what is not linear in N is unknown
struct extent {
    std::int64_t fixed = 0;
    std::int64_t per_row = 0;

    constexpr extent() = default;
    constexpr extent(std::int64_t fixed_extent) : fixed(fixed_extent) {}
    constexpr extent(std::int64_t fixed_extent, std::int64_t extent_per_row)
        : fixed(fixed_extent), per_row(extent_per_row) {}
    [[nodiscard]] static constexpr extent unknown() noexcept { return {0, INT64_MIN}; }

    [[nodiscard]] constexpr bool known() const noexcept { return per_row != INT64_MIN; }
    [[nodiscard]] constexpr bool constant() const noexcept { return per_row == 0; }
    [[nodiscard]] constexpr bool depends_on_rows() const noexcept { return known() && per_row != 0; }
    /// errors   throws std::invalid_argument when it is unknown, or too large
    [[nodiscard]] constexpr std::int64_t at(std::size_t rows) const {
        if (per_row == 0) return fixed;
        if (!known()) throw std::invalid_argument("expected an extent known before the run, got ?");
        std::int64_t product = 0;
        std::int64_t sum = 0;
        if (__builtin_mul_overflow(per_row, rows, &product) || __builtin_add_overflow(product, fixed, &sum))
            throw std::invalid_argument("extent " + text() + " is too large at N = " + std::to_string(rows));
        return sum;
    }

    /// The N for which it is `length`; empty when there is none, or it does not tell.
    [[nodiscard]] constexpr std::optional<std::size_t> rows_at(std::int64_t length) const noexcept {
        std::int64_t left = 0;
        if (!depends_on_rows() || __builtin_sub_overflow(length, fixed, &left) || left == INT64_MIN)
            return std::nullopt;
        if (left % per_row != 0 || left / per_row < 0) return std::nullopt;
        return static_cast<std::size_t>(left / per_row);
    }

    /// Equal whatever N is; an unknown extent equals none, itself included: see may_equal.
    [[nodiscard]] friend constexpr bool operator==(const extent& a, const extent& b) noexcept {
        return a.known() && a.fixed == b.fixed && a.per_row == b.per_row;
    }
    [[nodiscard]] friend constexpr bool may_equal(const extent& a, const extent& b) noexcept {
        return !a.known() || !b.known() || a == b;
    }
    [[nodiscard]] friend constexpr extent operator+(const extent& a, const extent& b) {
        if (!a.known() || !b.known()) return unknown();
        extent out;
        if (__builtin_add_overflow(a.fixed, b.fixed, &out.fixed) ||
            __builtin_add_overflow(a.per_row, b.per_row, &out.per_row))
            throw std::invalid_argument("the sum of extents " + a.text() + " and " + b.text() + " is too large");
        return out;
    }
    [[nodiscard]] friend constexpr extent operator-(const extent& a, const extent& b) { return a + b * extent(-1); }
    [[nodiscard]] friend constexpr extent operator*(const extent& a, const extent& b) {
        if (a == extent(0) || b == extent(0)) return 0;
        if (!a.known() || !b.known() || (!a.constant() && !b.constant())) return unknown();
        const extent& scaled = a.constant() ? b : a;
        const std::int64_t factor = a.constant() ? a.fixed : b.fixed;
        extent out;
        if (__builtin_mul_overflow(scaled.fixed, factor, &out.fixed) ||
            __builtin_mul_overflow(scaled.per_row, factor, &out.per_row))
            throw std::invalid_argument("the product of extents " + a.text() + " and " + b.text() + " is too large");
        return out;
    }
    /// a / b where that is exact for every N, or both are constant (rounded down); else unknown. Division by 0 too.
    [[nodiscard]] friend constexpr extent operator/(const extent& a, const extent& b) {
        if (!a.known() || !b.known()) return unknown();
        if (a.constant() && b.constant()) {
            if (b.fixed == 0 || (b.fixed == -1 && a.fixed == INT64_MIN)) return unknown();
            const std::int64_t down = a.fixed % b.fixed != 0 && (a.fixed < 0) != (b.fixed < 0) ? 1 : 0;
            return a.fixed / b.fixed - down;
        }
        const std::int64_t q = b.constant() ? 0 : a.per_row / b.per_row;
        if (!b.constant()) return a.per_row % b.per_row == 0 && extent(q) * b == a ? extent(q) : unknown();
        if (b.fixed == 0 || b.fixed == -1 || a.fixed % b.fixed != 0 || a.per_row % b.fixed != 0) return unknown();
        return {a.fixed / b.fixed, a.per_row / b.fixed};
    }

    /// "28", "N", "3N", "N + 1", "?"
    [[nodiscard]] std::string text() const {
        if (!known()) return "?";
        if (constant()) return std::to_string(fixed);
        const std::string rows = (per_row == 1 ? "" : std::to_string(per_row)) + "N";
        return fixed == 0 ? rows : rows + " + " + std::to_string(fixed);
    }
};

inline constexpr extent rows_extent{0, 1};

/// Extents, outermost first, held inline; or not even their number.
///
/// errors   throws std::invalid_argument on a rank above shape::max_rank, and where an extent is asked for although
///          the rank is unknown
class symbolic_shape {
public:
    constexpr symbolic_shape() = default;
    constexpr symbolic_shape(std::initializer_list<extent> extents)
        : symbolic_shape(std::span<const extent>(extents.begin(), extents.size())) {}
    explicit symbolic_shape(const std::vector<extent>& extents) : symbolic_shape(std::span<const extent>(extents)) {}
    explicit constexpr symbolic_shape(std::span<const extent> extents) {
        for (const extent& e : extents) push_back(e);
    }
    symbolic_shape(const shape& fixed) {
        for (const std::int64_t e : fixed) push_back(e);
    }
    [[nodiscard]] static symbolic_shape unknown() {
        symbolic_shape made;
        made.rank_ = unknown_rank;
        return made;
    }
    /// `rank` unknown extents.
    [[nodiscard]] static symbolic_shape of_rank(std::size_t rank) {
        symbolic_shape made;
        while (rank-- != 0) made.push_back(extent::unknown());
        return made;
    }

    [[nodiscard]] bool ranked() const noexcept { return rank_ != unknown_rank; }
    [[nodiscard]] std::size_t rank() const {
        if (!ranked()) throw std::invalid_argument("expected a value of known rank, got one known at run time only");
        return rank_;
    }
    [[nodiscard]] const extent& operator[](std::size_t axis) const { return extents_.at(axis); }
    [[nodiscard]] extent& operator[](std::size_t axis) { return extents_.at(axis); }
    [[nodiscard]] const extent* begin() const { return extents_.data(); }
    [[nodiscard]] const extent* end() const { return extents_.data() + rank(); }
    constexpr void push_back(const extent& e) {
        if (rank_ >= shape::max_rank)
            throw std::invalid_argument("rank " + std::to_string(rank_ + 1) + " is above " +
                                        std::to_string(shape::max_rank));
        extents_[rank_++] = e;
    }

    /// Known for every number of rows.
    [[nodiscard]] bool known() const noexcept {
        if (!ranked()) return false;
        for (const extent& e : *this)
            if (!e.known()) return false;
        return true;
    }
    [[nodiscard]] bool constant() const noexcept {
        if (!ranked()) return false;
        for (const extent& e : *this)
            if (!e.constant()) return false;
        return true;
    }
    [[nodiscard]] bool depends_on_rows() const noexcept {
        if (!ranked()) return false;
        for (const extent& e : *this)
            if (e.depends_on_rows()) return true;
        return false;
    }
    /// The one axis that counts rows, as N or a multiple of it; empty when none does, several do, or it cannot be told.
    [[nodiscard]] std::optional<std::size_t> row_axis() const noexcept {
        std::optional<std::size_t> found;
        if (!known()) return found;
        for (std::size_t axis = 0; axis < rank_; ++axis) {
            if (extents_[axis].constant()) continue;
            if (found || extents_[axis].fixed != 0 || extents_[axis].per_row < 0) return std::nullopt;
            found = axis;
        }
        return found;
    }
    /// Axis 0 is a multiple of N and no other axis depends on N: rows lie one after another.
    [[nodiscard]] bool rows_lead() const noexcept { return row_axis() == std::size_t{0}; }
    /// The product of extents [first, last).
    [[nodiscard]] extent volume(std::size_t first, std::size_t last) const {
        extent product = 1;
        for (std::size_t axis = first; axis < last; ++axis) product = product * extents_[axis];
        return product;
    }
    [[nodiscard]] extent volume() const { return volume(0, rank()); }
    /// The shape for `rows` rows; throws std::invalid_argument when that is unknown, negative or too large.
    [[nodiscard]] shape at(std::size_t rows) const {
        std::array<std::int64_t, shape::max_rank> extents{};
        for (std::size_t axis = 0; axis < rank(); ++axis) extents[axis] = extents_[axis].at(rows);
        return shape(std::span<const std::int64_t>(extents.data(), rank_));
    }
    [[nodiscard]] friend bool operator==(const symbolic_shape& a, const symbolic_shape& b) {
        if (!a.ranked() || a.rank_ != b.rank_) return false;
        for (std::size_t axis = 0; axis < a.rank_; ++axis)
            if (!(a.extents_[axis] == b.extents_[axis])) return false;
        return true;
    }
    [[nodiscard]] friend bool may_equal(const symbolic_shape& a, const symbolic_shape& b) {
        if (!a.ranked() || !b.ranked()) return true;
        if (a.rank_ != b.rank_) return false;
        for (std::size_t axis = 0; axis < a.rank_; ++axis)
            if (!may_equal(a.extents_[axis], b.extents_[axis])) return false;
        return true;
    }

    /// "[N, 6, 28, 28]", "[..]" when the rank is unknown
    [[nodiscard]] std::string text() const {
        if (!ranked()) return "[..]";
        std::string out = "[";
        for (std::size_t axis = 0; axis < rank_; ++axis) out += (axis == 0 ? "" : ", ") + extents_[axis].text();
        return out + "]";
    }

private:
    static constexpr std::size_t unknown_rank = SIZE_MAX;

    std::array<extent, shape::max_rank> extents_{};
    std::size_t rank_ = 0;
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
