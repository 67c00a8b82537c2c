// SPDX-License-Identifier: MIT
#include <fanfold/sqlite/database.hpp>

#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("Statements bind and read numbers, text and bytes, and errors name the file and the statement") {
    const sqlite::database db(":memory:", nullptr);
    db.run("CREATE TABLE t(a, b, c)");
    const std::vector<std::byte> bytes{std::byte{1}, std::byte{0}, std::byte{255}};
    sqlite::statement insert(db, "INSERT INTO t VALUES (?, ?, ?)");
    for (std::size_t i = 0; i < 3; ++i) insert.bind(i).bind("some text").bind(std::span<const std::byte>(bytes)).run();
    sqlite::statement all(db, "SELECT * FROM t ORDER BY a");
    std::size_t rows = 0;
    for (; all.step(); ++rows) {
        CHECK(all.integer(0) == static_cast<std::int64_t>(rows));
        CHECK(all.text(1) == "some text");
        CHECK(std::equal(bytes.begin(), bytes.end(), all.blob(2).begin()));
    }
    CHECK(rows == 3);
    CHECK(text_of([&] { db.run("SELECT missing"); }) == ":memory:: SELECT missing: no such column: missing");
    CHECK(text_of([&] { sqlite::statement(db, "SELEC"); }).starts_with(":memory:: SELEC: "));
    CHECK(text_of([] { sqlite::database("/no/such/folder/x.db", nullptr); }) ==
          "/no/such/folder/x.db: cannot be opened: unable to open database file");
}
