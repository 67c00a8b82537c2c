// SPDX-License-Identifier: MIT
#include <fanfold/sqlite/answer_files.hpp>

#include <filesystem>

#include "../catch.hpp"
#include "../text.hpp"
#include "folder.hpp"

using namespace fanfold;

namespace {

std::vector<std::byte> bytes_of(std::size_t count, int of) { return {count, static_cast<std::byte>(of)}; }

}  // namespace

TEST_CASE("What is written under a name is read again, and written anew where a crash left it") {
    const folder here;
    sqlite::answer_files files(here / "answers");
    CHECK_FALSE(std::filesystem::exists(files.folder()));  // not before it is needed
    files.remove_all_but({});
    CHECK(files.write(640, bytes_of(100'000, 7)) == "row_640");
    CHECK(files.write(12, {}) == "row_12");
    files.sync();
    CHECK(files.read("row_640") == bytes_of(100'000, 7));
    CHECK(files.read("row_12").empty());
    CHECK(files.write(640, bytes_of(3, 8)) == "row_640");
    CHECK(files.read("row_640") == bytes_of(3, 8));
    CHECK_FALSE(std::filesystem::exists(files.path_of("row_640.tmp")));
    sqlite::answer_files others(here / "answers");  // the folder is there already
    CHECK(others.write(1, bytes_of(1, 1)) == "row_1");
}

TEST_CASE("Only files of its own that nobody names are removed") {
    const folder here;
    sqlite::answer_files files(here / "answers");
    for (const std::size_t row : {1UL, 2UL, 30UL}) (void)files.write(row, bytes_of(1, 1));
    for (const char* name : {"row_4.tmp", "row_", "row_x", "row_5.txt", "rows"}) write_text(files.path_of(name), "x");
    files.remove_all_but({"row_1", "row_30"});
    std::size_t left = 0;
    for (const auto& entry : std::filesystem::directory_iterator(files.folder())) left += entry.exists();
    CHECK(left == 6);
    for (const char* gone : {"row_2", "row_4.tmp"}) CHECK_FALSE(std::filesystem::exists(files.path_of(gone)));
}

TEST_CASE("What cannot be written or read is refused with its path and the reason") {
    const folder here;
    sqlite::answer_files nowhere(here / "no/such");
    CHECK(text_of([&] { (void)nowhere.write(1, {}); }) ==
          (here / "no/such") + " cannot be made: No such file or directory");
    sqlite::answer_files files(here / "answers");
    CHECK(text_of([&] { (void)files.read("row_1"); }) ==
          files.path_of("row_1") + " cannot be opened: No such file or directory");
    (void)files.write(2, {});
    std::filesystem::create_directory(files.path_of("row_1"));
    CHECK(text_of([&] { (void)files.write(1, {}); }) ==
          files.path_of("row_1") + " cannot be renamed to: Is a directory");
    CHECK(text_of([&] { (void)files.read("row_1"); }) == files.path_of("row_1") + " cannot be read: Is a directory");
}
