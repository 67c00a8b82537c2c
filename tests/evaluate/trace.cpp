// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/trace.hpp>

#include <nlohmann/json.hpp>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("A trace has a line for each worker and a bar for each attempt") {
    timeline events{.executor = "tb\"b", .workers = 2, .rows = 9, .started = time_point(5s)};
    events.attempts.push_back(
        {.shard = 0, .rows = 4, .worker = 1, .started = time_point(5s), .finished = time_point(5s + 1500ns)});
    events.attempts.push_back({.shard = 7,
                               .rows = 5,
                               .worker = 0,
                               .attempt = 2,
                               .started = time_point(5s + 2ms),
                               .finished = time_point(5s + 3ms),
                               .fault = fault_kind::out_of_memory});
    const nlohmann::json trace = nlohmann::json::parse(chrome_trace(events));
    const auto& list = trace.at("traceEvents");
    REQUIRE(list.size() == 5);
    CHECK(list[0]["args"]["name"] == "fanfold tb\"b");
    CHECK(list[2]["args"]["name"] == "worker 1");
    CHECK((list[3]["ph"] == "X" && list[3]["name"] == "shard 0" && list[3]["tid"] == 1));
    CHECK((list[3]["ts"] == 0.0 && list[3]["dur"] == 1.5 && list[3]["args"]["rows"] == 4));
    CHECK((list[4]["ts"] == 2000.0 && list[4]["dur"] == 1000.0 && list[4]["args"]["attempt"] == 2));
    CHECK(list[4]["args"]["fault"] == "out of memory");
}
