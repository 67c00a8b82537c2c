// SPDX-License-Identifier: MIT
#include <fanfold/partition/per_row.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("Numbers of rows come from a callable or from a list of any arithmetic type") {
    const row_cost squares = [](std::size_t row) { return row * row; };
    CHECK(squares.of(4, "test") == std::vector<double>{0, 1, 4, 9});
    const row_cost listed = std::vector<int>{3, 1, 2};
    CHECK(listed(1) == 1.0);
    CHECK(listed.of(3, "test") == std::vector<double>{3, 1, 2});
    CHECK_FALSE(static_cast<bool>(row_cost()));
    CHECK(static_cast<bool>(listed));
}

TEST_CASE("A list for another batch, and numbers that were not given, are refused by name") {
    CHECK(text_of([] { (void)row_cost(std::vector<int>{3, 1}).of(3, "who"); }) == "who: 2 given for a batch of 3 rows");
    CHECK(text_of([] { (void)row_cost().of(3, "who"); }) == "who: not given");
}

TEST_CASE("Equal keys have equal hashes, whatever their type; they are those of XXH3 on every machine") {
    const row_key ints = std::vector<int>{1, -1, 7}, longs = std::vector<std::int64_t>{1, -1, 7};
    for (std::size_t row = 0; row < 3; ++row) CHECK(ints(row) == longs(row));
    CHECK(ints(0) != ints(1));
    const row_key texts = std::vector<std::string>{"a", "b"};
    const row_key called = [](std::size_t row) { return row == 0 ? "a" : "b"; };
    CHECK(texts(0) == called(0));
    CHECK(texts(1) == called(1));
    CHECK(row_key(std::vector<std::string>{""})(0) == 0x2D06800538D394C2U);  // as `xxhsum -H3` prints
    CHECK(texts(0) == 0xE6C632B61E964E1FU);
}
