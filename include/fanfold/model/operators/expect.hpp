// fanfold/model/operators/expect.hpp - how shape rules complain: what was expected, what came.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>      // std::size_t
#include <span>         // std::span
#include <stdexcept>    // std::invalid_argument
#include <string>       // std::string
#include <string_view>  // std::string_view

#include "../symbolic_shape.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Throws std::invalid_argument "expected A, got B".
[[noreturn]] inline void refuse(const std::string& expected, const std::string& got) {
    throw std::invalid_argument("expected " + expected + ", got " + got);
}

inline void expect_inputs(std::span<const value_type> types, std::size_t count) {
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

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
