// tests/kernel/tree_ensemble.cpp - paths through trees, and trees that are none.
// SPDX-License-Identifier: MIT
#include <fanfold/kernel/tree_ensemble.hpp>

#include <array>
#include <limits>
#include <vector>

#include "../catch.hpp"

using namespace fanfold::kernel;

namespace {
/// x[0] test 1 ? 10 : 20, and a second tree that always says 5.
tree_ensemble two_trees(tree_test test, tree_aggregate aggregate, bool missing = false) {
    std::vector<tree_node> nodes(4);
    nodes[0] = {test, missing, 0, 1, 2, 1.0, 0, 0};
    nodes[1].last_weight = 1;
    nodes[2].first_weight = 1;
    nodes[2].last_weight = 2;
    nodes[3].first_weight = 2;
    nodes[3].last_weight = 3;
    return {nodes, {0, 3}, {{0, 10}, {0, 20}, {0, 5}}, 1, aggregate};
}
double score(const tree_ensemble& trees, float x) {
    std::array<double, 1> out{};
    trees(&x, out);
    return out[0];
}
}  // namespace

TEST_CASE("each test goes its way") {
    struct expected {
        tree_test test;
        bool below, same, above;
    };
    for (const auto& e : {expected{tree_test::at_most, true, true, false},
                          {tree_test::less, true, false, false},
                          {tree_test::at_least, false, true, true},
                          {tree_test::greater, false, false, true},
                          {tree_test::equal, false, true, false},
                          {tree_test::other, true, false, true}}) {
        const auto trees = two_trees(e.test, tree_aggregate::sum);
        CHECK(score(trees, 0) == (e.below ? 15 : 25));
        CHECK(score(trees, 1) == (e.same ? 15 : 25));
        CHECK(score(trees, 2) == (e.above ? 15 : 25));
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(score(two_trees(tree_test::at_most, tree_aggregate::sum), nan) == 25);
    CHECK(score(two_trees(tree_test::at_most, tree_aggregate::sum, true), nan) == 15);
}

TEST_CASE("what leaves say is added, averaged, or the least or most of it taken") {
    CHECK(score(two_trees(tree_test::less, tree_aggregate::average), 0) == 7.5);
    CHECK(score(two_trees(tree_test::less, tree_aggregate::minimum), 0) == 5);
    CHECK(score(two_trees(tree_test::less, tree_aggregate::maximum), 0) == 10);
    CHECK(two_trees(tree_test::less, tree_aggregate::sum).positive());
    CHECK(two_trees(tree_test::less, tree_aggregate::sum).features() == 1);
}

TEST_CASE("nodes outside and cycles are refused") {
    std::vector<tree_node> nodes(2);
    nodes[0] = {tree_test::less, false, 0, 1, 1, 0, 0, 0};
    CHECK_NOTHROW(tree_ensemble(nodes, {0}, {}, 1, tree_aggregate::sum));
    CHECK_THROWS(tree_ensemble(nodes, {2}, {}, 1, tree_aggregate::sum));
    CHECK_THROWS(tree_ensemble(nodes, {0}, {{1, 0}}, 1, tree_aggregate::sum));
    nodes[1] = {tree_test::less, false, 0, 0, 0, 0, 0, 0};
    CHECK_THROWS(tree_ensemble(nodes, {0}, {}, 1, tree_aggregate::sum));
    nodes[1] = {tree_test::less, false, 0, 1, 5, 0, 0, 0};
    CHECK_THROWS(tree_ensemble(nodes, {0}, {}, 1, tree_aggregate::sum));
}
