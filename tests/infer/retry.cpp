// SPDX-License-Identifier: MIT
#include <fanfold/infer/retry.hpp>

#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("Without jitter delays double up to the cap") {
    const retry how{.base = 50ms, .cap = 1s, .jitter = jitter::none};
    random_bits random(1);
    std::vector<duration> delays;
    for (unsigned n = 1; n <= 7; ++n) delays.push_back(backoff(how, n, {}, random));
    CHECK(delays == std::vector<duration>{50ms, 100ms, 200ms, 400ms, 800ms, 1s, 1s});
    CHECK(backoff(how, 4'000'000'000U, {}, random) == 1s);
}

TEST_CASE("Full jitter is even between nothing and that delay; decorrelated between base and thrice the last one") {
    random_bits random(2);
    const retry full{.base = 100ms, .cap = 300ms};
    const retry decorrelated{.base = 100ms, .cap = 10s, .jitter = jitter::decorrelated};
    duration sum{};
    duration least = 1h;
    duration most{};
    for (int i = 0; i < 10'000; ++i) {
        const duration d = backoff(full, 2, {}, random);
        REQUIRE((d >= 0ms && d <= 200ms));
        sum += d;
        REQUIRE(backoff(full, 30, {}, random) <= 300ms);
        const duration other = backoff(decorrelated, 9, 400ms, random);
        REQUIRE((other >= 100ms && other <= 1200ms));
        least = std::min(least, other);
        most = std::max(most, other);
        REQUIRE(backoff(decorrelated, 9, 9s, random) <= 10s);
        REQUIRE(backoff(decorrelated, 1, {}, random) <= 300ms);
    }
    CHECK((sum / 10'000 > 97ms && sum / 10'000 < 103ms));
    CHECK((least < 102ms && most > 1190ms));
}

TEST_CASE("The same seed gives the same delays") {
    random_bits a(7);
    random_bits b(7);
    random_bits c(8);
    const retry how{};
    const duration first = backoff(how, 5, {}, a);
    CHECK(first == backoff(how, 5, {}, b));
    CHECK(first != backoff(how, 5, {}, c));
}

TEST_CASE("A wrong shape and a number that is not finite come again, other faults may not") {
    CHECK(usual_class(fault_kind::wrong_shape) == fault_class::permanent);
    CHECK(usual_class(fault_kind::not_finite) == fault_class::permanent);
    CHECK(usual_class(fault_kind::threw) == fault_class::transient);
    CHECK(usual_class(fault_kind::timed_out) == fault_class::transient);
    CHECK(usual_class(fault_kind::out_of_memory) == fault_class::transient);
}
