// fanfold/kernel/tree_ensemble.hpp - decision trees whose leaves add to scores.
//   in    rows of features [N, F]      out   scores [N, S]
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>  // std::min, std::max, std::sort
#include <cstddef>    // std::size_t
#include <cstdint>    // std::int32_t
#include <span>       // std::span
#include <stdexcept>  // std::invalid_argument
#include <string>     // std::string
#include <utility>    // std::move
#include <vector>     // std::vector

#include "../core/view.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace kernel {

enum class tree_test : std::uint8_t { at_most, less, at_least, greater, equal, other, leaf };
/// What becomes of what several leaves say about one score.
enum class tree_aggregate : std::uint8_t { sum, average, minimum, maximum };

/// One node: goes on at `yes` when feature `test` value, else at `no`; places count within all nodes of the ensemble.
struct tree_node {
    tree_test test = tree_test::leaf;
    bool missing_is_yes = false;  ///< for NaN
    std::int32_t feature = 0;
    std::int32_t yes = 0;
    std::int32_t no = 0;
    double value = 0;
    std::int32_t first_weight = 0;  ///< of a leaf: its weights are [first, last)
    std::int32_t last_weight = 0;
};
struct leaf_weight {
    std::int32_t score = 0;
    double weight = 0;
};

/// Trees that are known to end: every path leads to a leaf.
///
/// errors   throws std::invalid_argument when a place, feature or score is outside, nodes form a cycle,
///          or trees share a root
/// threads  const use from any thread
class tree_ensemble {
public:
    tree_ensemble(std::vector<tree_node> nodes, std::vector<std::int32_t> roots, std::vector<leaf_weight> weights,
                  std::int32_t scores, tree_aggregate aggregate)
        : nodes_(std::move(nodes)),
          roots_(std::move(roots)),
          weights_(std::move(weights)),
          scores_(scores),
          aggregate_(aggregate) {
        check();
    }

    [[nodiscard]] std::int32_t features() const noexcept { return features_; }
    [[nodiscard]] std::int32_t scores() const noexcept { return scores_; }
    [[nodiscard]] std::size_t trees() const noexcept { return roots_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return nodes_.size() * sizeof(tree_node) + weights_.size() * sizeof(leaf_weight);
    }
    /// No leaf has a weight below 0.
    [[nodiscard]] bool positive() const noexcept {
        return std::none_of(weights_.begin(), weights_.end(), [](const leaf_weight& w) { return w.weight < 0; });
    }

    /// scores = what the trees say about one row, tree after tree; `scores` starts as anything, base values come later.
    ///
    /// cost     a path through every tree
    template <class T>
    void operator()(const T* row, std::span<double> scores) const {
        const bool adds = aggregate_ == tree_aggregate::sum || aggregate_ == tree_aggregate::average;
        std::fill(scores.begin(), scores.end(), 0.0);
        std::vector<bool> said(adds ? 0 : scores.size(), false);
        for (const std::int32_t root : roots_) {
            const tree_node* node = &at(root);
            while (node->test != tree_test::leaf)
                node = &at(holds(*node, static_cast<double>(row[node->feature])) ? node->yes : node->no);
            for (std::int32_t w = node->first_weight; w < node->last_weight; ++w) {
                const leaf_weight& one = weights_[static_cast<std::size_t>(w)];
                const auto score = static_cast<std::size_t>(one.score);
                if (adds)
                    scores[score] += one.weight;
                else if (!said[score])
                    scores[score] = one.weight;
                else
                    scores[score] = aggregate_ == tree_aggregate::minimum ? std::min(scores[score], one.weight)
                                                                          : std::max(scores[score], one.weight);
                if (!adds) said[score] = true;
            }
        }
        if (aggregate_ == tree_aggregate::average)
            for (double& score : scores) score /= static_cast<double>(roots_.size());
    }

private:
    [[nodiscard]] const tree_node& at(std::int32_t node) const { return nodes_[static_cast<std::size_t>(node)]; }

    static bool holds(const tree_node& node, double x) {
        if (x != x && node.missing_is_yes) return true;
        switch (node.test) {
            case tree_test::at_most: return x <= node.value;
            case tree_test::less: return x < node.value;
            case tree_test::at_least: return x >= node.value;
            case tree_test::greater: return x > node.value;
            case tree_test::equal: return x == node.value;
            default: return x != node.value;
        }
    }

    void check() {
        const auto count = static_cast<std::int32_t>(nodes_.size());
        const auto inside = [&](std::int32_t at) { return at >= 0 && at < count; };
        bool fits = true;
        for (const tree_node& node : nodes_) {
            if (node.test == tree_test::leaf) {
                fits = fits && node.first_weight >= 0 && node.first_weight <= node.last_weight &&
                       node.last_weight <= static_cast<std::int32_t>(weights_.size());
                continue;
            }
            fits = fits && inside(node.yes) && inside(node.no) && node.feature >= 0;
            features_ = std::max(features_, node.feature + 1);
        }
        for (const leaf_weight& one : weights_) fits = fits && one.score >= 0 && one.score < scores_;
        for (const std::int32_t root : roots_) fits = fits && inside(root);
        std::vector<std::int32_t> sorted = roots_;
        std::sort(sorted.begin(), sorted.end());  // one tree many times takes long, and no model means it
        if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
            throw std::invalid_argument("tree_ensemble: two trees have one root");
        if (!fits) throw std::invalid_argument("tree_ensemble: a node, feature, weight or score is outside");
        // Depth first: a node met again while it is open lies on a cycle.
        enum class seen : std::uint8_t { never, open, done };
        std::vector<seen> state(nodes_.size(), seen::never);
        for (const std::int32_t root : roots_) {
            std::vector<std::int32_t> path{root};
            while (!path.empty()) {
                const std::int32_t here = path.back();
                seen& mark = state[static_cast<std::size_t>(here)];
                if (mark == seen::done || at(here).test == tree_test::leaf) {
                    mark = seen::done;
                    path.pop_back();
                    continue;
                }
                mark = seen::open;
                std::int32_t next = -1;
                for (const std::int32_t child : {at(here).yes, at(here).no}) {
                    const seen there = state[static_cast<std::size_t>(child)];
                    if (there == seen::open) throw std::invalid_argument("tree_ensemble: its nodes form a cycle");
                    if (there == seen::never) next = child;
                }
                if (next < 0)
                    mark = seen::done;
                else
                    path.push_back(next);
            }
        }
    }

    std::vector<tree_node> nodes_;
    std::vector<std::int32_t> roots_;
    std::vector<leaf_weight> weights_;
    std::int32_t scores_;
    std::int32_t features_ = 0;
    tree_aggregate aggregate_;
};

}  // namespace kernel
}  // namespace fanfold::inline FANFOLD_ABI
