// fanfold/partition/cost_model.hpp - what rows cost, learned from what shards took:
// the next plan is better than the last.
//   in    a hint for each row, then plans and timelines of jobs      out   a cost for each row
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::clamp
#include <array>      // std::array
#include <cmath>      // std::log2
#include <cstddef>    // std::size_t
#include <vector>     // std::vector

#include "../context/events.hpp"
#include "per_row.hpp"
#include "plan.hpp"

namespace fanfold::inline FANFOLD_ABI {

/// Costs of rows by a feature of theirs: bytes, a length, or anything that grows or falls with what they take. Until
/// something was learned a row costs its feature, as a hint. Rows whose features are within a quarter of an octave are
/// taken to cost alike, in proportion to the feature; what a shard took is split among its rows by what they seemed to
/// cost so far, again and again, so that shards of several rows teach as well, most about the rows that take most.
///      Where nothing was seen the nearest that
/// was says how hint and cost relate. Each job learned halves the weight of those before it.
///
/// example  cost_model model;
///          model.learn(job.shards, job.events, lengths);
///          infer(cores, network, rows, {.partition = longest_first{.cost = model.costs(lengths, rows_in_batch)}});
/// cost     learn: O(rows) and 20 passes over shards times the bins in them; 5 KiB
/// threads  const use from any thread
/// source   the split is Richardson 1972 and Lucy 1974 (expectation maximization for a sum of parts)
class cost_model {
public:
    /// Seconds for a row with this feature; the feature itself before anything was learned.
    template <class = void>
    [[nodiscard]] double operator()(double feature) const {
        return std::max(feature, least) * factor(bin_of(feature));
    }

    /// For all rows of a batch.
    template <class = void>
    [[nodiscard]] std::vector<double> costs(const row_cost& feature, std::size_t rows) const {
        std::vector<double> all = detail::checked_costs(feature, rows, "cost_model: features");
        for (double& one : all) one = (*this)(one);
        return all;
    }

    /// Takes in what the attempts that succeeded took; `feature` of the rows of that batch.
    ///
    /// errors   throws std::invalid_argument for features that are no costs, or of another batch
    template <class = void>
    void learn(const plan& shards, const timeline& events, const row_cost& feature) {
        if (shards.shards() == 0) return;
        const std::vector<double> features = detail::checked_costs(feature, shards.cuts.back(), "cost_model: features");
        std::vector<measured> seen;
        std::vector<share> shares;
        for (const event& e : events.attempts) {
            if (e.fault || e.shard >= shards.shards() || e.rows != shards.rows_of(e.shard)) continue;
            const double took = std::chrono::duration<double>(e.finished - e.started).count();
            if (took <= 0) continue;
            seen.push_back({took, shares.size(), 0});
            std::array<double, bins> sum{};
            for (std::size_t at = 0; at < e.rows; ++at) {
                const double x = features[shards.row(e.shard, at)];
                sum[bin_of(x)] += std::max(x, least);
            }
            for (std::size_t b = 0; b < bins; ++b)
                if (sum[b] > 0) shares.push_back({b, sum[b]});
            seen.back().end = shares.size();
        }
        if (seen.empty()) return;
        for (bin& one : bins_) {
            one.features /= 2;
            one.seconds /= 2;
        }
        add(split(seen, shares), shares);
    }

    /// How often `learn` found something to learn from.
    [[nodiscard]] std::size_t jobs() const noexcept { return jobs_; }

private:
    static constexpr std::size_t bins = 320;  // four an octave, from 2^-40 to 2^40
    static constexpr double least = 0x1p-40;

    struct bin {
        double features = 0;
        double seconds = 0;
    };
    /// A shard's features that fall into one bin.
    struct share {
        std::size_t bin;
        double features;
    };
    struct measured {
        double seconds;
        std::size_t begin, end;  // of its shares
    };

    [[nodiscard]] static std::size_t bin_of(double feature) {
        if (!(feature > least)) return 0;
        return static_cast<std::size_t>(std::clamp(4 * (std::log2(feature) + 40), 0.0, static_cast<double>(bins - 1)));
    }

    [[nodiscard]] double factor(std::size_t b) const {
        if (jobs_ == 0) return 1;
        for (std::size_t off = 0; off < bins; ++off)
            for (const std::size_t at : {b - off, b + off})  // one that wraps around is out of range
                if (at < bins && bins_[at].features > 0) return bins_[at].seconds / bins_[at].features;
        return 1;
    }

    /// Seconds of each share.
    [[nodiscard]] std::vector<double> split(const std::vector<measured>& seen, const std::vector<share>& shares) const {
        std::array<double, bins> rate{};
        for (const share& one : shares) rate[one.bin] = factor(one.bin);
        std::vector<double> seconds(shares.size());
        for (int pass = 0; pass < 20; ++pass) {
            std::array<bin, bins> sums{};
            for (const measured& one : seen) {
                double expected = 0;
                for (std::size_t s = one.begin; s < one.end; ++s) expected += shares[s].features * rate[shares[s].bin];
                for (std::size_t s = one.begin; s < one.end; ++s) {
                    const share& part = shares[s];
                    seconds[s] = one.seconds * part.features * rate[part.bin] / expected;
                    sums[part.bin].features += part.features;
                    sums[part.bin].seconds += seconds[s];
                }
            }
            for (std::size_t b = 0; b < bins; ++b)
                if (sums[b].features > 0) rate[b] = sums[b].seconds / sums[b].features;
        }
        return seconds;
    }

    void add(const std::vector<double>& seconds, const std::vector<share>& shares) {
        for (std::size_t s = 0; s < shares.size(); ++s) {
            bins_[shares[s].bin].features += shares[s].features;
            bins_[shares[s].bin].seconds += seconds[s];
        }
        ++jobs_;
    }

    std::array<bin, bins> bins_{};
    std::size_t jobs_ = 0;
};

}  // namespace fanfold::inline FANFOLD_ABI
