// tests/docs/preamble.hpp - what every ```cpp block of docs/ and CONTRIBUTING.md may assume; see extract.py.
// SPDX-License-Identifier: MIT
#pragma once
#include <fanfold/fanfold.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

/// States in a snippet what is true at that point.
inline void expect(bool holds, int line = __builtin_LINE()) {
    if (!holds) throw std::logic_error("line " + std::to_string(line) + ": expected this to be true");
}
