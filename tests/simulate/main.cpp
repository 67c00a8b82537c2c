// tests/simulate/main.cpp - whole jobs on a virtual clock, with faults by seed.   usage: simulate FIRST COUNT
// Throws, poison rows, slow workers, workers that die, lost answers, time limits, outages, flipped bits that copies or
// checksums see, workers that lie, damaged weights, crashes and resumption, in every mixture of policies. Each seed
// replays its run exactly; the first that breaks a promise is named, and the exit code is 1.
// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/context/random.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/verify/finite.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
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
        if (random.below(3) == 0) {
            how.checksum = checksum{.fraction = random.below(3) == 0 ? random.uniform() : 1, .seed = seed};
            how.checksum->weights_every = random.below(3);
            if (random.below(2) == 0) flips = 0.1 * random.uniform();
            if (random.below(3) == 0) alarms = 0.2 * random.uniform();
            if (random.below(3) == 0) liar = random.below(4);
            if (liar != no_worker) least_workers = 2;  // one that lies alone is believed
            if (random.below(8) == 0) intact_for = std::chrono::milliseconds(random.below(10));
        }
        if (random.below(2) == 0) return;
        switch (random.below(4)) {
            case 0:
                how.duplicate = duplicate{.fraction = 0.3, .seed = seed};
                least_workers = 2;
                return;  // what is not in the sample is not seen
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
        return fails_now_and_then() || damages() || flips > 0 || liar != no_worker || slow_worker != no_worker ||
               how.time_limit || bounded;
    }
    [[nodiscard]] bool fails_now_and_then() const { return flaky > 0 || lost > 0 || dying_worker != no_worker; }
    [[nodiscard]] bool damages() const { return intact_for != duration::max(); }
    [[nodiscard]] bool compares_all() const { return how.vote || (how.duplicate && how.duplicate->fraction == 1); }
    /// Where no attempt has a reason to fail.
    [[nodiscard]] bool flawless() const {
        return !fails_now_and_then() && !damages() && flips == 0 && liar == no_worker && !how.time_limit &&
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
    double alarms = 0;                      ///< share of the calls whose sums do not fit though their bits are right
    duration intact_for = duration::max();  ///< weights are damaged then
};

/// What becomes of an attempt, decided when it starts.
enum class fate { ends, gone, lost };

/// What the workers and what a model was asked to do to the bits.
struct mischief {
    std::vector<fate> fates = std::vector<fate>(8);                             ///< of what a worker runs now
    std::vector<std::vector<float>> runs = std::vector<std::vector<float>>(8);  ///< these rows
    std::vector<bool> settled;                                                  ///< by row: it has its answer
    std::vector<bool> did = std::vector<bool>(8);                               ///< by worker
    std::size_t calls_that_flip = 0, calls_that_lie = 0, alarms = 0;
    std::vector<bool> doubted = std::vector<bool>(8);  ///< sums of what a worker runs now did not fit
    std::size_t suspicious = 0;                        ///< calls, as the next
    std::size_t watched = 0;
    std::vector<std::size_t> shards = {};  ///< in which sums did not fit
};

/// A callable that takes part in checksums, as graphs do.
template <class Call, class Damage>
struct summed : Call {
    static constexpr bool rows_are_independent = true;
    Damage damage;
    void prepare_checksums() const {}
    [[nodiscard]] std::string damaged_weights() const { return damage() ? "a layer" : ""; }
};
template <class Call, class Damage>
summed(Call, Damage) -> summed<Call, Damage>;

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
        if (named[row] == 0)
            expect(std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(got),
                   which + " has other bits than a serial run");
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
        if (e.kind == attempt_kind::retry && given.least_workers == 1 && !given.how.checksum)
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
    expect(checks.alone == 0 || done.events.workers == 1,
           "a copy was computed by a worker that had computed it before");
    expect(checks.products == seen.watched && checks.suspicious == seen.suspicious, "sums that nobody heard of");
    expect(checks.unconfirmed <= seen.alarms, "what was wrong was taken for right");
    for (const event& e : done.events.attempts) {
        if (e.kind == attempt_kind::check && !given.how.duplicate && !given.how.vote)
            expect(std::count(seen.shards.begin(), seen.shards.end(), e.shard) != 0, "a copy that nobody asked for");
        if (e.kind != attempt_kind::first || e.fault != fault_kind::damaged || given.how.hedge) continue;
        for (const event& other : done.events.attempts)
            expect(other.shard != e.shard || other.kind == attempt_kind::first, "damaged weights are asked again");
    }
    const bool sees_all = given.how.checksum || given.compares_all();
    const bool undisturbed =
        !given.fails_now_and_then() && !given.damages() && !given.how.hedge && !given.how.time_limit;
    if (seen.calls_that_flip + seen.calls_that_lie == 1 && sees_all && undisturbed && done.failures.empty())
        expect(done.events.lies.size() == 1, "one flip, and " + std::to_string(done.events.lies.size()) + " are named");
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
                                 !given.damages() && done.events.workers > given.least_workers;
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
        const auto damaged = [&, begun = time.now()] {
            return given.damages() && time.now() >= begun + given.intact_for;
        };
        const auto call = [&](std::span<const float> shard, workspace& space) {
            seen.doubted[cluster.worker()] = false;
            const bool watched = space.sums != nullptr;
            const auto doubt = [&] {
                if (watched && !seen.doubted[cluster.worker()]) space.sums->add(0, 1), ++seen.suspicious;
                seen.doubted[cluster.worker()] = watched;
            };
            const fate end = seen.fates[cluster.worker()];
            if (end == fate::gone) throw std::runtime_error("the worker is gone");
            std::vector<float> out = honest(shard);
            if (end == fate::lost) throw std::runtime_error("the answer is lost");
            seen.runs[cluster.worker()].assign(shard.begin(), shard.end());
            const bool late = std::all_of(shard.begin(), shard.end(),
                                          [&](float x) { return seen.settled[static_cast<std::size_t>(x)]; });
            if (late && given.least_workers == 1 && !given.how.checksum)
                out.assign(out.size(), -7);  // whoever takes it now shows
            if (watched) space.sums->add(shard.size(), 0), seen.watched += shard.size();
            if (watched && damaged()) {
                doubt();
                space.sums->damaged("a layer");
                out[0] = -8;
                return out;
            }
            const bool alarm = watched && given.random.uniform() < given.alarms;
            if (alarm) doubt(), ++seen.alarms;
            const bool flips = given.random.uniform() < given.flips, lies = !flips && cluster.worker() == given.liar;
            if ((!flips && !lies) || (!watched && !given.compares_all())) return out;
            doubt();
            seen.calls_that_flip += flips;
            seen.calls_that_lie += lies;
            seen.did[cluster.worker()] = true;
            float& hit = out[flips ? given.random.below(out.size()) : 0];
            if (flips && std::isfinite(hit)) hit = 1000 + static_cast<float>(seen.calls_that_flip);  // never the same
            if (!flips && std::isfinite(hit)) hit += 1;  // the same lie every time
            return out;
        };
        const summed model{call, damaged};
        std::size_t left = run < crashes ? given.random.below(2 + given.rows.size() / 4) : SIZE_MAX;
        const auto watch = [&](const event& e) {
            if (seen.doubted[e.worker]) seen.shards.push_back(e.shard);
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
