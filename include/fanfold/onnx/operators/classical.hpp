// fanfold/onnx/operators/classical.hpp - tree ensembles of the domain ai.onnx.ml.
// SPDX-License-Identifier: MIT
#pragma once
#include <array>          // std::array
#include <cstddef>        // std::size_t
#include <cstdint>        // std::int64_t
#include <stdexcept>      // std::invalid_argument
#include <string>         // std::string
#include <string_view>    // std::string_view
#include <unordered_map>  // std::unordered_map
#include <utility>        // std::move, std::pair
#include <vector>         // std::vector

#include "../../kernel/cast.hpp"
#include "../../model/operators/classical.hpp"
#include "../../model/operators/elementwise.hpp"
#include "../node.hpp"
#include "choice.hpp"
#include "labels.hpp"

namespace fanfold::inline FANFOLD_ABI {
namespace onnx {
namespace detail {

[[nodiscard]] inline std::vector<std::int64_t> list_of_integers(node_import& node, const std::string& name,
                                                                std::size_t count) {
    const std::vector<std::int64_t>* found = node.integers(name);
    if (found == nullptr || found->size() != count)
        throw std::invalid_argument("expected attribute " + in_quotes(name) + " of " + std::to_string(count) +
                                    " integers, got " + std::to_string(found == nullptr ? 0 : found->size()));
    return *found;
}
/// Floats, or the doubles of `name`_as_tensor.
[[nodiscard]] inline std::vector<double> list_of_reals(node_import& node, const std::string& name) {
    std::vector<double> out;
    if (const std::vector<float>* found = node.reals(name)) out.assign(found->begin(), found->end());
    if (const tensor_proto* stored = node.stored_tensor(name + "_as_tensor")) {
        const tensor values = to_tensor(*stored, {});
        if (values.type() == element::float64)
            for (const double v : values.as<double>().flat()) out.push_back(v);
        else
            for (const float v : values.as<float>().flat()) out.push_back(static_cast<double>(v));
    }
    return out;
}

[[nodiscard]] inline score_transform read_transform(node_import& node) {
    using enum score_transform;
    static constexpr std::array<std::pair<std::string_view, score_transform>, 5> all{{{"NONE", none},
                                                                                      {"LOGISTIC", logistic},
                                                                                      {"SOFTMAX", softmax},
                                                                                      {"SOFTMAX_ZERO", softmax_zero},
                                                                                      {"PROBIT", probit}}};
    return choice(node, "post_transform", "NONE", all);
}

[[nodiscard]] inline kernel::tree_test tree_test_named(std::string_view name) {
    using enum kernel::tree_test;
    static constexpr std::array<std::pair<std::string_view, kernel::tree_test>, 7> all{{{"BRANCH_LEQ", at_most},
                                                                                        {"BRANCH_LT", less},
                                                                                        {"BRANCH_GTE", at_least},
                                                                                        {"BRANCH_GT", greater},
                                                                                        {"BRANCH_EQ", equal},
                                                                                        {"BRANCH_NEQ", other},
                                                                                        {"LEAF", leaf}}};
    for (const auto& [word, test] : all)
        if (word == name) return test;
    throw std::invalid_argument(
        "attribute 'nodes_modes': expected BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT, "
        "BRANCH_EQ, BRANCH_NEQ or LEAF, got " +
        in_quotes(name));
}

/// A node of a file is named by its tree and its number there.
using tree_places = std::unordered_map<std::int64_t, std::unordered_map<std::int64_t, std::int32_t>>;

[[nodiscard]] inline std::int32_t place_of(const tree_places& places, std::int64_t tree, std::int64_t node) {
    const auto in_tree = places.find(tree);
    if (in_tree != places.end())
        if (const auto found = in_tree->second.find(node); found != in_tree->second.end()) return found->second;
    throw std::invalid_argument("expected a node " + std::to_string(node) + " in tree " + std::to_string(tree) +
                                ", got none");
}

/// `leaves`: how the attributes of the leaves begin, "target" or "class".
struct tree_reader {
    std::vector<kernel::tree_node> nodes{};
    std::vector<std::int32_t> roots{};
    std::vector<kernel::leaf_weight> weights{};
    std::vector<std::int64_t> scores{};  ///< of each weight, as the file says

    tree_reader(node_import& node, const std::string& leaves) {
        const std::vector<std::string_view>* modes = node.texts("nodes_modes");
        if (modes == nullptr) throw std::invalid_argument("expected attribute 'nodes_modes', got none");
        const std::size_t count = modes->size();
        const auto list = [&](const char* name) { return list_of_integers(node, name, count); };
        const auto trees = list("nodes_treeids"), ids = list("nodes_nodeids"), features = list("nodes_featureids");
        const auto yes = list("nodes_truenodeids"), no = list("nodes_falsenodeids");
        const std::vector<double> values = list_of_reals(node, "nodes_values");
        if (values.size() != count)
            throw std::invalid_argument("expected as many 'nodes_values' as nodes, " + std::to_string(count) +
                                        ", got " + std::to_string(values.size()));
        const std::vector<std::int64_t>* missing = node.integers("nodes_missing_value_tracks_true");
        node.ignore_attribute("nodes_hitrates");
        node.ignore_attribute("nodes_hitrates_as_tensor");
        tree_places places;
        for (std::size_t i = 0; i < count; ++i)
            if (!places[trees[i]].emplace(ids[i], static_cast<std::int32_t>(i)).second)
                throw std::invalid_argument("expected node " + std::to_string(ids[i]) + " once in tree " +
                                            std::to_string(trees[i]) + ", got it twice");
        std::vector<bool> child(count, false);
        for (std::size_t i = 0; i < count; ++i) {
            kernel::tree_node made;
            made.test = tree_test_named((*modes)[i]);
            if (made.test != kernel::tree_test::leaf) {
                made.feature = static_cast<std::int32_t>(features[i]);
                made.value = values[i];
                made.yes = place_of(places, trees[i], yes[i]);
                made.no = place_of(places, trees[i], no[i]);
                made.missing_is_yes = missing != nullptr && i < missing->size() && (*missing)[i] != 0;
                child[static_cast<std::size_t>(made.yes)] = child[static_cast<std::size_t>(made.no)] = true;
            }
            nodes.push_back(made);
        }
        for (std::size_t i = 0; i < count; ++i)
            if (!child[i]) roots.push_back(static_cast<std::int32_t>(i));
        read_leaves(node, leaves, places);
    }

private:
    void read_leaves(node_import& node, const std::string& leaves, const tree_places& places) {
        const std::vector<double> amounts = list_of_reals(node, leaves + "_weights");
        const auto trees = list_of_integers(node, leaves + "_treeids", amounts.size());
        const auto ids = list_of_integers(node, leaves + "_nodeids", amounts.size());
        const auto which = list_of_integers(node, leaves + "_ids", amounts.size());
        std::vector<std::vector<std::size_t>> of_node(nodes.size());
        for (std::size_t i = 0; i < amounts.size(); ++i)
            of_node[static_cast<std::size_t>(place_of(places, trees[i], ids[i]))].push_back(i);
        for (std::size_t n = 0; n < nodes.size(); ++n) {
            nodes[n].first_weight = static_cast<std::int32_t>(weights.size());
            for (const std::size_t i : of_node[n]) {
                weights.push_back({static_cast<std::int32_t>(which[i]), amounts[i]});
                scores.push_back(which[i]);
            }
            nodes[n].last_weight = static_cast<std::int32_t>(weights.size());
        }
    }
};

}  // namespace detail

namespace detail {

/// Numbers of a tensor attribute, of any type.
[[nodiscard]] inline std::vector<double> numbers_of(node_import& node, const char* name) {
    std::vector<double> out;
    const tensor_proto* stored = node.stored_tensor(name);
    if (stored == nullptr) return out;
    const tensor values = to_tensor(*stored, {});
    tensor wide(element::float64, values.shape());
    if (wide.size() != 0) kernel::cast(values, wide);
    for (const double value : wide.as<double>().flat()) out.push_back(value);
    return out;
}

/// Inner nodes and leaves in lists of their own; leaves stand behind all others here. A test for membership becomes
/// tests for equality, one after the other.
struct tree_lists {
    std::vector<kernel::tree_node> nodes{};
    std::vector<std::int32_t> roots{};
    std::vector<kernel::leaf_weight> weights{};

    tree_lists(node_import& node, std::int64_t targets) {
        const auto list = [&](const char* name) {
            const std::vector<std::int64_t>* found = node.integers(name);
            return found == nullptr ? std::vector<std::int64_t>() : *found;
        };
        const auto yes = list("nodes_truenodeids"), no = list("nodes_falsenodeids"),
                   features = list("nodes_featureids");
        const auto yes_leaf = list("nodes_trueleafs"), no_leaf = list("nodes_falseleafs"), starts = list("tree_roots");
        const auto missing = list("nodes_missing_value_tracks_true"), which = list("leaf_targetids");
        const std::vector<double> modes = numbers_of(node, "nodes_modes"), splits = numbers_of(node, "nodes_splits");
        const std::vector<double> amounts = numbers_of(node, "leaf_weights");
        const std::vector<double> members = numbers_of(node, "membership_values");
        (void)numbers_of(node, "nodes_hitrates");
        const std::size_t count = modes.size(), leaves = amounts.size();
        for (const auto* one : {&yes, &no, &features, &yes_leaf, &no_leaf})
            if (one->size() != count)
                throw std::invalid_argument("expected lists for " + std::to_string(count) + " nodes, got one of " +
                                            std::to_string(one->size()));
        if (splits.size() != count || which.size() != leaves || (!missing.empty() && missing.size() != count))
            throw std::invalid_argument("expected as many splits as nodes and target ids as leaves, got " +
                                        std::to_string(splits.size()) + " and " + std::to_string(which.size()));
        if (count > (std::size_t{1} << 28) || leaves > (std::size_t{1} << 28) ||
            members.size() > (std::size_t{1} << 28))
            throw std::invalid_argument("expected trees of at most 2^28 nodes, got more");
        nodes.resize(count + leaves);
        const auto place = [&](std::int64_t at, bool leaf) {
            if (at < 0 || at >= static_cast<std::int64_t>(leaf ? leaves : count))
                throw std::invalid_argument("expected a node or leaf that is there, got " + std::to_string(at));
            return static_cast<std::int32_t>(at + (leaf ? static_cast<std::int64_t>(count) : 0));
        };
        std::size_t member = 0;
        for (std::size_t i = 0; i < count; ++i) {
            using enum kernel::tree_test;
            static constexpr kernel::tree_test tests[] = {at_most, less, at_least, greater, equal, other, equal};
            if (!(modes[i] >= 0 && modes[i] <= 6))
                throw std::invalid_argument("attribute 'nodes_modes': expected 0 to 6, got " +
                                            std::to_string(modes[i]));
            kernel::tree_node made;
            made.test = tests[static_cast<std::size_t>(modes[i])];
            made.missing_is_yes = !missing.empty() && missing[i] != 0;
            made.feature = static_cast<std::int32_t>(features[i]);
            made.value = splits[i];
            made.yes = place(yes[i], yes_leaf[i] != 0);
            made.no = place(no[i], no_leaf[i] != 0);
            if (features[i] < 0 || features[i] > (std::int64_t{1} << 30))
                throw std::invalid_argument("expected features from 0 to 2^30, got " + std::to_string(features[i]));
            if (modes[i] == 6) {
                std::size_t last = member;
                while (last < members.size() && members[last] == members[last]) ++last;
                if (last == member || last == members.size())
                    throw std::invalid_argument(
                        "expected members that end with a NaN for each node of mode 6, got others");
                for (std::size_t at = last; --at > member;) {  // from the last one on, so that each knows the next
                    kernel::tree_node one = made;
                    one.value = members[at];
                    nodes.push_back(one);
                    made.no = static_cast<std::int32_t>(nodes.size()) - 1;
                }
                made.value = members[member];
                member = last + 1;
            }
            nodes[i] = made;
        }
        for (std::size_t i = 0; i < leaves; ++i) {
            if (which[i] < 0 || which[i] >= targets)
                throw std::invalid_argument("expected targets in [0, " + std::to_string(targets) + "), got " +
                                            std::to_string(which[i]));
            kernel::tree_node& leaf = nodes[count + i];
            leaf.first_weight = static_cast<std::int32_t>(weights.size());
            weights.push_back({static_cast<std::int32_t>(which[i]), amounts[i]});
            leaf.last_weight = static_cast<std::int32_t>(weights.size());
        }
        for (const std::int64_t start : starts) roots.push_back(place(start, false));
    }
};

[[nodiscard]] inline std::int64_t targets_of(node_import& node) {
    const std::int64_t targets = node.integer("n_targets", 1);
    if (targets < 1 || targets > (std::int64_t{1} << 20))
        throw std::invalid_argument("attribute 'n_targets': expected 1 to 2^20, got " + std::to_string(targets));
    return targets;
}

}  // namespace detail

/// source   ONNX-ML TreeEnsemble-5
inline void import_tree_ensemble(node_import& node) {
    node.expect_inputs(1, 1);
    using enum kernel::tree_aggregate;
    static constexpr kernel::tree_aggregate aggregates[] = {average, sum, minimum, maximum};
    static constexpr score_transform transforms[] = {score_transform::none, score_transform::softmax,
                                                     score_transform::logistic, score_transform::softmax_zero,
                                                     score_transform::probit};
    const std::int64_t how = node.integer("aggregate_function", 1), after = node.integer("post_transform", 0);
    if (how < 0 || how > 3 || after < 0 || after > 4)
        throw std::invalid_argument("expected an aggregate_function of 0 to 3 and a post_transform of 0 to 4, got " +
                                    std::to_string(how) + " and " + std::to_string(after));
    const std::int64_t targets = detail::targets_of(node);
    detail::tree_lists read(node, targets);
    kernel::tree_ensemble trees(std::move(read.nodes), std::move(read.roots), std::move(read.weights),
                                static_cast<std::int32_t>(targets), aggregates[how]);
    const value_id scores = node.add(tree_regressor(std::move(trees), {}, transforms[after]), {node.input(0)});
    const element type = node.type(0).type;
    node.answer(type == element::float64 ? node.add(cast(type), {scores}) : scores);
}

/// source   ONNX-ML TreeEnsembleRegressor-1, TreeEnsembleRegressor-3
inline void import_tree_regressor(node_import& node) {
    node.expect_inputs(1, 1);
    using enum kernel::tree_aggregate;
    static constexpr std::array<std::pair<std::string_view, kernel::tree_aggregate>, 4> all{
        {{"SUM", sum}, {"AVERAGE", average}, {"MIN", minimum}, {"MAX", maximum}}};
    const auto aggregate = detail::choice(node, "aggregate_function", "SUM", all);
    const std::int64_t targets = detail::targets_of(node);
    detail::tree_reader read(node, "target");
    kernel::tree_ensemble trees(std::move(read.nodes), std::move(read.roots), std::move(read.weights),
                                static_cast<std::int32_t>(targets), aggregate);
    node.answer(
        tree_regressor(std::move(trees), detail::list_of_reals(node, "base_values"), detail::read_transform(node)),
        {node.input(0)});
}

/// source   ONNX-ML TreeEnsembleClassifier-1, TreeEnsembleClassifier-3
inline void import_tree_classifier(node_import& node) {
    node.expect_inputs(1, 1);
    detail::class_labels labels = detail::read_labels(node, "classlabels_int64s", "classlabels_strings");
    detail::tree_reader read(node, "class");
    bool one = labels.numbers.size() == 2;  // weights of one class alone speak for the second label
    for (const std::int64_t score : read.scores) one = one && score == read.scores.front();
    if (one)
        for (kernel::leaf_weight& weight : read.weights) weight.score = 0;
    kernel::tree_ensemble trees(std::move(read.nodes), std::move(read.roots), std::move(read.weights),
                                one ? 1 : static_cast<std::int32_t>(labels.numbers.size()),
                                kernel::tree_aggregate::sum);
    const tree_classifier op(std::move(trees), detail::list_of_reals(node, "base_values"), detail::read_transform(node),
                             labels.numbers);
    detail::answer_labels(node, op, std::move(labels));
}

inline constexpr std::array classical_operators{
    operator_entry{"TreeEnsemble", 5, 5, &import_tree_ensemble, "ai.onnx.ml"},
    operator_entry{"TreeEnsembleRegressor", 1, 5, &import_tree_regressor, "ai.onnx.ml"},
    operator_entry{"TreeEnsembleClassifier", 1, 5, &import_tree_classifier, "ai.onnx.ml"}};

}  // namespace onnx
}  // namespace fanfold::inline FANFOLD_ABI
