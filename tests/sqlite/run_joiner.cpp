// SPDX-License-Identifier: MIT
#include <fanfold/sqlite/run_joiner.hpp>

#include <string>

#include "../catch.hpp"

using namespace fanfold;

namespace {

rows_done run(std::size_t first, std::size_t rows, const std::string& answers) {
    rows_done one{.first = first, .rows = rows, .rows_digest = first};
    for (const char c : answers) one.answers.push_back(static_cast<std::byte>(c));
    return one;
}
std::string text(const rows_done& one) {
    std::string all = std::to_string(one.first) + "+" + std::to_string(one.rows) + " ";
    for (const std::byte b : one.answers) all += static_cast<char>(b);
    return all + " " + std::to_string(one.rows_digest);
}
std::string text(const std::vector<rows_done>& all) {
    std::string lines;
    for (const rows_done& one : all) lines += text(one) + "\n";
    return lines;
}

}  // namespace

TEST_CASE("Neighbours become one run, answer by answer, up to a size; others stay apart, by their first rows") {
    const sqlite::run_joiner two({{element::uint8, {10}, 0, "a"}, {element::uint8, {10, 2}, 0, "b"}}, 10);
    CHECK(text(two({run(4, 1, "eEE"), run(2, 2, "cdCCDD"), run(0, 1, "aAA")}, 100)) == "0+1 aAA 0\n2+3 cdeCCDDEE 6\n");
    CHECK(text(two({run(0, 1, "aAA"), run(1, 1, "bBB"), run(2, 1, "cCC")}, 8)) == "0+2 abAABB 1\n2+1 cCC 2\n");
    CHECK(two({}, 8).empty());
    const sqlite::run_joiner two_entries_a_row({{element::uint8, {20}, 0, "a"}}, 10);
    CHECK(text(two_entries_a_row({run(0, 1, "aa"), run(1, 1, "bb")}, 8)) == "0+2 aabb 1\n");
}

TEST_CASE("Rows along another axis, and answers of unknown types, stay as they came") {
    const std::vector<rows_done> runs{run(0, 1, "aa"), run(1, 1, "bb")};
    const sqlite::run_joiner columns({{element::uint8, {2, 10}, 1, "a"}}, 10);
    CHECK(text(columns(runs, 100)) == text(runs));
    CHECK(text(sqlite::run_joiner()(runs, 100)) == text(runs));
}
