// SPDX-License-Identifier: MIT
#include <fanfold/infer/policy_claims.hpp>

#include <bit>
#include <random>

#include "virtual_run.hpp"

using namespace virtual_run;

namespace {

const auto one_ms = [](const attempt&) -> duration { return 1ms; };
const auto passes = [](const claim&, const std::vector<std::size_t>&, time_point) { return outcome{}; };

/// Fails while any of its rows is poison.
struct poisoned {
    std::set<std::size_t> poison;
    outcome operator()(const claim& what, const std::vector<std::size_t>& rows, time_point) const {
        for (const std::size_t row : rows)
            if (poison.contains(row)) return threw(rows, what.attempt);
        return {};
    }
};

/// Every row is answered once or named once.
void check_whole(const ended& run) {
    std::vector<int> seen = run.committed;
    for (const fault& f : run.failures)
        for (const std::size_t row : f.rows) ++seen[row];
    REQUIRE(seen == std::vector<int>(seen.size(), 1));
}

}  // namespace

TEST_CASE("Without policies every shard is run once, and what fails stays failed") {
    const ended run = virtual_run::run({.rows = 20, .rows_per_shard = 4, .workers = 3}, one_ms, poisoned{{5}});
    CHECK(run.attempts.size() == 5);
    CHECK(run.failed_rows() == std::vector<std::size_t>{4, 5, 6, 7});
    check_whole(run);
}

TEST_CASE("A failed shard comes again after its delay, and workers go on with others meanwhile") {
    const options how{.retry = {.max_attempts = 3, .base = 100ms, .jitter = jitter::none}};
    const auto twice = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return rows[0] == 4 && what.attempt < 3 ? threw(rows, what.attempt) : outcome{};
    };
    const ended run = virtual_run::run({.rows = 40, .rows_per_shard = 4, .workers = 1, .how = how}, one_ms, twice);
    CHECK(run.failures.empty());
    CHECK(run.attempts.size() == 12);
    CHECK(run.count(attempt_kind::retry) == 2);
    CHECK(run.attempts[9].what.what.shard == 9);  // nobody waited
    CHECK(run.attempts[9].what.ended == start + 10ms);
    CHECK(run.attempts[10].what.started == start + 2ms + 100ms);
    CHECK(run.attempts[11].what.started == start + 103ms + 200ms);
    CHECK(run.attempts[11].what.what.attempt == 3);
    check_whole(run);
}

TEST_CASE("A retry goes to another worker where one is idle") {
    const options how{.retry = {.max_attempts = 2, .base = 10ms, .jitter = jitter::none}};
    const auto once = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return rows[0] == 0 && what.attempt == 1 ? threw(rows, what.attempt) : outcome{};
    };
    const ended run = virtual_run::run({.rows = 100, .workers = 2, .how = how}, one_ms, once);
    for (const lived& one : run.attempts)
        if (one.what.what.kind == attempt_kind::retry) CHECK(one.what.worker != one.what.what.avoid);
    const ended alone = virtual_run::run({.rows = 1, .workers = 1, .how = how}, one_ms, once);
    CHECK(alone.failures.empty());  // it had better not, but there is nobody else
}

TEST_CASE("After max_attempts the last fault stays, with the number of attempts") {
    const options how{.retry = {.max_attempts = 3}};
    const ended run =
        virtual_run::run({.rows = 8, .rows_per_shard = 4, .workers = 2, .how = how}, one_ms, poisoned{{1}});
    REQUIRE(run.failures.size() == 1);
    CHECK(run.failures[0].attempts == 3);
    CHECK(run.failures[0].message == "no");
    CHECK(run.failed_rows() == std::vector<std::size_t>{0, 1, 2, 3});
    check_whole(run);
}

TEST_CASE("A permanent fault is not tried again") {
    const options how{.retry = {.max_attempts = 5, .classify = [](const fault&) { return fault_class::permanent; }}};
    CHECK(virtual_run::run({.rows = 8, .rows_per_shard = 4, .how = how}, one_ms, poisoned{{1}}).attempts.size() == 2);
}

TEST_CASE("classify is asked once a fault") {
    static int asked;
    asked = 0;
    const auto counts = [](const fault&) {
        ++asked;
        return fault_class::permanent;
    };
    const options how{.retry = {.max_attempts = 5, .classify = counts}};
    (void)virtual_run::run({.rows = 8, .rows_per_shard = 4, .how = how}, one_ms, poisoned{{1, 5}});
    CHECK(asked == 2);
}

TEST_CASE("Only the rows that a verifier named are tried again") {
    const options how{.retry = {.max_attempts = 2, .classify = [](const fault&) { return fault_class::transient; }}};
    const auto some = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        outcome result;
        if (what.attempt == 1)
            for (const std::size_t at : {1UL, 3UL})
                result.faults.push_back({fault_kind::not_finite, "nan", {rows[at]}, 1});
        return result;
    };
    const ended run = virtual_run::run({.rows = 10, .rows_per_shard = 5, .how = how}, one_ms, some);
    CHECK(run.count(attempt_kind::retry) == 2);
    CHECK(run.attempts.back().rows.size() == 2);
    CHECK(run.failures.empty());
    check_whole(run);
}

TEST_CASE("Retries end with the deadline that spans all attempts, and with the job's") {
    const retry often{.max_attempts = 100, .base = 10ms, .jitter = jitter::none, .deadline = 100ms};
    const ended run = virtual_run::run({.rows = 1, .how = {.retry = often}}, one_ms, poisoned{{0}});
    CHECK(run.attempts.back().what.started <= start + 100ms);
    CHECK(run.attempts.size() == 4);  // at 0, 11, 32 and 73 ms
    REQUIRE(run.failures.size() == 1);
    CHECK(run.failures[0].message == "no (not tried again: the deadline comes before its next attempt)");

    const retry forever{.max_attempts = 100, .base = 10ms, .jitter = jitter::none};
    const ended job =
        virtual_run::run({.rows = 1, .how = {.retry = forever}, .deadline = start + 50ms}, one_ms, poisoned{{0}});
    CHECK(job.attempts.size() == 3);
    CHECK(job.failures.size() == 1);
}

TEST_CASE("In an outage the budget bounds extra attempts: 20 % and ten a second") {
    const options how{.retry = {.max_attempts = 10, .base = 1ms, .cap = 1ms}};
    const auto outage = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return threw(rows, what.attempt);
    };
    const ended run = virtual_run::run({.rows = 2000, .workers = 4, .how = how}, one_ms, outage);
    const std::size_t extra = run.count(attempt_kind::retry);
    CHECK(extra <= 2000 / 5 + 10 * 10);
    CHECK(extra >= 400);
    CHECK(run.failed_rows().size() == 2000);
    check_whole(run);
    CHECK(run.failures.back().message == "no (not tried again: the budget of retries is spent)");
}

TEST_CASE("k bad rows of n cost at most 2k ceil(log2 n) + 1 attempts, and exactly they are named") {
    std::mt19937 random(3);
    const options how{.retry = {.classify = [](const fault&) { return fault_class::permanent; }},
                      .give_up = give_up::rows};
    for (int round = 0; round < 300; ++round) {
        const std::size_t rows = 1 + random() % 150;
        std::set<std::size_t> poison;
        for (std::size_t k = random() % 5; k != 0; --k) poison.insert(random() % rows);
        const ended run = virtual_run::run(
            {.rows = rows, .rows_per_shard = rows, .workers = 1 + random() % 4, .how = how}, one_ms, poisoned{poison});
        REQUIRE(run.failed_rows() == std::vector<std::size_t>(poison.begin(), poison.end()));
        REQUIRE(run.failures.size() == poison.size());
        REQUIRE(run.attempts.size() <= 2 * poison.size() * static_cast<std::size_t>(std::bit_width(rows - 1)) + 1);
        check_whole(run);
    }
}

TEST_CASE("Halving begins when retries have not helped, is not counted with them, and spends nothing of their budget") {
    const options how{.retry = {.max_attempts = 3, .budget = {.share = 0, .per_second = 0.4}},  // four tokens
                      .give_up = give_up::rows};
    const ended run =
        virtual_run::run({.rows = 64, .rows_per_shard = 64, .workers = 2, .how = how}, one_ms, poisoned{{17}});
    CHECK(run.failed_rows() == std::vector<std::size_t>{17});
    CHECK(run.count(attempt_kind::retry) == 2);
    CHECK(run.count(attempt_kind::part) == 12 + 2);  // the row alone is tried three times, too
    check_whole(run);
}

TEST_CASE("Rows that cannot be computed without the others of their shard are neither halved nor tried apart") {
    const options how{.retry = {.max_attempts = 2, .classify = [](const fault&) { return fault_class::transient; }},
                      .give_up = give_up::rows};
    const auto one_row = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return outcome{{{fault_kind::not_finite, "nan", {rows[0]}, what.attempt}}};
    };
    const ended run = virtual_run::run(
        {.rows = 4, .rows_per_shard = 4, .how = how, .divided = fanfold::detail::shards_are::whole}, one_ms, one_row);
    REQUIRE(run.attempts.size() == 2);
    CHECK(run.attempts[1].rows.size() == 4);
    CHECK(run.failed_rows() == std::vector<std::size_t>{0});
}

TEST_CASE("An attempt over its limit has failed, even if it answered; a row that is always slow is found") {
    const options how{.give_up = give_up::rows, .time_limit = 10ms};
    std::size_t calls = 0;
    const auto slow = [&](const attempt& begun) -> duration {
        ++calls;
        return begun.what.shard == 0 && begun.what.kind == attempt_kind::first ? duration(50ms) : duration(1ms);
    };
    const ended run = virtual_run::run({.rows = 8, .rows_per_shard = 4, .how = how}, slow, passes);
    CHECK(run.failures.empty());
    CHECK(run.attempts[0].result.faults.front().kind == fault_kind::timed_out);
    CHECK(run.attempts[0].result.faults.front().message == "the attempt took longer than its limit of 10000 us");
    CHECK(run.count(attempt_kind::part) == 2);
    CHECK(calls == 4);
    const ended lost = virtual_run::run({.rows = 4, .rows_per_shard = 4, .how = {.time_limit = 10ms}}, slow, passes);
    CHECK(lost.failed_rows().size() == 4);
    CHECK(lost.failures[0].kind == fault_kind::timed_out);
}

TEST_CASE("The breaker opens in an outage, probes, and closes when it is over") {
    const options how{.retry = {.max_attempts = 50, .base = 100ms, .cap = 100ms, .budget = {.per_second = 1000}},
                      .breaker = breaker{.failure_share = 0.5, .min_attempts = 20, .window = 1s, .open_for = 500ms}};
    const auto outage = [](const claim& what, const std::vector<std::size_t>& rows, time_point now) {
        return now >= start + 100ms && now < start + 5s ? threw(rows, what.attempt) : outcome{};
    };
    const ended run = virtual_run::run({.rows = 500, .workers = 4, .how = how}, one_ms, outage);
    CHECK(run.failures.empty());
    check_whole(run);
    std::size_t while_out = 0;
    for (const lived& one : run.attempts) while_out += one.what.started >= start + 1s && one.what.started < start + 5s;
    CHECK(while_out >= 4);  // one probe every 500 ms
    CHECK(while_out <= 10);
    CHECK(run.finish < start + 6s);
}

TEST_CASE("With one of eight workers ten times slower, second attempts hold the 99th percentile at 5 % more work") {
    const auto of = [](std::size_t workers_slow, const options& how) {
        std::mt19937 random(7);
        const auto cost = [&](const attempt& begun) -> duration {
            const auto usual = std::chrono::microseconds(900 + random() % 200);
            return begun.worker < workers_slow ? 10 * usual : usual;
        };
        const ended run = virtual_run::run({.rows = 4000, .workers = 8, .how = how}, cost, passes);
        REQUIRE(run.failures.empty());
        check_whole(run);  // and none twice
        std::map<std::size_t, std::pair<time_point, time_point>> shards;
        for (const lived& one : run.attempts) {
            auto [at, fresh] = shards.try_emplace(one.rows[0], one.what.started, time_point::max());
            at->second.first = std::min(at->second.first, one.what.started);
            if (one.result.answered()) at->second.second = std::min(at->second.second, one.what.ended);
        }
        std::vector<double> took;
        for (const auto& [row, times] : shards)
            took.push_back(std::chrono::duration<double, std::milli>(times.second - times.first).count());
        std::sort(took.begin(), took.end());
        return std::pair(took[took.size() * 99 / 100], run.count(attempt_kind::second));
    };
    const double clean = of(0, {}).first;
    CHECK(of(1, {}).first > 8 * clean);
    const auto [hedged, extra] = of(1, {.hedge = hedge{}});
    CHECK(hedged <= 2.5 * clean);
    CHECK(extra <= 4000 / 20);
    CHECK(extra > 20);
    CHECK(of(0, {.hedge = hedge{}}).second <= 4000 / 20);
}

TEST_CASE("A twin that fails leaves the decision to the other, and when both fail the shard is tried again") {
    options how{.retry = {.max_attempts = 2, .base = 1ms}, .hedge = hedge{.share = 0.5}};
    const auto slow_40 = [](const attempt& begun) -> duration {
        return begun.what.shard == 40 && begun.what.kind == attempt_kind::first ? 100ms : 1ms;
    };
    const auto twin_fails = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return what.kind == attempt_kind::second ? threw(rows, what.attempt) : outcome{};
    };
    const ended first_wins = virtual_run::run({.rows = 50, .workers = 2, .how = how}, slow_40, twin_fails);
    CHECK(first_wins.count(attempt_kind::second) >= 1);
    CHECK(first_wins.failures.empty());
    CHECK(first_wins.count(attempt_kind::retry) == 0);
    check_whole(first_wins);

    const auto both_fail = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        return what.shard == 40 && what.kind != attempt_kind::retry ? threw(rows, what.attempt) : outcome{};
    };
    const ended retried = virtual_run::run({.rows = 50, .workers = 2, .how = how}, slow_40, both_fail);
    CHECK(retried.count(attempt_kind::retry) == 1);
    CHECK(retried.failures.empty());
    check_whole(retried);

    const auto both_name_a_row = [](const claim& what, const std::vector<std::size_t>& rows, time_point) {
        if (what.shard != 20 || what.kind == attempt_kind::retry) return outcome{};
        return outcome{{{fault_kind::not_finite, "nan", {rows[1]}, what.attempt}}};
    };
    const auto slow_20 = [](const attempt& begun) -> duration {
        return begun.what.shard == 20 && begun.what.kind == attempt_kind::first ? 100ms : 1ms;
    };
    const ended named =
        virtual_run::run({.rows = 100, .rows_per_shard = 4, .workers = 2, .how = how}, slow_20, both_name_a_row);
    CHECK(named.count(attempt_kind::second) >= 1);
    std::vector<int> seen = named.committed;
    for (const std::size_t row : named.failed_rows()) ++seen[row];
    CHECK(seen == std::vector<int>(100, 1));
}

TEST_CASE("Whatever fails, by any seed, every row is answered once or named once, and nobody waits for nothing") {
    for (unsigned seed = 0; seed < 3000; ++seed) {
        std::mt19937 random(seed);
        options how;
        how.retry.max_attempts = 1 + random() % 4;
        how.retry.base = std::chrono::microseconds(random() % 3000);
        how.retry.jitter = static_cast<jitter>(random() % 3);
        if (random() % 3 == 0) how.retry.deadline = 20ms;
        if (random() % 3 == 0) how.retry.budget = {.share = 0.1, .per_second = 1};
        if (random() % 2 == 0) how.give_up = give_up::rows;
        if (random() % 2 == 0) how.hedge = hedge{.quantile = 0.8, .share = 0.3, .min_peers = 3};
        if (random() % 3 == 0)
            how.breaker = breaker{
                .failure_share = 0.3, .min_attempts = 5, .window = 50ms, .open_for = 5ms, .probes = 1 + random() % 3};
        if (random() % 3 == 0) how.time_limit = 5ms;
        how.retry.seed = seed;
        const std::size_t rows = 1 + random() % 60;
        set_up given{.rows = rows, .rows_per_shard = 1 + random() % 9, .workers = 1 + random() % 6, .how = how};
        if (random() % 4 == 0) given.deadline = start + std::chrono::milliseconds(random() % 30);
        if (random() % 8 == 0) given.divided = fanfold::detail::shards_are::whole;
        std::set<std::size_t> poison;
        for (std::size_t k = random() % 4; k != 0; --k) poison.insert(random() % rows);
        const std::size_t flaky = random() % 3 * 10;
        const auto cost = [&](const attempt& begun) -> duration {
            return std::chrono::microseconds((begun.worker == 0 ? 5 : 1) * (500 + random() % 500));
        };
        const auto result = [&](const claim& what, const std::vector<std::size_t>& of, time_point now) {
            outcome came;
            if (given.deadline && now >= *given.deadline)
                return outcome{{{fault_kind::timed_out, "late", of, what.attempt}}};
            if (random() % 100 < flaky) return threw(of, what.attempt);
            for (const std::size_t row : of) {
                if (!poison.contains(row)) continue;
                if (row % 2 == 0) return threw(of, what.attempt, "poison");
                came.faults.push_back({fault_kind::not_finite, "nan", {row}, what.attempt});
            }
            return came;
        };
        INFO("seed " << seed);
        const ended run = virtual_run::run(given, cost, result);
        std::vector<int> seen = run.committed;
        for (std::size_t row = 0; row < rows; ++row) {
            std::size_t named = 0;
            for (const fault& f : run.failures)
                named += static_cast<std::size_t>(std::count(f.rows.begin(), f.rows.end(), row));
            const bool unclaimed = seen[row] == 0 && named == 0;
            REQUIRE(named <= 1);
            if (unclaimed) REQUIRE(given.deadline);  // infer names those by its record
            if (given.divided == fanfold::detail::shards_are::divisible)
                REQUIRE(seen[row] + static_cast<int>(named) <= 1);
            if (poison.contains(row)) REQUIRE((named == 1 || unclaimed));
        }
    }
}
