// tests/verify/duplicate.cpp - what the options of `duplicate` say, seen in what a job does.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/verify/duplicate.hpp>

#include <cmath>
#include <set>
#include <string>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

namespace {

const simulated_executor cluster({.workers = 3}, [](const claim&, std::size_t) { return 1ms; });

/// The shards of two hundred that were computed a second time; checks that nothing else was.
std::set<std::size_t> computed_twice(const duplicate& how) {
    const job done = infer(cluster, independent_rows(sine), ramp(200),
                           {.partition = contiguous{.rows_per_shard = 1}, .duplicate = how});
    std::set<std::size_t> once, twice;
    for (const event& e : done.events.attempts)
        if (!once.insert(e.shard).second) CHECK(twice.insert(e.shard).second);
    CHECK(once.size() == 200);
    CHECK(done.failures.empty());
    CHECK(done.events.checks.compared == twice.size());
    return twice;
}

}  // namespace

TEST_CASE("Duplicates: every shard unless another fraction is given, and the same seed is the same sample") {
    CHECK(computed_twice({}).size() == 200);
    CHECK(computed_twice({.fraction = 0}).empty());
    const auto half = computed_twice({.fraction = 0.5});
    CHECK((half.size() > 60 && half.size() < 140));
    CHECK(computed_twice({.fraction = 0.5, .seed = 0}) == half);
    CHECK(computed_twice({.fraction = 0.5, .seed = 1}) != half);
}

TEST_CASE("Duplicates of a fraction that is none are refused") {
    for (const double fraction : {-0.1, 1.1, std::nan("")})
        CHECK(text_of([&] { (void)computed_twice({.fraction = fraction}); }) ==
              "infer: duplicate expects a fraction in [0, 1], got " + std::to_string(fraction));
}
