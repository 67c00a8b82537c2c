// tests/core/in_quotes.cpp - names from a file in texts.
// SPDX-License-Identifier: MIT
#include <fanfold/core/in_quotes.hpp>

#include "../catch.hpp"

using fanfold::detail::in_quotes;

TEST_CASE("names are quoted, printable, of bounded length") {
    CHECK(in_quotes("conv 1") == "'conv 1'");
    CHECK(in_quotes("") == "''");
    CHECK(in_quotes(std::string_view("a\n\x1b\0b", 5)) == "'a???b'");
    CHECK(in_quotes("caf\xc3\xa9") == "'caf\xc3\xa9'");
    CHECK(in_quotes(std::string(1000, 'x')) == "'" + std::string(80, 'x') + "..'");
}
