// SPDX-License-Identifier: MIT
#include <fanfold/placement/cpu_list.hpp>

#include "../catch.hpp"
#include "fake_root.hpp"

using namespace fanfold;

TEST_CASE("A list of CPUs is numbers and ranges in ascending order") {
    CHECK(detail::parse_cpu_list("0") == cpu_list{0});
    CHECK(detail::parse_cpu_list("0-3,8,10-11\n") == cpu_list{0, 1, 2, 3, 8, 10, 11});
    CHECK(detail::parse_cpu_list(" \t5-5 \n") == cpu_list{5});
    CHECK(detail::parse_cpu_list("") == cpu_list{});
    CHECK(detail::parse_cpu_list("\n") == cpu_list{});
}

TEST_CASE("What is no list of CPUs is told from an empty one") {
    for (const char* text : {"x", "1-", "-1", "3-1", "1,,2", ",", "1 2", "0x3", "1-2-3", "4,2", "1,1", "0-3,2", "1.5",
                             "99999999999999999999999", "0-99999999999999999999999", "+1"})
        CHECK_FALSE(detail::parse_cpu_list(text).has_value());
}

TEST_CASE("Numbers beyond any machine take neither memory nor time") {
    CHECK(detail::parse_cpu_list("3,70000,18446744073709551615") == cpu_list{3});
    const auto all = detail::parse_cpu_list("0-18446744073709551615");
    REQUIRE(all.has_value());
    CHECK(all->size() == detail::most_cpus);
}

TEST_CASE("A list that leaves nothing or makes no sense narrows nothing") {
    cpu_list cpus{1, 2, 5};
    for (const char* text : {"", "x", "7-9"}) detail::narrow(cpus, text);
    CHECK(cpus == cpu_list{1, 2, 5});
    detail::narrow(cpus, "0-2\n");
    CHECK(cpus == cpu_list{1, 2});
}

TEST_CASE("Files are read to a limit, and what is no file reads as empty") {
    const fake_root root;
    CHECK(detail::read_text(root.path() / "missing").empty());
    CHECK(detail::read_text(root.path()).empty());
    root.write("short", "0-3\n");
    CHECK(detail::read_text(root.path() / "short") == "0-3\n");
    root.write("bytes", std::string(5000, '\0'));
    CHECK(detail::read_text(root.path() / "bytes").size() == 5000);
    std::filesystem::create_symlink("/dev/zero", root.path() / "endless");
    CHECK(detail::read_text(root.path() / "endless").size() == detail::most_file_bytes);
}
