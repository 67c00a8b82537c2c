// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>

#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/simulated.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>
#include <fanfold/verify/finite.hpp>

#include <cmath>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "../callables.hpp"
#include "../catch.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

namespace {

template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each(serial_executor());
    each(threads_executor({.workers = 4}));
    each(tbb_executor({.workers = 4}));
    each(simulated_executor({.workers = 5}, [](const claim&, std::size_t) { return 1ms; }));
}

std::size_t count(const job& done, attempt_kind kind) {
    std::size_t n = 0;
    for (const event& e : done.events.attempts) n += e.kind == kind;
    return n;
}

}  // namespace

TEST_CASE("A model that fails at first is tried again, and the answers have a clean run's bits") {
    const auto xs = ramp(1000);
    with_executors([&](const auto& executor) {
        std::mutex mutex;
        std::set<float> failed;
        const auto flaky = [&](std::span<const float> rows) {
            {
                const std::lock_guard lock(mutex);
                if (static_cast<int>(rows[0]) % 3 == 0 && failed.insert(rows[0]).second)
                    throw std::runtime_error("busy");
            }
            return sine(rows);
        };
        const job clean = infer(executor, sine, xs);
        const job done =
            infer(executor, flaky, xs,
                  {.partition = contiguous{.rows_per_shard = 10}, .retry = {.max_attempts = 3, .base = 1ms}});
        CHECK(done.failures.empty());
        CHECK(count(done, attempt_kind::first) == 100);
        CHECK(count(done, attempt_kind::retry) == failed.size());
        CHECK(digest(done.answers) == digest(clean.answers));
    });
}

TEST_CASE("Poison rows are found alone, whatever they do; all others have a clean run's bits") {
    const auto xs = ramp(640);
    const std::set<float> throws{17, 300, 301};
    const std::set<float> infinite{64, 500};
    const std::set<float> short_of_one{639};
    const auto poisoned = [&](std::span<const float> rows) {
        auto out = sine(rows);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (throws.contains(rows[i])) throw std::runtime_error("poison");
            if (infinite.contains(rows[i])) out[i] = std::numeric_limits<float>::infinity();
        }
        for (const float x : rows)
            if (short_of_one.contains(x)) return std::vector<float>(rows.size() + 1);
        return out;
    };
    with_executors([&](const auto& executor) {
        const job clean = infer(executor, sine, xs);
        const job done = infer(
            executor, poisoned, xs,
            {.partition = contiguous{.rows_per_shard = 64}, .verify = fanfold::finite{}, .give_up = give_up::rows});
        std::vector<std::size_t> failed;
        for (const fault& f : done.failures) {
            CHECK(f.rows.size() == 1);
            failed.insert(failed.end(), f.rows.begin(), f.rows.end());
        }
        // A row that stands alone may return two values: [1, 2] differs from what other shards gave.
        CHECK(failed == std::vector<std::size_t>{17, 64, 300, 301, 500, 639});
        for (std::size_t row = 0; row < xs.size(); ++row) {
            const float got = done.answers.as<float>()(row);
            const bool bad = std::find(failed.begin(), failed.end(), row) != failed.end();
            REQUIRE((bad ? std::isnan(got) : std::memcmp(&got, clean.answers.as<float>().data() + row, 4) == 0));
        }
    });
}

TEST_CASE("A second attempt overtakes a slow one, which is stopped, and one of them commits") {
    const auto xs = ramp(200);
    const auto run = [&](const auto& executor) {
        std::atomic<int> stalls{0};
        std::atomic<int> stopped{0};
        const auto stalls_once = [&](std::span<const float> rows, workspace& space) {
            if (rows[0] == 100 && stalls++ == 0) {
                while (!space.stop.reason()) std::this_thread::yield();  // for ever, but for the stop
                ++stopped;
                space.stop.check();
            }
            return sine(rows);
        };
        const job done = infer(executor, stalls_once, xs,
                               {.partition = contiguous{.rows_per_shard = 1}, .hedge = hedge{.share = 0.5}});
        CHECK(done.failures.empty());
        CHECK(stopped == 1);
        CHECK(count(done, attempt_kind::second) >= 1);
        CHECK(digest(done.answers) == digest(infer(serial_executor(), sine, xs).answers));
    };
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    run(threads_executor({.workers = 3}));
    run(tbb_executor({.workers = 3}));
}

TEST_CASE("Twins that both run to their ends commit once and race on nothing") {
    const auto xs = ramp(3000);
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const auto uneven = [&](const batch_view& rows, const mutable_batch_view& out, workspace&) {
        const auto x = rows.as<float>().flat();
        const auto y = out.as<float>().flat();
        for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::sin(x[i]);
        if (static_cast<int>(x[0]) % 50 == 0) std::this_thread::yield();
    };
    const answering model({{element::float32, {}, 0, {}}}, uneven);
    const options how{.partition = contiguous{.rows_per_shard = 3},
                      .hedge = hedge{.quantile = 0.1, .times_median = 0.1, .share = 1, .min_peers = 1}};
    const auto reference = digest(infer(serial_executor(), model, xs).answers);
    for (int round = 0; round < 20; ++round) {
        const job done = infer(threads_executor({.workers = 4}), model, xs, how);
        CHECK(done.failures.empty());
        CHECK(digest(done.answers) == reference);
        CHECK(digest(infer(tbb_executor({.workers = 4}), model, xs, how).answers) == reference);
    }
}

TEST_CASE("A time limit ends an attempt that looks at its stop, and one that does not is waited for") {
    const auto xs = ramp(40);
    for (const bool polite : {true, false}) {
        const simulated_executor cluster({.workers = 3}, [](const claim& what, std::size_t) {
            return what.shard == 2 && what.attempt < 3 ? 80ms : 1ms;
        });
        const auto model = [&](std::span<const float> rows, workspace& space) {
            if (polite) space.stop.check();
            return sine(rows);
        };
        const job done = infer(cluster, model, xs,
                               {.partition = contiguous{.rows_per_shard = 10},
                                .retry = {.max_attempts = 3, .base = 1ms},
                                .time_limit = 10ms});
        CHECK(done.failures.empty());
        CHECK(count(done, attempt_kind::retry) == 2);
        std::size_t timed_out = 0;
        for (const event& e : done.events.attempts) timed_out += e.fault == fault_kind::timed_out;
        CHECK(timed_out == 2);
        CHECK(digest(done.answers) == digest(infer(serial_executor(), sine, xs).answers));
    }
}

TEST_CASE("A stop ends waiting retries at once, and their rows are named with the fault they had") {
    const auto xs = ramp(10);
    std::stop_source stopper;
    const auto fails = [&](std::span<const float> rows) -> std::vector<float> {
        if (rows[0] == 9) stopper.request_stop();
        throw std::runtime_error("down");
    };
    const job done = infer(threads_executor({.workers = 2}), fails, xs,
                           {.partition = contiguous{.rows_per_shard = 1},
                            .retry = {.max_attempts = 5, .base = 1h, .cap = 1h, .jitter = jitter::none},
                            .stop = stopper.get_token()});
    CHECK(done.failed_rows() == 10);
    for (const fault& f : done.failures) CHECK((f.kind == fault_kind::threw || f.kind == fault_kind::stopped));
}
