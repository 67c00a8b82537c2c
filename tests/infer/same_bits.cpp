// A row's answer has the same bits whatever the shard size, worker count, executor, order and the caller's settings.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "../catch.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

constexpr std::size_t images = 1000;

struct shuffled {
    std::size_t rows_per_shard;
    plan operator()(const workload& w) const {
        plan p = contiguous{.rows_per_shard = rows_per_shard}(w);
        p.order.resize(w.rows);
        std::iota(p.order.begin(), p.order.end(), std::size_t{0});
        std::shuffle(p.order.begin(), p.order.end(), std::mt19937(42));
        return p;
    }
};

/// The model, which computes no shard before `count` threads have come to compute one: so that many really take part.
class with_company {
public:
    with_company(const graph& model, std::size_t count) : model_(model), count_(count) {}

    [[nodiscard]] std::vector<tensor_type> answers(const batch& rows) const { return model_.answers(rows); }
    [[nodiscard]] std::size_t workspace_bytes(std::size_t rows) const { return model_.workspace_bytes(rows); }
    void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
        {
            std::unique_lock lock(mutex_);
            threads_.insert(std::this_thread::get_id());
            if (threads_.size() >= count_) all_here_.notify_all();
            all_here_.wait(lock, [&] { return threads_.size() >= count_; });
        }
        model_(rows, out, space);
    }
    [[nodiscard]] std::size_t threads() const { return threads_.size(); }

private:
    const graph& model_;
    std::size_t count_;
    mutable std::mutex mutex_;
    mutable std::condition_variable all_here_;
    mutable std::set<std::thread::id> threads_;
};

bool same_bits(const batch& a, const batch& b) {
    return a.shape() == b.shape() && std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0;
}

}  // namespace

TEST_CASE("LeNet-5 gives the serial run's bits for all shard sizes, worker counts, executors and orders", "[isa]") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const graph model = networks::lenet5();
    const tensor rows = networks::noise(images);
    const job serial = infer(serial_executor(), model, rows, {.partition = contiguous{.shards = 1}});
    REQUIRE(serial.failures.empty());
    REQUIRE(serial.answers.shape() == shape{images, 10});

    for (const std::size_t workers : {1UL, 2UL, 3UL, 8UL}) {
        const threads_executor threads({.workers = workers});
        const tbb_executor cores({.workers = workers});
        for (const std::size_t each : {1UL, 2UL, 3UL, 7UL, 64UL, 257UL, 1000UL}) {
            const auto check = [&](const auto& executor, const any_partitioner& cut) {
                const std::size_t expected = std::min(workers, (images + each - 1) / each);
                const with_company together(model, expected);
                const job done = infer(executor, together, rows, {.partition = cut});
                REQUIRE(done.failures.empty());
                REQUIRE(together.threads() == expected);
                REQUIRE(same_bits(done.answers, serial.answers));
            };
            check(threads, contiguous{.rows_per_shard = each});
            check(cores, contiguous{.rows_per_shard = each});
            check(threads, shuffled{each});
            check(cores, shuffled{each});
        }
    }
    for (const std::size_t each : {1UL, 7UL, 257UL})
        REQUIRE(
            same_bits(infer(serial_executor(), model, rows, {.partition = shuffled{each}}).answers, serial.answers));
}

#if FANFOLD_X86_64
TEST_CASE("A caller that flushes subnormals gets the bits of one that does not", "[isa]") {
    const graph model = networks::lenet5();
    tensor rows = networks::noise(200);
    for (float& value : rows.as<float>().flat()) value *= 1e-38F;  // so that there is something to flush
    const job clean = infer(serial_executor(), model, rows);
    const tbb_executor cores;
    const threads_executor threads({.workers = 2});
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040U);
    const job by_serial = infer(serial_executor(), model, rows);
    const job by_tbb = infer(cores, model, rows, {.partition = contiguous{.rows_per_shard = 3}});
    const job by_threads = infer(threads, model, rows, {.partition = contiguous{.rows_per_shard = 3}});
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    CHECK((after & 0x8040U) == 0x8040U);
    CHECK(same_bits(by_serial.answers, clean.answers));
    CHECK(same_bits(by_tbb.answers, clean.answers));
    CHECK(same_bits(by_threads.answers, clean.answers));
}
#endif

TEST_CASE("A row has the same bits alone as among others, in both networks", "[isa]") {
    const tensor rows = networks::noise(65);
    for (const graph& model : {networks::lenet5(), networks::mlp()}) {
        const job together = infer(serial_executor(), model, rows, {.partition = contiguous{.shards = 1}});
        for (const std::size_t row : {0UL, 1UL, 31UL, 64UL}) {
            const tensor one(rows.rows(row, 1));
            const job alone = infer(serial_executor(), model, one);
            CHECK(std::memcmp(alone.answers[0].data(), together.answers[0].rows(row, 1).data(), 40) == 0);
        }
    }
}

TEST_CASE("The digest is the same for every executor, and another when one pixel changes") {
    const graph model = networks::mlp();
    tensor rows = networks::noise(100);
    const auto of = [&](const auto& executor, std::size_t each) {
        return digest(infer(executor, model, rows, {.partition = contiguous{.rows_per_shard = each}}).answers);
    };
    const auto expected = of(serial_executor(), 100);
    CHECK(of(threads_executor({.workers = 3}), 7) == expected);
    CHECK(of(tbb_executor(), 64) == expected);
    rows.as<float>()(99, 0, 14, 14) += 0.25F;
    CHECK(of(tbb_executor(), 64) != expected);
}
