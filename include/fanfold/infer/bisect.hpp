// fanfold/infer/bisect.hpp - halves a set of rows that fails until the rows that fail stand alone: pure, runs nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort
#include <array>      // std::array
#include <cstddef>    // std::size_t
#include <optional>   // std::optional
#include <vector>     // std::vector

#include "../config.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Neighbours in a list of rows: first, first + 1, ..., first + rows - 1.
struct row_range {
    std::size_t first = 0;
    std::size_t rows = 0;

    [[nodiscard]] friend constexpr bool operator==(const row_range&, const row_range&) = default;
};

/// The two parts of a range of at least two rows that failed; the first is the longer one by at most a row.
///
/// cost     where every part that fails is halved again and k of n rows are at fault, 2k ceil(log2 n) + 1 calls at
///          most, that of the whole included
[[nodiscard]] constexpr std::array<row_range, 2> halves(row_range failed) noexcept {
    const std::size_t left = failed.rows - failed.rows / 2;
    return {{{failed.first, left}, {failed.first + left, failed.rows - left}}};
}

/// Finds the rows at fault for a caller that runs the parts, one at a time or several at once:
///
///     bisection search(requests.size());             // positions in whatever list the caller has
///     while (const auto part = search.next())
///         run(requests, *part) ? search.passed(*part) : search.failed(*part);
///     search.poison();                               // each failed alone; all others were in a part that passed
///
/// A caller whose whole set has failed already says so at once: `search.failed(*search.next())`. Who runs parts at once
/// asks `next` until it is empty, reports, and asks again until `finished`.
///
/// cost     as halves() says; O(1) a call, memory for the parts that wait
/// requires passed or failed once for each part that next gave
/// threads  one user at a time
template <class>
class basic_bisection {
public:
    explicit basic_bisection(std::size_t rows) {
        if (rows != 0) waiting_.push_back({0, rows});
    }

    /// A part to run; empty when none waits: all is found out, or what is running decides.
    [[nodiscard]] std::optional<row_range> next() {
        if (waiting_.empty()) return std::nullopt;
        const row_range part = waiting_.back();
        waiting_.pop_back();
        ++running_;
        return part;
    }
    void passed(row_range) { --running_; }
    void failed(row_range part) {
        --running_;
        if (part.rows == 1) {
            poison_.push_back(part.first);
            return;
        }
        const auto [left, right] = halves(part);
        waiting_.push_back(right);
        waiting_.push_back(left);
    }

    [[nodiscard]] bool finished() const noexcept { return running_ == 0 && waiting_.empty(); }
    /// Rows found to be at fault so far, ascending.
    [[nodiscard]] std::vector<std::size_t> poison() const {
        std::vector<std::size_t> rows = poison_;
        std::sort(rows.begin(), rows.end());
        return rows;
    }

private:
    std::vector<row_range> waiting_;
    std::vector<std::size_t> poison_;
    std::size_t running_ = 0;
};
using bisection = basic_bisection<void>;

}  // namespace fanfold::inline FANFOLD_ABI
