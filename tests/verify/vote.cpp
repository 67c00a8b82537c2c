// tests/verify/vote.cpp - what the options of `vote` say, seen in what a job does.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/verify/vote.hpp>

#include <map>
#include <set>

#include "../callables.hpp"
#include "../catch.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

namespace {

/// Twelve shards of one row; worker 0 doubles wrongly where it is said to lie.
job voted(const vote& how, std::size_t workers, bool lies = false) {
    const simulated_executor cluster({.workers = workers}, [](const claim&, std::size_t) { return 1ms; });
    const auto model = [&](std::span<const float> rows) {
        auto out = twice(rows);
        if (lies && cluster.worker() == 0) out[0] += 1;
        return out;
    };
    return infer(cluster, independent_rows(model), ramp(12),
                 {.partition = contiguous{.rows_per_shard = 1}, .vote = how});
}
/// How many workers computed each shard; checks that none did twice.
std::set<std::size_t> copies(const vote& how) {
    std::map<std::size_t, std::set<std::size_t>> workers;
    for (const event& e : voted(how, 6).events.attempts) CHECK(workers[e.shard].insert(e.worker).second);
    CHECK(workers.size() == 12);
    std::set<std::size_t> counts;
    for (const auto& [shard, who] : workers) counts.insert(who.size());
    return counts;
}

}  // namespace

TEST_CASE("Votes: three workers compute every shard unless another number is given") {
    CHECK(copies({}) == std::set<std::size_t>{3});
    CHECK(copies({.replicas = 2}) == std::set<std::size_t>{2});
    CHECK(copies({.replicas = 5, .quorum = 3}) == std::set<std::size_t>{5});
}

TEST_CASE("Votes: the bits of two count unless another quorum is given") {
    const job two = voted({}, 3, true);
    CHECK(two.failures.empty());
    for (std::size_t row = 0; row < 12; ++row)
        CHECK(two.answers.as<float>().data()[row] == 2 * static_cast<float>(row));
    REQUIRE_FALSE(two.events.lies.empty());
    for (const lie& found : two.events.lies) CHECK(found.worker == 0);

    const job three = voted({.quorum = 3}, 3, true);  // nobody else is there to make it three
    CHECK(three.failed_rows() == 12);
    for (const fault& f : three.failures) CHECK(f.kind == fault_kind::disagreed);
}
