// tests/simulate/main.cpp - whole jobs on a virtual clock, with faults by seed.   usage: simulate FIRST COUNT
// Throws, poison rows, slow workers, workers that die, lost answers, time limits, outages, flipped bits, workers that
// lie, crashes and resumption, in every mixture of policies. Each seed replays its run exactly; the first that breaks a
// promise is named, and the exit code is 1.
// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/context/random.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/verify/finite.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

struct crash {};

void expect(bool holds, const std::string& what) {
    if (!holds) throw std::logic_error(what);
}

float answer(float x) { return std::sin(x) * 3; }

enum class nature { good, throws, infinite };

/// What one seed is made of.
struct world {
    explicit world(std::uint64_t seed) : random(seed), rows(1 + random.below(120)), natures(rows.size(), nature::good) {
        std::iota(rows.begin(), rows.end(), 0.0F);
        for (std::size_t k = random.below(4); k != 0; --k)
            natures[random.below(rows.size())] = random.below(2) == 0 ? nature::throws : nature::infinite;
        flaky = random.below(2) == 0 ? 0 : 0.3 * random.uniform();
        slow_worker = random.below(2) == 0 ? no_worker : random.below(8);
        slowness = random.below(4) == 0 ? 1000 : 10;
        if (random.below(4) == 0) dying_worker = random.below(8);
        lives_for = std::chrono::milliseconds(random.below(20));
        if (random.below(4) == 0) lost = 0.2 * random.uniform();

        how.verify = fanfold::finite{};
        if (random.below(3) != 0) {
            how.retry.max_attempts = static_cast<unsigned>(1 + random.below(5));
            how.retry.base = std::chrono::microseconds(random.below(3000));
            how.retry.cap = 10ms;
            how.retry.jitter = static_cast<jitter>(random.below(3));
            how.retry.seed = seed;
            if (random.below(4) == 0) how.retry.deadline = std::chrono::milliseconds(1 + random.below(20));
            if (random.below(3) == 0) how.retry.budget = {.share = 0.1, .per_second = 1, .lifetime = 10s};
        }
        if (random.below(2) == 0) how.give_up = give_up::rows;
        if (random.below(2) == 0) how.hedge = hedge{.quantile = 0.8, .share = 0.3, .min_peers = 3};
        if (random.below(3) == 0) how.time_limit = std::chrono::milliseconds(2 + random.below(8));
        if (random.below(4) == 0)
            how.breaker = breaker{.failure_share = 0.4,
                                  .min_attempts = 5,
                                  .window = 50ms,
                                  .open_for = 3ms,
                                  .probes = 1 + random.below(3)};
        digests_wanted = static_cast<digests>(random.below(3));
        how.digests = digests_wanted;
        if (random.below(2) == 0) return;
        switch (random.below(4)) {
            case 0:
                how.duplicate = duplicate{.fraction = 0.3, .seed = seed};
                least_workers = 2;
                return;
            case 1: how.duplicate = duplicate{}; break;
            case 2: how.vote = vote{}; break;
            default: how.vote = vote{.replicas = 5, .quorum = 3};
        }
        least_workers = how.duplicate ? 2 : how.vote->replicas;
        if (random.below(2) == 0) flips = 0.05 * random.uniform();
        if (random.below(2) == 0) liar = random.below(4);
    }

    /// Where a good row may have failed, too: attempts end early, or are not made at all.
    [[nodiscard]] bool gives_up_early() const {
        const bool bounded = how.retry.deadline != duration::max() || how.retry.budget.per_second < 10;
        return fails_now_and_then() || flips > 0 || liar != no_worker || slow_worker != no_worker || how.time_limit ||
               bounded;
    }
    [[nodiscard]] bool fails_now_and_then() const { return flaky > 0 || lost > 0 || dying_worker != no_worker; }
    /// Where no attempt has a reason to fail.
    [[nodiscard]] bool flawless() const {
        return !fails_now_and_then() && flips == 0 && liar == no_worker && !how.time_limit &&
               std::count(natures.begin(), natures.end(), nature::good) == static_cast<std::ptrdiff_t>(rows.size());
    }

    random_bits random;
    std::vector<float> rows;
    std::vector<nature> natures;
    double flaky = 0;
    std::size_t slow_worker = no_worker;
    int slowness = 1;
    std::size_t dying_worker = no_worker;
    duration lives_for{};
    double lost = 0;  ///< share of the calls whose answers are computed and never come
    options how;
    digests digests_wanted = digests::none;
    std::size_t least_workers = 1;
    double flips = 0;  ///< share of the calls that have one
    std::size_t liar = no_worker;
};

/// What becomes of an attempt, decided when it starts.
enum class fate { ends, gone, lost };

/// What the workers and what a model was asked to do to the bits.
struct mischief {
    std::vector<fate> fates = std::vector<fate>(8);                           ///< of what a worker runs now
    std::vector<std::vector<float>> runs = std::vector<std::vector<float>>(8);  ///< these rows
    std::vector<bool> settled;                                                ///< by row: it has its answer
    std::vector<bool> did = std::vector<bool>(8);  ///< by worker
    std::size_t calls_that_flip = 0;
};

/// The promises that a finished job has kept.
void check(const world& given, const job& done, const memory_ledger& kept, time_point begun, const mischief& seen) {
    std::vector<int> named(given.rows.size(), 0);
    for (const fault& f : done.failures)
        for (const std::size_t row : f.rows) ++named[row];
    for (std::size_t row = 0; row < named.size(); ++row) {
        const std::string which = "row " + std::to_string(row);
        expect(named[row] <= 1, which + " is named twice");
        const float expected = answer(given.rows[row]);
        const float got = done.answers.as<float>()(row);
        if (named[row] == 0) expect(std::memcmp(&expected, &got, 4) == 0, which + " has other bits than a serial run");
        if (named[row] != 0) expect(std::isnan(got), which + " failed and has an answer");
        if (given.natures[row] != nature::good) expect(named[row] == 1, which + " cannot pass and is not named");
        if (given.natures[row] == nature::good && given.how.give_up == give_up::rows && !given.gives_up_early())
            expect(named[row] == 0, which + " is good and was given up");
    }
    expect(kept.rows() == named.size() - done.failed_rows(), "the ledger holds other rows than have answers");

    std::size_t retries = 0;
    std::size_t seconds = 0;
    std::size_t firsts = 0;
    std::size_t computed = 0;
    for (const event& e : done.events.attempts) {
        firsts += e.kind == attempt_kind::first;
        if (e.kind == attempt_kind::first) computed += e.rows;
        retries += e.kind == attempt_kind::retry;
        seconds += e.kind == attempt_kind::second;
        if (e.kind == attempt_kind::retry && given.least_workers == 1)
            expect(e.attempt <= given.how.retry.max_attempts + (given.how.hedge ? 1 : 0),
                   "attempt " + std::to_string(e.attempt));
        if (given.how.retry.deadline != duration::max() && e.kind == attempt_kind::retry) {
            time_point first = time_point::max();
            for (const event& other : done.events.attempts)
                if (other.shard == e.shard) first = std::min(first, other.started);
            expect(e.started <= first + given.how.retry.deadline, "an attempt after the deadline of its retries");
        }
    }
    expect(computed + done.events.resumed == named.size(), "rows that were done are computed again");
    const retry_budget& budget = given.how.retry.budget;
    const double seconds_of_life = std::chrono::duration<double>(budget.lifetime).count();
    const double lives =
        1 + std::chrono::duration<double>(done.events.finished - begun).count() / (0.9 * seconds_of_life);
    expect(static_cast<double>(retries) <=
               budget.share * static_cast<double>(firsts) + lives * budget.per_second * seconds_of_life + 1,
           std::to_string(retries) + " retries of " + std::to_string(firsts) + " shards are more than the budget");
    const check_counts& checks = done.events.checks;
    expect(checks.alone == 0, "a copy was computed by a worker that had computed it before");
    for (const lie& one : done.events.lies) {
        expect(seen.did[one.worker], "worker " + std::to_string(one.worker) + " is called a liar and is none");
        if (done.events.workers <= given.least_workers + 1 || done.events.attempts.size() < 20) continue;
        for (const event& e : done.events.attempts)
            expect(e.worker != one.worker || e.started <= one.found || seen.calls_that_flip > 0,
                   "worker " + std::to_string(one.worker) + " goes on after its lie was found");
    }
    std::size_t copies = 0;
    for (const event& e : done.events.attempts) copies += e.kind == attempt_kind::check;
    if (given.how.vote && !given.gives_up_early() && done.failures.empty() && done.events.resumed == 0)
        expect(copies == (given.how.vote->replicas - 1) * firsts,
               std::to_string(copies) + " copies of " + std::to_string(firsts) + " shards");
    const bool honest_majority = seen.calls_that_flip == 0 && !given.fails_now_and_then() && !given.how.time_limit &&
                                 done.events.workers > given.least_workers;
    for (const fault& f : done.failures)
        expect(f.kind != fault_kind::disagreed || !honest_majority, "no majority, and one liar alone: " + f.message);
    if (given.digests_wanted == digests::of_rows) {
        expect(changed_rows(done).empty(), "answers do not have their digests");
        for (std::size_t row = 0; row < named.size(); ++row)
            expect((done.digests[row] == 0) == (named[row] != 0), "row " + std::to_string(row) + " has no digest");
    }
    if (given.flawless()) expect(retries == 0, "nothing fails, and something was tried again");
    if (given.how.hedge)
        expect(static_cast<double>(seconds) <= given.how.hedge->share * static_cast<double>(firsts),
               "too many second attempts");
}

/// Everything that one seed does, so that a replay can be compared.
std::uint64_t live(std::uint64_t seed) {
    world given(seed);
    memory_ledger kept;
    given.how.ledger = kept;
    std::uint64_t trace = seed;
    const std::size_t crashes = given.random.below(3);
    for (std::size_t run = 0;; ++run) {
        const std::size_t workers = std::max(given.least_workers, 1 + given.random.below(8));
        mischief seen;
        seen.settled.resize(given.rows.size());
        time_point dies;
        fanfold::clock time;
        const auto cost = [&](const claim&, std::size_t worker) -> duration {
            const duration takes = std::chrono::microseconds(500 + given.random.below(500)) *
                                   (worker == given.slow_worker ? given.slowness : 1);
            const bool gone = worker == given.dying_worker && time.now() + takes >= dies;
            seen.fates[worker] = gone ? fate::gone : given.random.uniform() < given.lost ? fate::lost : fate::ends;
            return seen.fates[worker] == fate::ends ? takes : 10ms;  // until nobody waits for it any more
        };
        const simulated_executor cluster({.workers = workers, .seed = given.random()}, cost);
        time = cluster.time();
        dies = time.now() + given.lives_for;
        const auto honest = [&](std::span<const float> shard) {
            if (given.random.uniform() < given.flaky) throw std::runtime_error("busy");
            std::vector<float> out;
            for (const float x : shard) {
                const nature n = given.natures[static_cast<std::size_t>(x)];
                if (n == nature::throws) throw std::runtime_error("poison");
                out.push_back(n == nature::infinite ? std::numeric_limits<float>::infinity() : answer(x));
            }
            return out;
        };
        const auto model = independent_rows([&](std::span<const float> shard) {
            const fate end = seen.fates[cluster.worker()];
            if (end == fate::gone) throw std::runtime_error("the worker is gone");
            std::vector<float> out = honest(shard);
            if (end == fate::lost) throw std::runtime_error("the answer is lost");
            seen.runs[cluster.worker()].assign(shard.begin(), shard.end());
            const bool late = std::all_of(shard.begin(), shard.end(), [&](float x) {
                return seen.settled[static_cast<std::size_t>(x)];
            });
            if (late && given.least_workers == 1) out.assign(out.size(), -7);  // whoever takes it now shows
            const bool flips = given.random.uniform() < given.flips;
            if (!flips && cluster.worker() != given.liar) return out;
            seen.calls_that_flip += flips;
            seen.did[cluster.worker()] = true;
            float& hit = out[flips ? given.random.below(out.size()) : 0];
            if (flips && std::isfinite(hit)) hit = 1000 + static_cast<float>(seen.calls_that_flip);  // never the same
            if (!flips && std::isfinite(hit)) hit += 1;  // the same lie every time
            return out;
        });
        std::size_t left = run < crashes ? given.random.below(2 + given.rows.size() / 4) : SIZE_MAX;
        const auto watch = [&](const event& e) {
            if (!e.fault)
                for (const float x : seen.runs[e.worker]) seen.settled[static_cast<std::size_t>(x)] = true;
            trace = trace * 31 + e.shard + e.rows * 7 + e.worker * 13 +
                    static_cast<std::uint64_t>(e.finished.time_since_epoch().count());
            if (left-- == 0) throw crash();
        };
        given.how.partition = contiguous{.rows_per_shard = 1 + given.random.below(12)};
        given.how.on_event = watch;
        const time_point begun = cluster.time().now();
        const std::size_t before = kept.rows();
        try {
            const job done = infer(cluster, model, given.rows, given.how);
            expect(done.events.resumed == before,
                   "resumed " + std::to_string(done.events.resumed) + " of " + std::to_string(before));
            if (before == given.rows.size() || !done.answers.shape().text().starts_with("[0"))
                check(given, done, kept, begun, seen);
            return trace;
        } catch (const crash&) {
            expect(kept.rows() >= before, "rows that were done are not done any more");
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::uint64_t first = std::strtoull(argv[1], nullptr, 10);
    const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        try {
            const std::uint64_t trace = live(seed);
            if (seed % 16 == 0) expect(live(seed) == trace, "a replay went another way");
        } catch (const std::exception& why) {
            std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), why.what());
            return 1;
        }
    }
    std::printf("%llu seeds from %llu on: every promise kept\n", static_cast<unsigned long long>(count),
                static_cast<unsigned long long>(first));
    return 0;
}
