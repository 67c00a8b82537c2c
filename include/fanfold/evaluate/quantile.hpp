// fanfold/evaluate/quantile.hpp - which latency a share of all attempts stayed at or below.
// SPDX-License-Identifier: MIT
#pragma once
#include <cmath>      // std::ceil
#include <cstddef>    // std::size_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::to_string

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// The smallest value that at least `share` of all values do not exceed: always one that was measured.
///
/// example  quantile({10, 20, 30, 40}, 0.5)  ->  20
/// requires ascending values
/// errors   throws std::invalid_argument unless 0 <= share <= 1; no values give 0
/// source   the nearest-rank method
template <class = void>
[[nodiscard]] double quantile(std::span<const double> ascending, double share) {
    if (!(share >= 0 && share <= 1))
        throw std::invalid_argument("quantile: a share of " + std::to_string(share) + " is not in [0, 1]");
    if (ascending.empty()) return 0;
    // 0.95 * 20 is a little more than 19 in binary: a rank that is whole up to rounding is that whole.
    const double exact = share * static_cast<double>(ascending.size());
    const auto rank = static_cast<std::size_t>(std::ceil(exact - exact * 1e-12));
    return ascending[rank == 0 ? 0 : rank - 1];
}

}  // namespace fanfold::inline FANFOLD_ABI
