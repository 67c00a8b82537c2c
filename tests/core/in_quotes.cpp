// tests/core/in_quotes.cpp - names from a file in texts.
// SPDX-License-Identifier: MIT
#include <fanfold/core/in_quotes.hpp>

#include <string>

#include "../catch.hpp"

using fanfold::detail::in_quotes;

TEST_CASE("names are quoted, printable, of bounded length") {
    CHECK(in_quotes("conv 1") == "'conv 1'");
    CHECK(in_quotes("") == "''");
    CHECK(in_quotes(std::string_view("a\n\x1b\0b", 5)) == "'a???b'");
    CHECK(in_quotes("caf\xc3\xa9") == "'caf\xc3\xa9'");
    CHECK(in_quotes(std::string(80, 'x')) == "'" + std::string(80, 'x') + "'");
    CHECK(in_quotes(std::string(1000, 'x')) == "'" + std::string(80, 'x') + "..'");
}

TEST_CASE("quoted names are UTF-8, whatever bytes they are made of, and no character is cut in two") {
    CHECK(in_quotes("\xe5\xb1\x82 \xf0\x9f\x92\xa1") == "'\xe5\xb1\x82 \xf0\x9f\x92\xa1'");
    CHECK(in_quotes("a\xff:\x80z") == "'a?:?z'");
    CHECK(in_quotes("\xc3") == "'?'");  // cut off
    const std::string none[] = {
        "\xe5\xb1",          // cut off, too
        "\xc0\xaf",          // '/', spelled too long
        "\xe0\x80\xaf",      // and longer
        "\xf0\x80\x80\xaf",  // and longer
        "\xed\xa0\x80",      // half of a pair of UTF-16
        "\xf4\x90\x80\x80",  // beyond Unicode
        "\xf5\x80\x80\x80",  // beyond UTF-8
        "\xc2\x9b",          // what ESC [ is in one character
    };
    for (const std::string& bytes : none)
        CHECK(in_quotes(bytes + "31m") == "'" + std::string(bytes.size(), '?') + "31m'");
    CHECK(in_quotes(std::string(79, 'x') + "\xc3\xa9") == "'" + std::string(79, 'x') + "..'");
    CHECK(in_quotes(std::string(78, 'x') + "\xc3\xa9") == "'" + std::string(78, 'x') + "\xc3\xa9'");
}
