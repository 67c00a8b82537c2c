// tests/catch.hpp - one include for Catch2 v2 (Debian 12) and v3; tests are written as for v2.
// SPDX-License-Identifier: MIT
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

#include <string>
namespace Catch::Matchers {
inline auto Contains(const char* piece) { return ContainsSubstring(piece); }
inline auto Contains(const std::string& piece) { return ContainsSubstring(piece); }
}  // namespace Catch::Matchers
#else
#include <catch2/catch.hpp>
#endif
