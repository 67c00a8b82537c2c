// SPDX-License-Identifier: MIT
#include <fanfold/context/random.hpp>
#include <fanfold/partition/contiguous.hpp>
#include <fanfold/partition/cost_model.hpp>
#include <fanfold/partition/longest_first.hpp>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

/// What a job would have told whose rows take `seconds` each.
timeline timed(const plan& shards, const std::vector<double>& seconds) {
    timeline events;
    for (std::size_t s = 0; s < shards.shards(); ++s) {
        double sum = 0;
        for (std::size_t at = 0; at < shards.rows_of(s); ++at) sum += seconds[shards.row(s, at)];
        event e;
        e.shard = s;
        e.rows = shards.rows_of(s);
        e.finished = e.started + std::chrono::nanoseconds(static_cast<long>(sum * 1e9));
        events.attempts.push_back(e);
    }
    return events;
}
/// Where workers end that claim the shards in order.
double claimed_end(const plan& p, const std::vector<double>& seconds, std::size_t workers) {
    std::vector<double> free_at(workers);
    for (std::size_t s = 0; s < p.shards(); ++s) {
        double& first = *std::min_element(free_at.begin(), free_at.end());
        for (std::size_t at = 0; at < p.rows_of(s); ++at) first += seconds[p.row(s, at)];
    }
    return *std::max_element(free_at.begin(), free_at.end());
}

}  // namespace

TEST_CASE("Before anything was learned a row costs what the hint says") {
    const cost_model model;
    CHECK(model(3.0) == 3.0);
    CHECK(model.costs(std::vector{1, 5}, 2) == std::vector<double>{1, 5});
    CHECK(model.jobs() == 0);
}

TEST_CASE("Costs that grow with the square of the feature are learned, from shards of several rows too") {
    random_bits bits(5);
    std::vector<double> lengths(20'000), seconds;
    for (double& one : lengths) one = static_cast<double>(1 + bits.below(512));
    for (const double one : lengths) seconds.push_back(1e-6 * one * one + 1e-5);
    for (const std::size_t rows_per_shard : {1UL, 4UL}) {
        const plan shards = contiguous{.rows_per_shard = rows_per_shard}({.rows = lengths.size()});
        cost_model model;
        model.learn(shards, timed(shards, seconds), lengths);
        CHECK(model.jobs() == 1);
        for (const double length : {20.0, 50.0, 200.0, 500.0})
            CHECK(model(length) == Approx(1e-6 * length * length + 1e-5)
                                       .epsilon(0.15)
                                       .margin(rows_per_shard == 1 ? 0 : 0.005));  // of 0.09 on average
    }
}

TEST_CASE("The second run plans better than the first, whose hint was wrong") {
    random_bits bits(6);
    std::vector<double> bytes(3000), seconds;
    for (double& one : bytes) one = static_cast<double>(1 + bits.below(1000));
    for (const double one : bytes) seconds.push_back(1.0 / one);  // the short ones are the slow ones
    const workload w{bytes.size(), 16};
    double total = 0;
    for (const double one : seconds) total += one;
    const double bound = std::max(total / 16, *std::max_element(seconds.begin(), seconds.end()));

    cost_model model;
    const auto plan_next = [&] { return longest_first{.cost = model.costs(bytes, bytes.size())}(w); };
    const plan first = plan_next();
    const double first_end = claimed_end(first, seconds, 16);
    model.learn(first, timed(first, seconds), bytes);
    const double second_end = claimed_end(plan_next(), seconds, 16);
    CHECK(second_end < first_end);
    CHECK(second_end <= 1.05 * bound);
    CHECK(first_end > 1.05 * bound);
}

TEST_CASE("Costs that change are learned anew: older jobs count half as much with each") {
    const std::vector<double> ones(100, 1.0);
    const plan shards = contiguous{.rows_per_shard = 1}({.rows = 100});
    cost_model model;
    model.learn(shards, timed(shards, std::vector<double>(100, 1.0)), ones);
    CHECK(model(1.0) == Approx(1.0));
    for (int job = 0; job < 6; ++job) model.learn(shards, timed(shards, std::vector<double>(100, 3.0)), ones);
    CHECK(model(1.0) == Approx(3.0).epsilon(0.02));
}

TEST_CASE("Where nothing was seen the nearest feature that was says how hint and cost relate") {
    const plan shards = contiguous{.rows_per_shard = 1}({.rows = 2});
    cost_model model;
    model.learn(shards, timed(shards, {1.0, 64.0}), std::vector{1, 1024});
    CHECK(model(2.0) == Approx(2.0));
    CHECK(model(4096.0) == Approx(256.0));
    CHECK(model(0.0) >= 0);
}

TEST_CASE("Failed attempts, parts of shards and features of another batch teach nothing") {
    const plan shards = contiguous{.rows_per_shard = 2}({.rows = 4});
    timeline events = timed(shards, {1, 1, 1, 1});
    events.attempts[0].fault = fault_kind::threw;
    events.attempts[1].rows = 1;
    cost_model model;
    model.learn(shards, events, std::vector{1, 1, 1, 1});
    CHECK(model.jobs() == 0);
    CHECK(text_of([&] {
              model.learn(shards, events, std::vector{1, 1});
          }) == "cost_model: features: 2 given for a batch of 4 rows");
}
