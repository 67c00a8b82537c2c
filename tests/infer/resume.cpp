// SPDX-License-Identifier: MIT
#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>
#include <fanfold/verify/finite.hpp>

#include <atomic>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace callables;

namespace {

struct backwards {
    std::size_t rows_per_shard;
    plan operator()(const workload& w) const {
        plan p = contiguous{.rows_per_shard = rows_per_shard}(w);
        for (std::size_t row = w.rows; row-- > 0;) p.order.push_back(row);
        return p;
    }
};

}  // namespace

TEST_CASE("A job that was stopped goes on with other shards, order and executor, computes the rest alone, same bits") {
    const auto xs = ramp(1000);
    const auto reference = digest(infer(serial_executor(), sine, xs).answers);
    for (const std::size_t stop_after : {0UL, 1UL, 3UL, 9UL}) {
        memory_ledger kept;
        std::stop_source stopper;
        std::size_t shards = 0;
        const auto stops = [&](std::span<const float> rows) {
            if (shards++ == stop_after) stopper.request_stop();
            return sine(rows);
        };
        const job first = infer(serial_executor(), stops, xs,
                                {.partition = backwards{37}, .ledger = kept, .stop = stopper.get_token()});
        CHECK(kept.rows() == 1000 - first.failed_rows());
        std::atomic<std::size_t> computed{0};
        const auto counts = [&](std::span<const float> rows) {
            computed += rows.size();
            return sine(rows);
        };
        const job second = infer(threads_executor({.workers = 3}), counts, xs,
                                 {.partition = contiguous{.rows_per_shard = 64}, .ledger = kept});
        CHECK(second.failures.empty());
        CHECK(second.events.resumed == 1000 - first.failed_rows());
        CHECK(computed == first.failed_rows());
        CHECK(digest(second.answers) == reference);
        const job third = infer(serial_executor(), counts, xs, {.ledger = kept});
        CHECK(third.events.attempts.empty());
        CHECK(digest(third.answers) == reference);
    }
}

TEST_CASE("Rows that failed are not done: only they are computed again") {
    const auto xs = ramp(100);
    memory_ledger kept;
    const auto bad = [](std::span<const float> rows) {
        auto out = sine(rows);
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (rows[i] == 42) out[i] = NAN;
        return out;
    };
    const options how{.partition = contiguous{.rows_per_shard = 10}, .verify = fanfold::finite{}, .ledger = kept};
    CHECK(infer(serial_executor(), bad, xs, how).failed_rows() == 1);
    CHECK(kept.rows() == 99);
    const job mended = infer(serial_executor(), sine, xs, how);
    REQUIRE(mended.events.attempts.size() == 1);
    CHECK(mended.events.attempts[0].rows == 1);
    CHECK(digest(mended.answers) == digest(infer(serial_executor(), sine, xs).answers));
}

TEST_CASE("Retries, halves and second attempts keep every row once") {
    const auto xs = ramp(500);
    memory_ledger kept;
    std::atomic<int> calls{0};
    const auto flaky = [&](std::span<const float> rows) {
        if (calls++ % 5 == 0) throw std::runtime_error("busy");
        for (const float x : rows)
            if (x == 77) throw std::runtime_error("poison");
        return sine(rows);
    };
    const job done = infer(threads_executor({.workers = 4}), flaky, xs,
                           {.partition = contiguous{.rows_per_shard = 9},
                            .retry = {.max_attempts = 4, .base = std::chrono::milliseconds(0)},
                            .give_up = give_up::rows,
                            .hedge = hedge{.quantile = 0.1, .times_median = 0.1, .share = 0.9, .min_peers = 1},
                            .ledger = kept});
    const std::size_t done_rows = kept.rows();
    CHECK(done_rows == 500 - done.failed_rows());
    CHECK(infer(serial_executor(), sine, xs, {.ledger = kept}).events.resumed == done_rows);
}

TEST_CASE("A ledger of other rows, another model or other answers is refused") {
    const auto xs = ramp(10);
    auto ys = xs;
    ys[3] = 7;
    memory_ledger kept;
    (void)infer(serial_executor(), sine, xs, {.ledger = kept, .model_fingerprint = 1});
    CHECK(text_of([&] { (void)infer(serial_executor(), sine, ys, {.ledger = kept, .model_fingerprint = 1}); }) ==
          "infer: the ledger holds answers for other rows than rows 3 to 3 of this batch");
    CHECK(text_of([&] { (void)infer(serial_executor(), sine, xs, {.ledger = kept, .model_fingerprint = 2}); }) ==
          "memory_ledger: it is of another job, of 10 rows; this one has 10, or another model or other rows");
    const answering two({{element::float32, {2}, 0, {}}},
                        [](const batch_view&, const mutable_batch_view&, workspace&) {});
    CHECK(text_of([&] { (void)infer(serial_executor(), two, xs, {.ledger = kept, .model_fingerprint = 1}); }) ==
          "infer: the ledger holds answers float32 [10], and the model gives float32 [10, 2]");
}

TEST_CASE("A row that is done must be the one it was; others may change, of any type and along any axis") {
    tensor columns(element::float32, {3, 8});
    for (std::size_t i = 0; i < 24; ++i) columns.as<float>().flat()[i] = static_cast<float>(i);
    std::vector<float> xs = ramp(8);
    const auto sums = [](const batch_view& rows) {
        std::vector<float> all;
        for (std::size_t row = 0; row < rows.rows(); ++row) {
            if (rows[0].as<float>()(row) >= 4) throw std::runtime_error("not yet");
            all.push_back(rows[0].as<float>()(row) + rows[1].as<float>()(1, row));
        }
        return all;
    };
    const auto run = [&](memory_ledger& kept) {
        const batch rows(std::vector<part>{part(xs, 0, "x"), part(columns, 1, "columns")});
        return infer(serial_executor(), sums, rows, {.partition = contiguous{.rows_per_shard = 2}, .ledger = kept});
    };
    memory_ledger kept;
    CHECK(run(kept).failed_rows() == 4);
    xs[6] = 5;
    CHECK(run(kept).events.resumed == 4);
    const auto refused = [&](float& element, const char* which) {
        const float before = std::exchange(element, 99.0F);
        CHECK(text_of([&] { (void)run(kept); }) ==
              std::string("infer: the ledger holds answers for other rows than rows ") + which + " of this batch");
        element = before;
    };
    refused(xs[3], "2 to 3");
    refused(columns.as<float>()(2, 0), "0 to 1");
    std::swap(xs[0], xs[1]);
    CHECK_FALSE(text_of([&] { (void)run(kept); }).empty());
}

TEST_CASE("A ledger that cannot keep ends the job with what it says") {
    struct full {
        std::vector<tensor_type> open(const job_identity&) { return {}; }
        void restore(function_ref<void(const rows_done&)>) {}
        void declare(const std::vector<tensor_type>&) {}
        void keep(rows_done done) {
            if (done.first >= 50) throw std::runtime_error("disk full");
        }
        void finish(std::span<const fault>) {}
    };
    static_assert(ledger<full>);
    full disk;
    const auto xs = ramp(100);
    CHECK(text_of([&] {
              (void)infer(threads_executor({.workers = 3}), sine, xs,
                          {.partition = contiguous{.rows_per_shard = 10}, .ledger = disk});
          }) == "disk full");
}

TEST_CASE("Answers along any axis, and several of them, come back as they were") {
    struct turned {
        std::vector<tensor_type> answers(const batch& all) const {
            const auto n = static_cast<std::int64_t>(all.rows());
            return {{element::float32, {2, n}, 1, "turned"}, {element::int32, {n, 3}, 0, "three a row"}};
        }
        std::size_t workspace_bytes(std::size_t) const { return 0; }
        void operator()(const batch_view& rows, const mutable_batch_view& out, workspace&) const {
            for (std::size_t row = 0; row < rows.rows(); ++row) {
                const float x = rows.as<float>()(row);
                if (x == 9) throw std::runtime_error("no");
                for (int j = 0; j < 2; ++j) out[0].as<float>()(j, row) = x + static_cast<float>(j);
                for (std::size_t k = 0; k < 3; ++k)
                    out[1].as<std::int32_t>()(row, k) =
                        static_cast<std::int32_t>(x) * 3 + static_cast<std::int32_t>(k);
            }
        }
    };
    const auto xs = ramp(20);
    memory_ledger kept;
    const options how{.partition = contiguous{.rows_per_shard = 4}, .ledger = kept};
    CHECK(infer(serial_executor(), turned(), xs, how).failed_rows() == 4);
    const job again = infer(serial_executor(), turned(), xs, how);
    CHECK(again.events.resumed == 16);
    CHECK(again.failed_rows() == 4);
    CHECK(again.answers[0].as<float>()(1, 15) == 16);
    CHECK(again.answers[1].as<std::int32_t>()(15, 2) == 47);
}
