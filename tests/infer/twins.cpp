// SPDX-License-Identifier: MIT
// Attempts at the same rows that surely write at the same time.
// Whether they write apart is for the thread sanitizer to see.
#include <fanfold/infer/infer.hpp>

#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>

#include <atomic>
#include <cmath>

#include "../callables.hpp"
#include "../catch.hpp"

using namespace fanfold;
using namespace callables;

namespace {

/// Lets calls `first` to `last` at the shard of row 0 go on when all of them have come. Relaxed: it must not order what
/// they write.
class meeting {
public:
    meeting(int first, int last) : first_(first), last_(last) {}
    void at(float row) {
        if (row != 0) return;
        const int call = came_.fetch_add(1, std::memory_order_relaxed) + 1;
        came_.notify_all();
        if (call < first_) return;
        for (int seen = call; seen < last_; seen = came_.load(std::memory_order_relaxed))
            came_.wait(seen, std::memory_order_relaxed);
    }
    [[nodiscard]] int calls() const { return came_.load(); }

private:
    int first_, last_;
    std::atomic<int> came_{0};
};

/// `run(model, rows)` for a model that writes into the caller's rows, all of them after the meeting, and for one that
/// returns its answers.
template <class Run>
void with_models(int first, int last, const Run& run) {
    const auto xs = ramp(120);
    for (int round = 0; round < 5; ++round) {
        meeting here(first, last);
        const auto writes = [&](const batch_view& rows, const mutable_batch_view& out, workspace&) {
            const auto x = rows.as<float>().flat();
            const auto y = out.as<float>().flat();
            here.at(x[0]);
            for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::sin(x[i]);
        };
        run(independent_rows(answering({{element::float32, {}, 0, {}}}, writes)), xs);
        CHECK(here.calls() >= last);

        meeting there(first, last);
        const auto returns = [&](std::span<const float> rows) {
            there.at(rows[0]);
            return sine(rows);
        };
        run(independent_rows(returns), xs);
        CHECK(there.calls() >= last);
    }
}

template <class Executor>
void run_on(const Executor& executor, int first, int last, const options& how) {
    const auto reference = digest(infer(serial_executor(), sine, ramp(120)).answers);
    with_models(first, last, [&](const auto& model, const auto& xs) {
        const job done = infer(executor, model, xs, how);
        CHECK(done.failures.empty());
        CHECK(digest(done.answers) == reference);
        CHECK(done.events.lies.empty());
    });
}

}  // namespace

TEST_CASE("A shard and its hedge write at the same time, each for itself, and one commits") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const options how{.partition = contiguous{.rows_per_shard = 6},
                      .hedge = hedge{.quantile = 0.5, .share = 1, .min_peers = 3}};
    run_on(threads_executor({.workers = 3}), 1, 2, how);
    run_on(tbb_executor({.workers = 3}), 1, 2, how);
}

TEST_CASE("Copies that vote write at the same time, each for itself, and one commits") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const options how{.partition = contiguous{.rows_per_shard = 6}, .vote = vote{}};
    run_on(threads_executor({.workers = 4}), 2, 3, how);
    run_on(tbb_executor({.workers = 4}), 2, 3, how);
}

TEST_CASE("A hedge beside the shard that will be computed twice writes apart from it") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const options how{.partition = contiguous{.rows_per_shard = 6},
                      .duplicate = duplicate{},
                      .hedge = hedge{.quantile = 0.5, .share = 1, .min_peers = 3}};
    run_on(threads_executor({.workers = 4}), 1, 2, how);
    run_on(tbb_executor({.workers = 4}), 1, 2, how);
}
