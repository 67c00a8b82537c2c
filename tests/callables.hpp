// tests/callables.hpp - rows and models that many tests share.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace callables {

/// 0, 1, 2, ...
inline std::vector<float> ramp(std::size_t count) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
}

inline const auto sine = [](std::span<const float> rows) {
    std::vector<float> out(rows.begin(), rows.end());
    for (float& value : out) value = std::sin(value);
    return out;
};

inline const auto twice = [](std::span<const float> rows) {
    std::vector<float> answers;
    for (const float x : rows) answers.push_back(2 * x);
    return answers;
};

}  // namespace callables
