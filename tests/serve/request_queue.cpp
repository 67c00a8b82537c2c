// The decisions of a batcher, on a virtual clock.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/request_queue.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

using detail::request_queue;
using ticket = request_queue::ticket;

constexpr time_point start{};

/// A queue whose requests have names: their number, in the order of coming.
struct named {
    explicit named(queue_options options) : queue(options) {}

    bool submit(time_point now, request_queue::request r = {}) {
        std::vector<ticket> out;
        const auto t = queue.submit(now, r, out);
        for (const ticket gone : out) forget(gone, dropped);
        if (t) names[*t] = count;
        ++count;
        return t.has_value();
    }
    std::vector<int> take(time_point now) {
        std::vector<ticket> batch;
        queue.take(now, batch);
        std::vector<int> taken;
        for (const ticket t : batch) forget(t, taken);
        return taken;
    }
    std::vector<int> expire(time_point now) {
        std::vector<ticket> late;
        queue.expire(now, late);
        std::vector<int> expired;
        for (const ticket t : late) forget(t, expired);
        return expired;
    }
    void forget(ticket t, std::vector<int>& into) {
        into.push_back(names.at(t));
        names.erase(t);
        queue.release(t);
    }

    request_queue queue;
    std::map<ticket, int> names;
    std::vector<int> dropped;
    int count = 0;
};

using ints = std::vector<int>;

}  // namespace

TEST_CASE("A lone request does not wait for company, and a batch is what waits when a worker asks", "[simulated]") {
    named q({.max_rows = 4});
    CHECK(q.take(start).empty());
    CHECK(q.submit(start));
    CHECK(q.queue.due(start));
    CHECK(q.take(start) == ints{0});
    for (int i = 0; i < 6; ++i) CHECK(q.submit(start + 1ms));
    CHECK(q.take(start + 2ms) == ints{1, 2, 3, 4});
    CHECK(q.take(start + 2ms) == ints{5, 6});
    CHECK(q.queue.queued_rows() == 0);
}

TEST_CASE("With max_delay the oldest waits that long for company, and no longer", "[simulated]") {
    named q({.max_rows = 3, .max_delay = 10ms});
    CHECK(q.submit(start));
    CHECK(q.submit(start + 4ms));
    CHECK(q.take(start + 9ms).empty());
    CHECK(q.queue.next_time(true) == start + 10ms);  // aged from the oldest
    CHECK(q.queue.next_time(false) == time_point::max());
    CHECK(q.take(start + 10ms) == ints{0, 1});
    CHECK(q.submit(start + 11ms));
    CHECK(q.submit(start + 11ms));
    CHECK(q.take(start + 11ms).empty());
    CHECK(q.submit(start + 11ms));  // full
    CHECK(q.take(start + 11ms) == ints{2, 3, 4});
    CHECK(q.submit(start + 20ms, {.deadline = start + 25ms}));  // it cannot wait for 10 ms
    CHECK(q.queue.next_time(true) == start + 25ms);
    q.queue.finished(1, 2ms);
    CHECK(q.submit(start + 20ms, {.deadline = start + 25ms}));
    CHECK(q.queue.next_time(true) == start + 21ms);  // twice what a batch takes before the deadline
}

TEST_CASE("Requests of several rows stay whole, in line", "[simulated]") {
    named q({.max_rows = 8});
    for (const std::size_t rows : {3UL, 4UL, 2UL, 1UL}) CHECK(q.submit(start, {.rows = rows}));
    CHECK(q.take(start) == ints{0, 1});  // the next has two rows, and there is room for one
    CHECK(q.take(start) == ints{2, 3});
}

TEST_CASE("Only requests that are alike are joined; who is first in line decides which", "[simulated]") {
    named q({.max_rows = 8});
    for (const std::size_t like : {1UL, 0UL, 1UL, 0UL, 2UL}) CHECK(q.submit(start, {.like = like}));
    CHECK(q.take(start) == ints{0, 2});
    CHECK(q.take(start) == ints{1, 3});
    CHECK(q.take(start) == ints{4});
}

TEST_CASE("Higher priorities come first, and waiting makes up for it", "[simulated]") {
    named q({.max_rows = 1, .aging = 10ms});
    CHECK(q.submit(start));
    CHECK(q.submit(start + 1ms, {.priority = 2}));
    CHECK(q.submit(start + 2ms, {.priority = 1}));
    CHECK(q.submit(start + 19ms, {.priority = 2}));
    CHECK(q.submit(start + 21ms, {.priority = 2}));  // 20 ms of waiting are worth two steps
    ints order;
    for (int i = 0; i < 5; ++i) order.push_back(q.take(start + 30ms).at(0));
    CHECK(order == ints{1, 2, 3, 0, 4});
}

TEST_CASE("A stream of higher priority does not starve a lower one", "[simulated]") {
    named q({.max_rows = 1, .aging = 10ms});
    CHECK(q.submit(start));
    bool served = false;
    int steps = 0;
    for (time_point now = start; !served; now += 1ms, ++steps) {
        CHECK(q.submit(now, {.priority = 5}));
        served = q.take(now) == ints{0};
        REQUIRE(steps <= 51);
    }
    CHECK(steps >= 49);
}

TEST_CASE("A full queue refuses, or drops whoever is last in line", "[simulated]") {
    named refusing({.max_queued_rows = 2});
    CHECK(refusing.submit(start));
    CHECK(refusing.submit(start));
    CHECK_FALSE(refusing.submit(start, {.priority = 9}));
    named dropping({.max_rows = 8, .max_queued_rows = 2, .full = when_full::drop_lowest_first});
    CHECK(dropping.submit(start, {.priority = 1}));
    CHECK(dropping.submit(start));
    CHECK_FALSE(dropping.submit(start));  // it would be last itself
    CHECK(dropping.submit(start, {.priority = 1}));
    CHECK(dropping.dropped == ints{1});
    CHECK(dropping.submit(start, {.rows = 2, .priority = 5}));
    CHECK(dropping.dropped == ints{1, 3, 0});
    CHECK_FALSE(dropping.submit(start, {.rows = 3, .priority = 9}));  // never fits
    CHECK(dropping.take(start) == ints{4});
}

TEST_CASE("Nobody has to go for a request that finds no room in the end", "[simulated]") {
    named q({.max_rows = 8, .max_queued_rows = 4, .full = when_full::drop_lowest_first});
    CHECK(q.submit(start));
    CHECK(q.submit(start, {.rows = 2, .priority = 2}));
    CHECK(q.submit(start, {.priority = 1}));
    CHECK_FALSE(q.submit(start, {.rows = 3, .priority = 2}));  // two could go for it, of three
    CHECK(q.dropped.empty());
    CHECK(q.submit(start, {.rows = 2, .priority = 2}));
    CHECK(q.dropped == ints{0, 2});
    CHECK(q.submit(start, {.rows = 4, .priority = 3}));
    CHECK(q.dropped == ints{0, 2, 4, 1});
}

TEST_CASE("An expired request is named at its deadline and never handed over", "[simulated]") {
    named q({.max_rows = 8});
    CHECK(q.submit(start, {.deadline = start + 5ms}));
    CHECK(q.submit(start, {.deadline = start + 3ms}));
    CHECK(q.submit(start));
    CHECK(q.queue.next_time(false) == start + 3ms);
    CHECK(q.expire(start + 3ms - 1ns).empty());
    CHECK(q.expire(start + 3ms) == ints{1});
    CHECK(q.expire(start + 9ms) == ints{0});
    CHECK(q.take(start + 9ms) == ints{2});
    CHECK(q.submit(start + 9ms, {.deadline = start + 9ms}));  // too late when it came
    CHECK(q.take(start + 9ms).empty());
    CHECK(q.expire(start + 9ms) == ints{3});
}

TEST_CASE("Who can hardly be in time any more waits until there are no others", "[simulated]") {
    named q({.max_rows = 2});
    q.queue.finished(2, 10ms);
    CHECK(q.submit(start, {.deadline = start + 16ms}));  // it has one and a half times that from 1 ms on
    CHECK(q.submit(start, {.deadline = start + 20ms}));
    CHECK(q.submit(start, {.deadline = start + 20ms}));
    CHECK(q.submit(start, {.deadline = start + 21ms}));
    CHECK(q.take(start + 1ms) == ints{1, 2});
    CHECK(q.take(start + 2ms) == ints{3});  // there would be room
    CHECK(q.take(start + 2ms) == ints{0});
}

TEST_CASE("A cancelled request leaves the line from wherever it is", "[simulated]") {
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        request_queue q({.max_rows = 4, .full = when_full::drop_lowest_first});
        std::vector<ticket> there, none;
        for (int i = 0; i < 30; ++i) {
            const time_point now = start + std::chrono::milliseconds(random() % 50);
            there.push_back(*q.submit(
                now, {.like = random() % 3, .priority = static_cast<int>(random() % 3), .deadline = now + 100ms},
                none));
        }
        std::shuffle(there.begin(), there.end(), random);
        for (int i = 0; i < 10; ++i) {
            CHECK(q.cancel(there.back()));
            CHECK_FALSE(q.cancel(there.back()));
            there.pop_back();
        }
        std::vector<ticket> taken;
        for (std::size_t before = 1; before != taken.size();) {
            before = taken.size();
            q.take(start + 60ms, taken);
        }
        std::sort(taken.begin(), taken.end());
        std::sort(there.begin(), there.end());
        REQUIRE(taken == there);
    }
}

namespace {

/// Poisson arrivals at `load` times the capacity of `workers`, whose batches take `fixed` and `each` a row, in virtual
/// time. Every request's outcome is checked.
struct simulation {
    queue_options options{.max_rows = 32, .max_queued_rows = 1000};
    std::size_t workers = 4;
    double load = 1;
    duration deadline = 50ms;
    duration fixed = 1ms;
    duration each = 200us;
    duration lasts = 20s;
    std::uint64_t seed = 1;
    duration doubled_at = duration::max();  ///< batches take twice as long from here on

    struct outcome {
        std::size_t asked = 0, in_time = 0, late = 0, expired = 0, refused = 0, batches = 0, most_queued = 0;
        std::vector<double> latencies_ms;  ///< of those computed
        std::vector<double> when_ms;
        double goodput = 0, capacity = 0;
    };

    [[nodiscard]] duration takes(std::size_t rows, time_point now) const {
        const duration once = fixed + static_cast<long>(rows) * each;
        return now - start >= doubled_at ? 2 * once : once;
    }

    outcome run() const {
        outcome result;
        std::mt19937_64 random(seed);
        std::exponential_distribution<double> gap(1);
        const double full = std::chrono::duration<double>(takes(options.max_rows, start)).count();
        result.capacity = static_cast<double>(workers * options.max_rows) / full;
        const double rate = load * result.capacity;
        request_queue queue(options);
        struct waiting {
            time_point came, deadline;
        };
        std::map<ticket, waiting> line;
        struct running {
            time_point ends, began;
            std::vector<waiting> rows;
        };
        std::vector<running> busy;
        time_point now = start, arrival = start;
        const time_point end = start + lasts;
        std::vector<ticket> out;
        while (arrival < end || !busy.empty() || !line.empty()) {
            now = std::min(arrival < end ? arrival : time_point::max(), queue.next_time(busy.size() < workers));
            for (const running& b : busy) now = std::min(now, b.ends);
            for (std::size_t i = 0; i < busy.size();) {
                if (busy[i].ends > now) {
                    ++i;
                    continue;
                }
                queue.finished(busy[i].rows.size(), now - busy[i].began);
                for (const waiting& w : busy[i].rows) {
                    ++(now <= w.deadline ? result.in_time : result.late);
                    result.latencies_ms.push_back(std::chrono::duration<double, std::milli>(now - w.came).count());
                    result.when_ms.push_back(std::chrono::duration<double, std::milli>(now - start).count());
                }
                busy.erase(busy.begin() + static_cast<std::ptrdiff_t>(i));
            }
            out.clear();
            queue.expire(now, out);
            for (const ticket t : out) {
                REQUIRE(line.at(t).deadline == now);  // exactly
                ++result.expired;
                line.erase(t);
                queue.release(t);
            }
            if (now == arrival && arrival < end) {
                ++result.asked;
                out.clear();
                const time_point until = deadline == duration::max() ? time_point::max() : now + deadline;
                if (const auto t = queue.submit(now, {.deadline = until}, out))
                    line[*t] = {now, until};
                else
                    ++result.refused;
                arrival += std::chrono::duration_cast<duration>(std::chrono::duration<double>(gap(random) / rate));
            }
            result.most_queued = std::max(result.most_queued, queue.queued_rows());
            while (busy.size() < workers) {
                out.clear();
                queue.take(now, out);
                if (out.empty()) break;
                running b{now + takes(out.size(), now), now, {}};
                for (const ticket t : out) {
                    REQUIRE(line.at(t).deadline > now);  // nobody who has expired is computed
                    b.rows.push_back(line.at(t));
                    line.erase(t);
                    queue.release(t);
                }
                REQUIRE(b.rows.size() <= options.max_rows);
                ++result.batches;
                busy.push_back(std::move(b));
            }
        }
        REQUIRE(result.asked == result.in_time + result.late + result.expired + result.refused);
        REQUIRE(queue.queued_rows() == 0);
        result.goodput = static_cast<double>(result.in_time) / std::chrono::duration<double>(lasts).count();
        return result;
    }
};

double at_share(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

}  // namespace

TEST_CASE("At 0.5, 0.8 and 1.2 times the capacity: none that has expired is computed, and the goodput stays",
          "[simulated]") {
    for (const double load : {0.5, 0.8, 1.2, 3.0})
        for (const std::uint64_t seed : {1U, 2U}) {
            const auto result = simulation{.load = load, .seed = seed}.run();
            INFO("load " << load << " goodput " << result.goodput << " of " << result.capacity << ", late "
                         << result.late);
            CHECK(result.goodput >= 0.9 * std::min(load, 1.0) * result.capacity);
            CHECK(result.late <= result.asked / 20);
            if (load < 1) CHECK(result.expired + result.refused == 0);
            CHECK(result.most_queued <= 1000);
        }
}

TEST_CASE("A queue that holds less than the deadline allows refuses instead of letting expire", "[simulated]") {
    simulation s{.load = 1.5};
    s.options.max_queued_rows = 100;
    const auto result = s.run();
    CHECK(result.expired == 0);
    CHECK(result.refused > 0);
    CHECK(result.goodput >= 0.9 * result.capacity);
}

TEST_CASE("A size of batches is found by doubling, and lost by tenths", "[simulated]") {
    request_queue q({.max_rows = 1000, .latency_target = 20ms});
    const auto takes = [](std::size_t rows) { return static_cast<long>(rows) * 100us; };
    for (std::size_t batches = 0; batches < 7; ++batches) {
        CHECK(q.limit() == std::size_t{1} << batches);
        q.finished(q.limit(), takes(q.limit()));
    }
    CHECK(q.limit() == 128);
    q.finished(64, takes(64));  // not a full one: says nothing
    CHECK(q.limit() == 128);
    q.finished(128, takes(128));
    CHECK(q.limit() == 115);
    q.finished(115, takes(115));
    CHECK(q.limit() == 103);
    q.finished(103, takes(103));
    CHECK(q.limit() == 93);
    q.finished(93, takes(93));
    CHECK(q.limit() == 94);
}

TEST_CASE("The latency target finds a size of batches, and finds it again when they take twice as long",
          "[simulated]") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        simulation s{
            .workers = 2, .load = 0.3, .deadline = duration::max(), .lasts = 20s, .seed = seed, .doubled_at = 10s};
        s.options.max_rows = 64;
        s.options.latency_target = 20ms;
        s.options.max_queued_rows = 100'000;
        const auto result = s.run();
        std::vector<double> before, after;
        for (std::size_t i = 0; i < result.when_ms.size(); ++i) {
            if (result.when_ms[i] > 2'000 && result.when_ms[i] < 10'000) before.push_back(result.latencies_ms[i]);
            if (result.when_ms[i] > 12'000) after.push_back(result.latencies_ms[i]);
        }
        CHECK(at_share(before, 0.99) <= 20);
        CHECK(at_share(after, 0.99) <= 20);
    }
}

TEST_CASE("Under a latency target the throughput is that of the best fixed size that keeps it", "[simulated]") {
    const auto saturated = [](queue_options options) {
        options.max_queued_rows = 200;
        return simulation{.options = options, .workers = 2, .load = 3, .deadline = duration::max(), .lasts = 5s}.run();
    };
    double best = 0;  // of batches that take at most half the target
    for (const std::size_t size : {1UL, 2UL, 4UL, 8UL, 16UL, 24UL, 32UL, 40UL, 45UL}) {
        const auto fixed = saturated({.max_rows = size});
        best = std::max(best, static_cast<double>(fixed.in_time));
    }
    const auto found = saturated({.max_rows = 256, .latency_target = 20ms});
    CHECK(static_cast<double>(found.in_time) >= 0.9 * best);
    CHECK(at_share(found.latencies_ms, 0) > 0);
}

TEST_CASE("The same seed plays the same run", "[simulated]") {
    const auto one = simulation{.load = 1.1, .lasts = 2s, .seed = 9}.run();
    const auto other = simulation{.load = 1.1, .lasts = 2s, .seed = 9}.run();
    CHECK(one.latencies_ms == other.latencies_ms);
}
