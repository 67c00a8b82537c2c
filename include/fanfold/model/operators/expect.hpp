// fanfold/model/operators/expect.hpp - how shape rules complain: what was expected, what came.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>        // std::array
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <vector>       // std::vector

#include "../argument.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Throws std::invalid_argument "expected A, got B".
[[noreturn]] inline void refuse(const std::string& expected, const std::string& got) {
    throw std::invalid_argument("expected " + expected + ", got " + got);
}

inline void expect_inputs(std::span<const argument> types, std::size_t count) {
    if (types.size() != count)
        refuse(std::to_string(count) + (count == 1 ? " input" : " inputs"), std::to_string(types.size()));
}

/// One of `size` axes; counts from the end when negative.
/// errors   throws std::invalid_argument when it is none of them
[[nodiscard]] inline std::size_t expect_axis(std::int64_t axis, std::size_t size) {
    const auto axes = static_cast<std::int64_t>(size);
    if (axis < -axes || axis >= axes)
        refuse("an axis in [" + std::to_string(-axes) + ", " + std::to_string(axes) + ")", std::to_string(axis));
    return static_cast<std::size_t>(axis < 0 ? axis + axes : axis);
}

/// Between `least` and `most` inputs, the first `least` of them given.
inline void expect_inputs(std::span<const argument> in, std::size_t least, std::size_t most) {
    bool fits = in.size() >= least && in.size() <= most;
    for (std::size_t i = 0; fits && i < least; ++i) fits = !in[i].absent;
    if (!fits) refuse(std::to_string(least) + " to " + std::to_string(most) + " inputs", std::to_string(in.size()));
}

/// Some axes of a shape, in place: it is made in every run.
class axis_list {
public:
    /// requires room for it: at most shape::max_rank
    void push_back(std::size_t axis) { axes_[count_++] = axis; }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t operator[](std::size_t i) const { return axes_[i]; }
    [[nodiscard]] const std::size_t* begin() const noexcept { return axes_.data(); }
    [[nodiscard]] const std::size_t* end() const noexcept { return axes_.data() + count_; }

private:
    std::array<std::size_t, shape::max_rank> axes_{};
    std::size_t count_ = 0;
};

/// The axes that `axes` names, each once, counted from 0.
/// errors   throws std::invalid_argument when one is none of `rank` axes, or is named twice, or there are too many
[[nodiscard]] inline axis_list expect_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
    if (axes.size() > shape::max_rank)  // an Unsqueeze's rank may be any
        refuse("at most " + std::to_string(shape::max_rank) + " axes", std::to_string(axes.size()));
    axis_list out;
    for (const std::int64_t axis : axes) {
        const std::size_t found = expect_axis(axis, rank);
        for (const std::size_t before : out)
            if (before == found) refuse("each axis once", "axis " + std::to_string(axis) + " twice");
        out.push_back(found);
    }
    return out;
}

[[nodiscard]] inline axis_list all_axes(std::size_t rank) {
    axis_list out;
    for (std::size_t axis = 0; axis < rank; ++axis) out.push_back(axis);
    return out;
}

/// The shape that a list of sizes spells, as far as it is known.
/// errors   throws std::invalid_argument when it is no list of int64, or lists a negative extent or too many
[[nodiscard]] inline symbolic_shape listed_shape(const argument& list) {
    if (list.type != element::int64 || (list.shape.ranked() && list.shape.rank() != 1))
        refuse("a list of int64", list.text());
    if (const auto sizes = sizes_in(list)) {
        for (const extent& size : *sizes)
            if (size.constant() && size.fixed < 0) refuse("extents of 0 or more", size.text());
        return symbolic_shape(*sizes);
    }
    if (!list.shape.ranked() || !list.shape[0].constant()) return symbolic_shape::unknown();
    if (list.shape[0].fixed > static_cast<std::int64_t>(shape::max_rank))
        refuse("at most " + std::to_string(shape::max_rank) + " extents", list.text());
    return symbolic_shape::of_rank(static_cast<std::size_t>(list.shape[0].fixed));
}

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
