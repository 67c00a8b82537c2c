// SPDX-License-Identifier: MIT
#include <fanfold/partition/plan.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("A plan without an order walks the rows as they are") {
    const plan p{.order = {}, .cuts = {0, 3, 5}};
    CHECK(p.shards() == 2);
    CHECK(p.rows_of(0) == 3);
    CHECK(p.rows_of(1) == 2);
    CHECK(p.row(1, 1) == 4);
    CHECK(p.largest() == 3);
    CHECK(p.consecutive(1));
    check_plan(p, 5);
}

TEST_CASE("A plan with an order knows which shards lie together in the batch") {
    const plan p{.order = {3, 4, 0, 2, 1}, .cuts = {0, 2, 5}};
    CHECK(p.consecutive(0));
    CHECK_FALSE(p.consecutive(1));
    CHECK(p.row(0, 1) == 4);
    CHECK(p.row(1, 2) == 1);
    check_plan(p, 5);
}

TEST_CASE("A plan that loses, repeats or invents rows is refused by name") {
    CHECK(text_of([] { check_plan({.order = {}, .cuts = {0, 3}}, 4); }) == "plan: cuts must run from 0 to 4");
    CHECK(text_of([] { check_plan({.order = {}, .cuts = {}}, 0); }) == "plan: cuts must run from 0 to 0");
    CHECK(text_of([] {
              check_plan({.order = {}, .cuts = {0, 3, 3, 4}}, 4);
          }) == "plan: shard 1 is empty or its cuts descend");
    CHECK(text_of([] {
              check_plan({.order = {}, .cuts = {0, 4, 3, 4}}, 4);
          }) == "plan: shard 1 is empty or its cuts descend");
    CHECK(text_of([] { check_plan({.order = {0, 1, 1}, .cuts = {0, 3}}, 3); }) == "plan: row 1 stands in two shards");
    CHECK(text_of([] { check_plan({.order = {0, 1, 3}, .cuts = {0, 3}}, 3); }) == "plan: row 3 of a batch of 3");
    CHECK(text_of([] {
              check_plan({.order = {0, 1}, .cuts = {0, 3}}, 3);
          }) == "plan: an order of 2 rows for a batch of 3");
}
