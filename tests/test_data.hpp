// tests/test_data.hpp - where models and data sets are that the project does not carry, and what a missing one means:
// a failed test where FANFOLD_TESTDATA is set, else a skipped one. tests/test_data.py is the same for Python.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "catch.hpp"

namespace test_data {

inline constexpr int skip_code = 77;  // SKIP_RETURN_CODE in CMakeLists.txt
inline bool something_skipped = false;

/// From Debian's package dataset-fashion-mnist.
inline const std::filesystem::path fashion_mnist = "/usr/share/datasets/fashion-mnist";

/// The place of `name`: a file or folder within FANFOLD_TESTDATA, or an absolute path. Nothing where the test case is
/// to return at once: it is missing and nobody promised it; main() then ends with skip_code.
/// Such test cases have the tag [data].
inline std::optional<std::filesystem::path> find(const std::filesystem::path& name) {
    const char* set = std::getenv("FANFOLD_TESTDATA");
    const bool promised = set != nullptr && *set != '\0';
    const std::filesystem::path place = promised ? set / name : name;
    if ((promised || name.is_absolute()) && std::filesystem::exists(place)) return place;
    if (promised) FAIL("FANFOLD_TESTDATA is set, but " << place.string() << " is missing");
    WARN("skipped: " << name.string() << " is missing, FANFOLD_TESTDATA is not set");
    something_skipped = true;
    return std::nullopt;
}

}  // namespace test_data
