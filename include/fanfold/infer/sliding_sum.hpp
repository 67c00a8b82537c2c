// fanfold/infer/sliding_sum.hpp - a sum of what came in the last seconds.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::max, std::min
#include <array>      // std::array
#include <cstddef>    // std::size_t

#include "../context/clock.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace detail {

/// Remembers for `span`, to a tenth of it.
///
/// requires time that does not run backwards
template <class>
class basic_sliding_sum {
public:
    explicit basic_sliding_sum(duration span) : slice_(std::max<duration>(span / slices, duration(1))) {}

    void add(time_point now, double amount) {
        advance(now);
        sums_[static_cast<std::size_t>(newest_ % slices)] += amount;
    }
    /// Adds what came at an even rate since `from`.
    void spread(time_point from, time_point now, double amount) {
        const duration::rep first = number(from);
        const duration::rep last = number(now);
        if (first >= last) return add(now, amount);
        const double each = amount / static_cast<double>((now - from).count());
        for (duration::rep n = std::max(first, last - slices + 1); n <= last; ++n) {
            const duration::rep begin = std::max(n * slice_.count(), from.time_since_epoch().count());
            const duration::rep end = std::min((n + 1) * slice_.count(), now.time_since_epoch().count());
            add(time_point(duration(begin)), each * static_cast<double>(end - begin));
        }
        advance(now);
    }
    [[nodiscard]] double sum(time_point now) {
        advance(now);
        double total = 0;
        for (const double s : sums_) total += s;
        return total;
    }

private:
    static constexpr duration::rep slices = 10;

    [[nodiscard]] duration::rep number(time_point when) const { return when.time_since_epoch() / slice_; }
    void advance(time_point now) {
        const duration::rep n = number(now);
        for (duration::rep gone = std::max(newest_ + 1, n - slices + 1); gone <= n; ++gone)
            sums_[static_cast<std::size_t>(gone % slices)] = 0;
        newest_ = std::max(newest_, n);
    }

    duration slice_;
    std::array<double, static_cast<std::size_t>(slices)> sums_{};
    duration::rep newest_ = 0;
};
using sliding_sum = basic_sliding_sum<void>;

}  // namespace detail
}  // namespace fanfold::inline FANFOLD_ABI
