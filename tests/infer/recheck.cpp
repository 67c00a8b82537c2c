// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/infer/recheck.hpp>

#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/evaluate/report.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>

#include <bit>
#include <cmath>
#include <mutex>
#include <set>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;
using fanfold::detail::recheck;
using fanfold::detail::recheck_rules;

namespace {

template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each(threads_executor({.workers = 4}));
    each(tbb_executor({.workers = 4}));
    each(simulated_executor({.workers = 5}, [](const claim&, std::size_t) { return 1ms; }));
}

/// Flips a bit of an answer at the first computation of each of these rows.
auto flips_once(std::mutex& mutex, std::set<float>& rows) {
    return independent_rows([&](std::span<const float> shard) {
        auto out = sine(shard);
        const std::lock_guard lock(mutex);
        for (std::size_t at = 0; at < shard.size(); ++at)
            if (rows.erase(shard[at]) != 0) out[at] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(out[at]) ^ 1U);
        return out;
    });
}

}  // namespace

TEST_CASE("The digest that a quorum of distinct workers gave counts, and others are named") {
    recheck votes({1, 0, 3, 2}, 4, 4);
    CHECK(votes.open(7, {}, 0, 11) == 2);
    CHECK_FALSE(votes.may_take(0, 0));
    votes.take(0, 1);
    CHECK_FALSE(votes.cast(0, 1, 12));
    CHECK(votes.ended(0, {}) == recheck::next::nothing);
    votes.take(0, 3);
    CHECK(votes.cast(0, 3, 12));
    CHECK(votes.ended(0, {}) == recheck::next::nothing);
    const auto lies = votes.take_lies();
    REQUIRE(lies.size() == 1);
    CHECK((lies[0].worker == 0 && lies[0].shard == 7 && lies[0].digest == 11 && lies[0].right == 12));
    CHECK(votes.quarantined(0));
    CHECK(votes.counts().compared == 1);
    CHECK(votes.counts().differing == 1);
}

TEST_CASE("Without a quorum there is one more copy, then the rows have failed, with all digests") {
    recheck votes({1, 0, 2, 2}, 3, 3);
    votes.open(0, {}, 0, 1);
    for (const std::size_t worker : {1UL, 2UL}) {
        votes.take(0, worker);
        CHECK_FALSE(votes.cast(0, worker, worker + 1));
        CHECK(votes.ended(0, {}) == (worker == 1 ? recheck::next::one_more : recheck::next::undecided));
    }
    const fault why = votes.reason(0);
    CHECK(why.kind == fault_kind::disagreed);
    CHECK(why.message ==
          "no 2 workers agree: worker 0 gave 0000000000000001, worker 1 gave 0000000000000002, worker 2 gave "
          "0000000000000003");
    CHECK(votes.counts().undecided == 1);
    CHECK_FALSE(votes.quarantined(1));
}

TEST_CASE("Two workers that differ are asked again: who repeats what the other gave first decides") {
    recheck votes({1, 0, 2, 2}, 2, 2);
    votes.open(0, {}, 0, 1);
    votes.take(0, 1);
    CHECK_FALSE(votes.cast(0, 1, 2));
    CHECK(votes.ended(0, {}) == recheck::next::one_more);
    CHECK((votes.may_take(0, 0) && votes.may_take(0, 1)));
    votes.take(0, 0);
    CHECK_FALSE(votes.cast(0, 0, 1));  // it agrees with itself only
    CHECK(votes.ended(0, {}) == recheck::next::one_more);
    CHECK_FALSE(votes.may_take(0, 0));
    votes.take(0, 1);
    CHECK(votes.cast(0, 1, 1));
    CHECK(votes.ended(0, {}) == recheck::next::nothing);
    CHECK_FALSE(votes.quarantined(1));  // two are needed
    CHECK(votes.take_lies().size() == 1);
}

TEST_CASE("A sample has its share of the shards, the same for the same seed") {
    const recheck tenth({0.1, 5, 2, 2}, 2, 2);
    const recheck same({0.1, 5, 2, 2}, 2, 2);
    const recheck other({0.1, 6, 2, 2}, 2, 2);
    std::size_t sampled = 0;
    std::size_t differ = 0;
    for (std::size_t shard = 0; shard < 20000; ++shard) {
        sampled += tenth.samples(shard);
        differ += tenth.samples(shard) != other.samples(shard);
        REQUIRE(tenth.samples(shard) == same.samples(shard));
    }
    CHECK(sampled > 1850);
    CHECK(sampled < 2150);
    CHECK(differ > 3000);
}

TEST_CASE("As many workers are useful as have shards or copies to compute") {
    CHECK(recheck_rules{}.useful(5, 8) == 5);
    CHECK(recheck_rules{}.useful(0, 8) == 1);
    CHECK(recheck_rules{}.useful(20, 8) == 8);
    CHECK(recheck_rules{0.5, 0, 2, 2}.useful(2, 8) == 6);
    CHECK(recheck_rules{0, 0, 2, 2}.useful(1, 8) == 3);  // what looks wrong is computed twice more
    CHECK(recheck_rules{0, 0, 2, 2}.useful(5, 8) == 5);
    CHECK(recheck_rules{0, 0, 2, 2}.useful(1, 2) == 2);
}

TEST_CASE("What cannot be compared is refused before anything runs, with the numbers") {
    const auto xs = ramp(10);
    const auto text = [&](const options& how, std::size_t workers = 2) {
        return text_of([&] { (void)infer(threads_executor({.workers = workers}), independent_rows(sine), xs, how); });
    };
    CHECK(text({.vote = vote{}}) == "infer: vote needs 3 workers, and 'threads' has 2");
    CHECK(text({.duplicate = duplicate{}}, 1) == "infer: duplicate needs 2 workers, and 'threads' has 1");
    CHECK(text({.duplicate = duplicate{.fraction = 1.5}}) ==
          "infer: duplicate expects a fraction in [0, 1], got 1.500000");
    CHECK(text({.vote = vote{.replicas = 4, .quorum = 2}}, 4) ==
          "infer: vote expects a quorum of more than half of at least 2 replicas, got 2 of 4");
    CHECK(text({.vote = vote{.replicas = 1, .quorum = 1}}, 4) ==
          "infer: vote expects a quorum of more than half of at least 2 replicas, got 1 of 1");
    CHECK(text({.duplicate = duplicate{}, .vote = vote{}}) ==
          "infer: duplicate and vote are two ways to do the same, choose one");
    CHECK(
        text_of([&] { (void)infer(threads_executor({.workers = 2}), sine, xs, {.duplicate = duplicate{}}); }) ==
        "infer: duplicate compares bits, and this callable does not say that a row's do not depend on others: give it "
        "as independent_rows(f) if they do not");
}

TEST_CASE("Flipped bits are outvoted, and the answers and the ledger have a clean run's bits") {
    const auto xs = ramp(400);
    const auto clean = digest(infer(serial_executor(), sine, xs).answers);
    const auto run = [&](const auto& executor, const options& checks) {
        std::mutex mutex;
        std::set<float> rows{0, 17, 99, 203, 399};
        memory_ledger kept;
        options how = checks;
        how.partition = contiguous{.rows_per_shard = 10};
        how.ledger = kept;
        const job done = infer(executor, flips_once(mutex, rows), xs, how);
        CHECK(rows.empty());
        CHECK(done.failures.empty());
        CHECK(digest(done.answers) == clean);
        CHECK(kept.rows() == 400);
        CHECK(done.events.checks.compared == 40);
        CHECK(done.events.lies.size() == 5);
        CHECK(done.events.checks.differing == 5);
        const report figures(done);
        CHECK((figures.compared == 40 && figures.differing == 5 && figures.undecided == 0));
        CHECK(figures.checks >= 40);
        CHECK(figures.checks_s > 0);
    };
    with_executors([&](const auto& executor) {
        run(executor, {.duplicate = duplicate{}});
        run(executor, {.vote = vote{}});
    });
    run(threads_executor({.workers = 2}), {.duplicate = duplicate{}});
}

TEST_CASE("A worker that lies for ever is named, and given nothing more once it is found out") {
    const auto xs = ramp(1000);
    for (const options& checks : {options{.duplicate = duplicate{}}, options{.vote = vote{}}}) {
        const simulated_executor cluster({.workers = 4}, [](const claim&, std::size_t) { return 1ms; });
        const auto model = independent_rows([&](std::span<const float> shard) {
            auto out = sine(shard);
            if (cluster.worker() == 2) out[0] += 1;
            return out;
        });
        options how = checks;
        how.partition = contiguous{.rows_per_shard = 10};
        const job done = infer(cluster, model, xs, how);
        CHECK(done.failures.empty());
        CHECK(digest(done.answers) == digest(infer(serial_executor(), sine, xs).answers));
        REQUIRE(!done.events.lies.empty());
        time_point found = time_point::max();
        for (const lie& one : done.events.lies) {
            CHECK(one.worker == 2);
            found = std::min(found, one.found);
        }
        for (const event& e : done.events.attempts) CHECK((e.worker != 2 || e.started <= found));
        CHECK(found - done.events.started < 10ms);
    }
}

TEST_CASE("Rows on whose bits nobody agrees have failed, and all others are right") {
    const auto xs = ramp(100);
    const simulated_executor cluster({.workers = 4}, [](const claim&, std::size_t) { return 1ms; });
    float lies = 0;
    const auto model = independent_rows([&](std::span<const float> shard) {
        auto out = sine(shard);
        if (shard[0] == 30) out[0] = ++lies;
        return out;
    });
    for (const options& checks : {options{.duplicate = duplicate{}}, options{.vote = vote{}}}) {
        options how = checks;
        how.partition = contiguous{.rows_per_shard = 10};
        lies = 0;
        const job done = infer(cluster, model, xs, how);
        REQUIRE(done.failures.size() == 1);
        CHECK(done.failures[0].kind == fault_kind::disagreed);
        CHECK(done.failures[0].rows == std::vector<std::size_t>{30, 31, 32, 33, 34, 35, 36, 37, 38, 39});
        CHECK(done.failures[0].message.find("no 2 workers agree: worker ") == 0);
        CHECK(lies == (how.vote ? 4 : 3));
        CHECK(done.events.checks.undecided == 1);
        CHECK(std::isnan(done.answers.as<float>()(30)));
        CHECK(done.answers.as<float>()(40) == std::sin(40.0F));
    }
}

TEST_CASE("A worker at work is waited for; where no other comes, one checks itself after a while, and that is told") {
    const plan shards = contiguous{.rows_per_shard = 1}({.rows = 1, .workers = 1});
    const options how{.duplicate = duplicate{}};
    const time_point start = time_point(1h);
    for (const bool two : {false, true}) {
        fanfold::detail::policy_claims claims(shards, how, fanfold::detail::shards_are::divisible, claim_order::shared,
                                              2, 2, {}, {1, 0, 2, 2});
        if (two) (void)claims.next(1, start);
        const auto answer = [&](const claim& what, time_point now, bool counts) {
            CHECK(claims.commits(what, {}, 5) == counts);
            outcome good;
            CHECK(claims.done({what, what.worker, now, now}, good).counts == counts);
        };
        const next_claim first = two ? next_claim(claim{.shard = 0, .worker = 1}) : claims.next(0, start);
        answer(std::get<claim>(first), start + 1ms, false);
        if (two) {  // worker 0 has not computed it
            answer(std::get<claim>(claims.next(0, start + 1ms)), start + 2ms, true);
        } else {
            const auto until = std::get<wait_until>(claims.next(0, start + 1ms));
            CHECK((until.when == start + 101ms && until.for_others));
            answer(std::get<claim>(claims.next(0, until.when)), start + 102ms, true);
        }
        CHECK(std::holds_alternative<finished>(claims.next(0, start + 102ms)));
        timeline told;
        claims.tell(told);
        CHECK(told.checks.compared == 1);
        CHECK(told.checks.alone == (two ? 0 : 1));
    }
}

TEST_CASE("A copy waits as long as a slow worker is at work that may take it") {
    const auto xs = ramp(30);
    const simulated_executor slow({.workers = 2}, [](const claim& what, std::size_t worker) -> duration {
        return worker == 1 && what.kind == attempt_kind::first ? 10s : 1ms;
    });
    const job waited = infer(slow, independent_rows(sine), xs,
                             {.partition = contiguous{.rows_per_shard = 10}, .duplicate = duplicate{}});
    CHECK(waited.failures.empty());
    CHECK(waited.events.checks.alone == 0);
    CHECK(waited.events.finished - waited.events.started >= 10s);
}
