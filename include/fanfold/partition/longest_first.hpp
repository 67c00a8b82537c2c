// fanfold/partition/longest_first.hpp - what costs most comes first, so that what is claimed last is small (LPT).
//   in    workload.rows, a cost for each      out   shards by descending cost
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::push_heap
#include <cstddef>    // std::size_t
#include <numeric>    // std::iota
#include <stdexcept>  // std::invalid_argument
#include <utility>    // std::pair
#include <vector>     // std::vector

#include "per_row.hpp"
#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Sorts rows by cost and cuts them for workers that claim one shard after the other: costly rows alone, cheap ones
/// together, ever less of what is left in a shard (at most half of a worker's part, 64 rows). With `rows_per_shard`,
/// that many neighbours in the sorted order. With `shards`, exactly so many (or as many as there are rows): each row
/// goes to the shard that costs least so far; for workers that get one shard each and take nothing over.
///
/// example  longest_first{.cost = std::vector{1.0, 9.0, 2.0}, .rows_per_shard = 1}({.rows = 3})   ->  {1} {2} {0}
/// result   claimed in this order on m workers, single rows end within 4/3 - 1/(3m) of the best possible end; so do
///          `shards` = m (Graham 1969)
/// cost     O(rows log rows) time, O(rows) memory
/// errors   throws std::invalid_argument without costs, when a list has other rows than the batch, for a cost that is
///          negative or not finite, and when shards and rows_per_shard are both given
/// threads  re-entrant; equal input gives an equal plan
struct longest_first {
    row_cost cost = {};
    std::size_t shards = 0;
    std::size_t rows_per_shard = 0;

    template <class = void>
    [[nodiscard]] plan operator()(const workload& w) const {
        if (shards != 0 && rows_per_shard != 0)
            throw std::invalid_argument("longest_first: give shards or rows_per_shard, not both");
        const std::vector<double> costs = detail::checked_costs(cost, w.rows, "longest_first: costs");
        plan sorted;
        if (w.rows == 0) return sorted;
        sorted.order.resize(w.rows);
        std::iota(sorted.order.begin(), sorted.order.end(), std::size_t{0});
        std::sort(sorted.order.begin(), sorted.order.end(),
                  [&](std::size_t a, std::size_t b) { return costs[a] != costs[b] ? costs[a] > costs[b] : a < b; });
        if (shards != 0) return spread(sorted.order, costs);
        if (rows_per_shard != 0) {
            for (std::size_t row = 0; row < w.rows; sorted.cuts.push_back(row))
                row += std::min(rows_per_shard, w.rows - row);
            return sorted;
        }
        return taper(std::move(sorted), costs, std::max<std::size_t>(w.workers, 1));
    }

private:
    /// Descending shards by the totals of their rows, equal ones in the order that they have.
    template <class = void>
    static plan by_total(const plan& p, const std::vector<double>& costs) {
        std::vector<std::pair<double, std::size_t>> totals(p.shards());
        for (std::size_t s = 0; s < p.shards(); ++s) {
            totals[s].second = s;
            for (std::size_t at = 0; at < p.rows_of(s); ++at) totals[s].first += costs[p.row(s, at)];
        }
        std::sort(totals.begin(), totals.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first > b.first : a.second < b.second;
        });
        plan sorted;
        sorted.order.reserve(p.order.size());
        for (const auto& [total, s] : totals) {
            for (std::size_t at = 0; at < p.rows_of(s); ++at) sorted.order.push_back(p.row(s, at));
            sorted.cuts.push_back(sorted.order.size());
        }
        return sorted;
    }

    template <class = void>
    static plan taper(plan sorted, const std::vector<double>& costs, std::size_t workers) {
        double left = 0;
        for (const double c : costs) left += c;
        double taken = 0;
        for (std::size_t at = 0; at < costs.size();) {
            const double most = (left - taken) / (2 * static_cast<double>(workers));
            const std::size_t first = at;
            double sum = 0;
            do sum += costs[sorted.order[at++]];
            while (at < costs.size() && at - first < 64 && sum + costs[sorted.order[at]] <= most);
            taken += sum;
            sorted.cuts.push_back(at);
        }
        return by_total(sorted, costs);
    }

    template <class = void>
    [[nodiscard]] plan spread(const std::vector<std::size_t>& order, const std::vector<double>& costs) const {
        const std::size_t count = std::min(shards, order.size());
        using loaded = std::pair<double, std::size_t>;  // a shard's total, its number
        const auto lighter_on_top = [](const loaded& a, const loaded& b) { return a > b; };
        std::vector<loaded> heap(count);
        for (std::size_t s = 0; s < count; ++s) heap[s].second = s;
        std::vector<std::size_t> shard_of(order.size()), ends(count + 1);
        for (std::size_t at = 0; at < order.size(); ++at) {
            if (at < count) {  // none stays empty, where rows cost nothing either
                heap[at].first = costs[order[at]];
                shard_of[order[at]] = at;
                ++ends[at + 1];
                if (at + 1 == count) std::make_heap(heap.begin(), heap.end(), lighter_on_top);
                continue;
            }
            std::pop_heap(heap.begin(), heap.end(), lighter_on_top);
            heap.back().first += costs[order[at]];
            shard_of[order[at]] = heap.back().second;
            ++ends[heap.back().second + 1];
            std::push_heap(heap.begin(), heap.end(), lighter_on_top);
        }
        plan cut;
        for (std::size_t s = 0; s < count; ++s) cut.cuts.push_back(ends[s + 1] += ends[s]);
        cut.order.resize(order.size());
        for (std::size_t row = 0; row < order.size(); ++row) cut.order[ends[shard_of[row]]++] = row;
        return by_total(cut, costs);
    }
};
static_assert(partitioner<longest_first>);

}  // namespace fanfold::inline FANFOLD_ABI
