// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/load_json.hpp>

#include <vector>

#include "../catch.hpp"
#include "load_points.hpp"

using namespace fanfold;

TEST_CASE("The curve as JSON") {
    const nlohmann::json j = std::vector<load_point>{at(500, 900, 2000, 400)};
    CHECK(j[0]["goodput_per_s"] == 400);
    CHECK(j[0]["latency_us"]["p99"] == 2000);
    CHECK(j[0].size() == 11);
}
