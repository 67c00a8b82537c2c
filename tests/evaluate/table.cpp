// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/table.hpp>

#include "catch.hpp"

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using fanfold::labelled_report;
using fanfold::report;
using fanfold::timeline;

namespace {

constexpr fanfold::time_point start{};

fanfold::event attempt(std::size_t shard, std::size_t worker, fanfold::duration from, fanfold::duration to) {
    return {.shard = shard, .rows = 50, .worker = worker, .started = start + from, .finished = start + to};
}

/// Four shards of 50 rows on workers 0 and 2 of four, 100 ms.
timeline two_of_four() {
    return {.executor = "tbb",
            .workers = 4,
            .rows = 200,
            .started = start,
            .finished = start + 100ms,
            .cpu_time = 180ms,
            .attempts = {attempt(0, 0, 0ms, 50ms), attempt(1, 2, 0ms, 40ms), attempt(2, 0, 50ms, 90ms),
                         attempt(3, 2, 40ms, 100ms)}};
}

/// Runs of spaces as one: what a table says, whatever its widths.
std::string squeezed(const std::string& text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    return out;
}

}  // namespace

TEST_CASE("a table sets every column against the one with one worker") {
    timeline alone = two_of_four();
    alone.workers = 1;
    alone.finished = start + 300ms;
    const std::vector<labelled_report> columns{{"four", report(two_of_four()), {{"right answers", "181"}}},
                                               {"alone", report(alone), {{"right answers", "180"}}}};
    const std::string text = fanfold::table(columns);
    INFO(text);
    const std::string says = squeezed(text);
    const auto has = [&](const std::string& part) { return says.find(part) != std::string::npos; };
    CHECK(says.starts_with("four alone\nright answers 181 180\n"));
    CHECK(has("\nspeed-up over one worker 3.00 1.00\n"));
    CHECK(has("\nefficiency 75.0 % 100.0 %\n"));
    CHECK(has("\nutilization of workers used 95.0 % 31.7 %\n"));
    CHECK(has("\nshard latency p50, us 40000 40000\n"));
    CHECK(has("\nworkers (used) 4 (2) 1 (2)\n"));
    std::size_t line_ends = 0;  // every full line is as wide as the others
    const std::size_t width = text.find('\n');
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        CHECK(text.find('\n', at) - at == width);
        ++line_ends;
    }
    CHECK(line_ends == 17);
}

TEST_CASE("A table says what faults took, where something happened") {
    timeline troubled = two_of_four();
    troubled.resumed = 1000;
    troubled.attempts[1].kind = fanfold::attempt_kind::retry;
    troubled.attempts[2].kind = fanfold::attempt_kind::part;
    troubled.attempts[3].kind = fanfold::attempt_kind::second;
    const auto of = [](std::vector<labelled_report> columns) { return squeezed(fanfold::table(columns)); };
    const auto says = of({{"calm", report(two_of_four()), {}}, {"troubled", report(troubled), {}}});
    const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    CHECK(has(says, "\nresumed rows 0 1,000\nretries 0 1\nsecond attempts 0 1\n"
                    "attempts at halves 0 1\nattempts 4 4\n"));
    troubled.attempts[0].kind = fanfold::attempt_kind::check;
    troubled.checks = {.compared = 3, .undecided = 1};
    const auto checked = of({{"troubled", report(troubled), {}}});
    CHECK(has(checked, "\ncopies to compare 1\ntime in copies, s 0.0500\nsets of rows compared 3\n"
                       "without a majority 1\nattempts 4\n"));
    const auto calm = of({{"calm", report(two_of_four()), {}}});
    for (const char* word : {"resumed", "retries", "second", "halves", "copies", "\nattempts"})
        CHECK_FALSE(has(calm, word));
}

TEST_CASE("a table without a column of one worker has no speed-up") {
    const std::vector<labelled_report> columns{{"four", report(two_of_four()), {}},
                                               {"again", report(two_of_four()), {}}};
    CHECK(fanfold::table(columns).find("speed-up") == std::string::npos);
    CHECK(fanfold::table({}).find("speed-up") == std::string::npos);
}

TEST_CASE("a line that only one column has stays empty in the others") {
    const std::vector<labelled_report> columns{{"a", report(two_of_four()), {}},
                                               {"b", report(two_of_four()), {{"digest", "00ff"}}}};
    CHECK(squeezed(fanfold::table(columns)).find("\ndigest 00ff\n") != std::string::npos);
}

TEST_CASE("large numbers are grouped by thousands") {
    CHECK(fanfold::grouped(0) == "0");
    CHECK(fanfold::grouped(999) == "999");
    CHECK(fanfold::grouped(1000) == "1,000");
    CHECK(fanfold::grouped(1234567) == "1,234,567");
}
