// bench/median.hpp - the middle of measured values.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::nth_element
#include <cstddef>    // std::ptrdiff_t
#include <vector>     // std::vector

/// requires values not empty; of an even number the upper one of the two in the middle
[[nodiscard]] inline double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}
