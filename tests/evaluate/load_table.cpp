// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/load_table.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "load_points.hpp"

using namespace fanfold;

TEST_CASE("The curve as a table") {
    const std::vector<load_point> curve{at(500, 900, 2000, 500), at(12000, 12345, 99000, 9000)};
    CHECK(load_table(curve) ==
          "offered/s  goodput/s  p50 ms  p95 ms  p99 ms  max ms  late  timed out  overloaded  failed\n"
          "      500        500    0.90    2.00    2.00    2.00     0          0           0       0\n"
          "    12000       9000   12.35   99.00   99.00   99.00     0          0           0       0\n");
}

TEST_CASE("The curve as a picture: lines within their panels") {
    const std::string svg = load_svg(std::vector<load_point>{at(100, 900, 2000, 100), at(200, 10'000, 50'000, 150)});
    CHECK(svg.rfind("<svg xmlns", 0) == 0);
    CHECK(std::count(svg.begin(), svg.end(), '<') == std::count(svg.begin(), svg.end(), '>'));
    CHECK(svg.find("points=\"250.0,") != std::string::npos);  // half of 70 .. 430
    CHECK(svg.find("430.0,") != std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    const std::string empty = load_svg({});
    CHECK(empty.find("nan") == std::string::npos);
    CHECK(empty.find("inf") == std::string::npos);
}
