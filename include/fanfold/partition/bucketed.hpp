// fanfold/partition/bucketed.hpp - rows of similar length together, so that little is padded.
//   in    workload.rows, a length for each, tokens per shard      out   shards by descending padded size
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::sort, std::min
#include <cstddef>    // std::size_t
#include <numeric>    // std::iota
#include <utility>    // std::move
#include <vector>     // std::vector

#include "per_row.hpp"
#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// What it costs to make the rows of each shard as long as its longest.
struct padding {
    std::size_t tokens = 0;  ///< of the rows themselves
    std::size_t padded = 0;  ///< with what is added to them

    /// The part of the padded tokens that is none of a row's: 0 to 1.
    [[nodiscard]] double waste() const noexcept {
        return padded == 0 ? 0 : 1 - static_cast<double>(tokens) / static_cast<double>(padded);
    }
};

/// Of any plan, to compare them.
template <class = void>
[[nodiscard]] padding padding_of(const plan& p, const row_length& length) {
    padding all;
    for (std::size_t s = 0; s < p.shards(); ++s) {
        std::size_t longest = 0;
        for (std::size_t at = 0; at < p.rows_of(s); ++at) {
            const std::size_t one = length(p.row(s, at));
            all.tokens += one;
            longest = std::max(longest, one);
        }
        all.padded += longest * p.rows_of(s);
    }
    return all;
}

/// No shard has more padded tokens than `tokens_per_shard`, nor more rows than `rows_per_shard`; a row that is too long
/// travels alone. Of all groupings that keep to that, this is one with the fewest shards, and of those with the fewest
/// shards one with the least padding.
///
/// example  bucketed{.length = std::vector{9, 2, 7, 1, 9, 3}, .tokens_per_shard = 18}({.rows = 6})
///            ->  {0 4} {5 1 3} {2}
/// cost     O(rows log rows) time, O(rows) memory
/// errors   throws std::invalid_argument without lengths, and when a list has other rows than the batch
/// threads  re-entrant; equal input gives an equal plan
/// source   least padding: divide and conquer over a Monge matrix, a layer for each number of shards
struct bucketed {
    row_length length = {};
    std::size_t tokens_per_shard = 0;  ///< 0: eight shards a worker, or what the longest row needs
    std::size_t rows_per_shard = 0;    ///< 0: no limit

    template <class Later = void>
    [[nodiscard]] plan operator()(const workload& w) const {
        const std::vector<std::size_t> lengths = length.of(w.rows, "bucketed: lengths");
        plan cut;
        if (w.rows == 0) return cut;
        cut.order.resize(w.rows);
        std::iota(cut.order.begin(), cut.order.end(), std::size_t{0});
        std::sort(cut.order.begin(), cut.order.end(), [&](std::size_t a, std::size_t b) {
            return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
        });
        basic_search<Later> search(w.rows);
        std::size_t tokens = 0;
        for (std::size_t at = 0; at < w.rows; ++at) tokens += search.sorted[at] = lengths[cut.order[at]];
        search.most_tokens = tokens_per_shard != 0
                                 ? tokens_per_shard
                                 : std::max(search.sorted[0], tokens / (8 * std::max<std::size_t>(w.workers, 1)));
        search.most_rows = rows_per_shard != 0 ? rows_per_shard : w.rows;
        return largest_first(cut.order, search.cuts(), search.sorted);
    }

private:
    /// Groups lie together in the sorted rows: regrouping others so makes no group's longest row longer.
    template <class>
    struct basic_search {
        explicit basic_search(std::size_t rows) : sorted(rows), padded(rows + 1), from(rows + 1) {}

        std::vector<std::size_t> sorted;  ///< lengths, descending
        std::size_t most_tokens = 0;
        std::size_t most_rows = 0;
        std::vector<std::size_t> padded;  ///< least tokens for the first rows with the fewest shards
        std::vector<std::size_t> from;    ///< where the last of those shards begins

        /// Where a shard that begins at `first` must end; never less for a later one.
        [[nodiscard]] std::size_t reach(std::size_t first) const {
            const std::size_t fitting = sorted[first] == 0 ? most_rows : most_tokens / sorted[first];
            return first + std::min({std::max<std::size_t>(fitting, 1), most_rows, sorted.size() - first});
        }

        [[nodiscard]] std::vector<std::size_t> cuts() {
            // ends that need one shard more than those of the layer before: (layer, reach(layer)]
            for (std::size_t before = 0, layer = 0; layer < sorted.size();) {
                const std::size_t next = reach(layer);
                solve(layer + 1, next, layer == 0 ? 0 : before + 1, layer);
                before = layer;
                layer = next;
            }
            std::vector<std::size_t> backwards{sorted.size()};
            while (backwards.back() != 0) backwards.push_back(from[backwards.back()]);
            return {backwards.rbegin(), backwards.rend()};
        }

        /// Ends [low, high], whose last shards begin in [first, last], the later the end the later.
        void solve(std::size_t low, std::size_t high, std::size_t first, std::size_t last) {
            if (low > high) return;
            const std::size_t end = low + (high - low) / 2;
            auto best = static_cast<std::size_t>(-1);
            for (std::size_t begin = first; begin <= last; ++begin) {
                if (reach(begin) < end) continue;
                const std::size_t sum = padded[begin] + (end - begin) * sorted[begin];
                if (sum >= best) continue;
                best = sum;
                from[end] = begin;
            }
            padded[end] = best;
            if (end > low) solve(low, end - 1, first, from[end]);
            solve(end + 1, high, from[end], last);
        }
    };

    template <class = void>
    static plan largest_first(const std::vector<std::size_t>& order, const std::vector<std::size_t>& cuts,
                              const std::vector<std::size_t>& sorted) {
        std::vector<std::size_t> shards(cuts.size() - 1);
        std::iota(shards.begin(), shards.end(), std::size_t{0});
        const auto size = [&](std::size_t s) { return (cuts[s + 1] - cuts[s]) * sorted[cuts[s]]; };
        std::sort(shards.begin(), shards.end(),
                  [&](std::size_t a, std::size_t b) { return size(a) != size(b) ? size(a) > size(b) : a < b; });
        plan cut;
        cut.order.reserve(order.size());
        for (const std::size_t s : shards) {
            for (std::size_t at = cuts[s]; at < cuts[s + 1]; ++at) cut.order.push_back(order[at]);
            cut.cuts.push_back(cut.order.size());
        }
        return cut;
    }
};
static_assert(partitioner<bucketed>);

}  // namespace fanfold::inline FANFOLD_ABI
