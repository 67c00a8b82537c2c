// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>

#include <algorithm>
#include <cstdio>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("Poisson arrivals have the rate asked for, exponential gaps, and repeat by seed") {
    const auto times = poisson(1000, 100s, 4);
    CHECK(static_cast<double>(times.size()) == Approx(100'000).epsilon(0.02));
    CHECK(std::is_sorted(times.begin(), times.end()));
    CHECK(times.back() < 100s);
    std::size_t short_gaps = 0;  // below the mean: 1 - 1/e of them
    for (std::size_t i = 1; i < times.size(); ++i) short_gaps += times[i] - times[i - 1] < 1ms ? 1 : 0;
    CHECK(static_cast<double>(short_gaps) / static_cast<double>(times.size()) == Approx(0.632).epsilon(0.02));
    CHECK(poisson(1000, 100s, 4) == times);
    CHECK(poisson(1000, 100s, 5) != times);
}

TEST_CASE("Bursts come together and keep the rate") {
    const auto times = bursts(1000, 50, 100s);
    CHECK(static_cast<double>(times.size()) == Approx(100'000).epsilon(0.1));
    for (std::size_t i = 0; i < times.size(); i += 50) REQUIRE(times[i] == times[i + 49]);
    CHECK(text_of([] { (void)bursts(0, 1, 1s); }) == "arrivals: 0.000000 a second in bursts of 1");
    CHECK(text_of([] { (void)bursts(1, 0, 1s); }) == "arrivals: 1.000000 a second in bursts of 0");
}

TEST_CASE("A trace is read line by line, and what is no number is named") {
    CHECK(arrivals_of("0.5 # first\n\n0.25\r\n# nothing\n1e-3") == std::vector<duration>{1ms, 250ms, 500ms});
    CHECK(arrivals_of("").empty());
    CHECK(text_of([] { (void)arrivals_of("1\n2 3"); }) == "arrivals: line 2: expected seconds, got '2 3'");
    CHECK(text_of([] { (void)arrivals_of("a\rb"); }) == "arrivals: line 1: expected seconds, got 'a?b'");
    CHECK(text_of([] { (void)arrivals_of("-1"); }) == "arrivals: line 1: expected seconds, got '-1'");
    CHECK(text_of([] { (void)arrivals_of("soon"); }) == "arrivals: line 1: expected seconds, got 'soon'");
    CHECK(text_of([] { (void)read_arrivals("/nowhere/at/all"); }) == "arrivals: cannot read /nowhere/at/all");
}
