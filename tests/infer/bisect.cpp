// SPDX-License-Identifier: MIT
#include <fanfold/infer/bisect.hpp>

#include <bit>
#include <random>
#include <set>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct found {
    std::vector<std::size_t> poison;
    std::size_t calls = 0;
    std::vector<int> passed;  // by row: parts that passed with it
};

/// Parts are taken in the order they come (`at_once` == 1) or several before any is reported.
found search(std::size_t rows, const std::set<std::size_t>& poison, std::size_t at_once = 1) {
    bisection what(rows);
    found result{{}, 0, std::vector<int>(rows, 0)};
    while (!what.finished()) {
        std::vector<row_range> running;
        while (running.size() < at_once) {
            const auto part = what.next();
            if (!part) break;
            running.push_back(*part);
        }
        for (const row_range part : running) {
            ++result.calls;
            const auto bad = poison.lower_bound(part.first);
            if (bad != poison.end() && *bad < part.first + part.rows) {
                what.failed(part);
                continue;
            }
            what.passed(part);
            for (std::size_t row = 0; row < part.rows; ++row) ++result.passed[part.first + row];
        }
    }
    CHECK_FALSE(what.next());
    result.poison = what.poison();
    return result;
}

}  // namespace

TEST_CASE("Halves are neighbours that cover the range, the first the longer by at most one") {
    for (std::size_t rows = 2; rows < 100; ++rows) {
        const auto [left, right] = halves({7, rows});
        REQUIRE(left.first == 7);
        REQUIRE(right.first == 7 + left.rows);
        REQUIRE(left.rows + right.rows == rows);
        REQUIRE((left.rows == right.rows || left.rows == right.rows + 1));
    }
}

TEST_CASE("One bad row of 64 is found by 13 calls; a set that passes takes one, an empty one none") {
    for (std::size_t bad = 0; bad < 64; ++bad) CHECK(search(64, {bad}).calls == 13);
    CHECK(search(64, {}).calls == 1);
    CHECK(search(1, {0}).calls == 1);
    CHECK(search(0, {}).calls == 0);
    CHECK(bisection(0).finished());
}

TEST_CASE("Exactly the bad rows are named, all others pass once, within 2k ceil(log2 n) + 1 calls") {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t rows = 1 + random() % 200;
        std::set<std::size_t> poison;
        for (std::size_t k = random() % 6; k != 0; --k) poison.insert(random() % rows);
        const found result = search(rows, poison, 1 + random() % 4);
        REQUIRE(result.poison == std::vector<std::size_t>(poison.begin(), poison.end()));
        const auto log2 = static_cast<std::size_t>(std::bit_width(rows - 1));
        REQUIRE(result.calls <= 2 * poison.size() * log2 + 1);
        for (std::size_t row = 0; row < rows; ++row) REQUIRE(result.passed[row] == (poison.contains(row) ? 0 : 1));
    }
}

TEST_CASE("A set that is known to fail is not run again as a whole") {
    bisection what(4);
    what.failed(*what.next());
    CHECK(what.next() == row_range{0, 2});
    CHECK(what.next() == row_range{2, 2});
    CHECK_FALSE(what.next());
    CHECK_FALSE(what.finished());  // what runs may still be halved
}
