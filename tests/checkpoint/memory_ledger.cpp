// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/memory_ledger.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("What was kept is handed over, and another job is refused") {
    memory_ledger kept;
    CHECK(kept.open({.fingerprint = 7, .rows = 10}).empty());
    kept.declare({{element::int32, {10}, 0, "y"}});
    kept.keep({.first = 4, .rows = 2, .answers = std::vector<std::byte>(8)});
    kept.keep({.first = 0, .rows = 1, .answers = std::vector<std::byte>(4)});
    CHECK(kept.rows() == 3);
    REQUIRE(kept.open({.fingerprint = 7, .rows = 10}).size() == 1);
    std::size_t rows = 0;
    kept.restore([&](const rows_done& one) { rows += one.rows; });
    CHECK(rows == 3);
    CHECK_FALSE(text_of([&] { (void)kept.open({.fingerprint = 8, .rows = 10}); }).empty());
    CHECK(text_of([&] { (void)kept.open({.fingerprint = 7, .rows = 9}); }) ==
          "memory_ledger: it is of another job, of 10 rows; this one has 9, or another model or other rows");
}
