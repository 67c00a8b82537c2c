// Idle workers that help inside of rows leave no trace in the answers.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>

#include "../catch.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

auto bits(const job& of) { return std::pair(digest(of.answers[0]), digest(of.answers[1])); }

}  // namespace

TEST_CASE("one row, or many, computed with the help of idle workers has the bits of one worker", "[isa]") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const graph model = networks::splittable();
    const serial_executor serial;
    for (const std::size_t rows : {1UL, 5UL}) {
        const tensor in = networks::small_numbers({static_cast<std::int64_t>(rows), 33, 31, 24}, 9);
        const options alone{.partition = contiguous{.rows_per_shard = 1}, .idle = idle_workers::rest};
        const auto expected = bits(infer(serial, model, in, alone));
        for (const idle_workers idle : {idle_workers::rest, idle_workers::help_few_shards, idle_workers::help})
            for (const std::size_t workers : {2UL, 3UL, 8UL}) {
                INFO(rows << " rows, " << workers << " workers");
                const options how{.partition = contiguous{.rows_per_shard = 1}, .idle = idle};
                const tbb_executor tbb({.workers = workers});
                const threads_executor threads({.workers = workers});
                for (int round = 0; round < 2; ++round) {
                    CHECK(bits(infer(tbb, model, in, how)) == expected);
                    CHECK(bits(infer(threads, model, in, how)) == expected);
                }
            }
    }
}

TEST_CASE("a stop ends an operation between its tiles") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    std::stop_source stopper;
    std::atomic<int> ran{0};
    const auto model = [&](std::span<const float> x, workspace& space) {
        space.tiles(1000, [&](std::size_t tile) {
            ++ran;
            if (tile == 3) stopper.request_stop();
        });
        return std::vector<float>(x.begin(), x.end());
    };
    const std::vector<float> row{1};
    const options how{.stop = stopper.get_token(), .idle = idle_workers::help};
    const job stopped = infer(tbb_executor({.workers = 3}), model, row, how);
    REQUIRE(stopped.failures.size() == 1);
    CHECK(stopped.failures[0].kind == fault_kind::stopped);
    CHECK(ran < 1000);
}

TEST_CASE("what a tile throws is a failure of the shard's rows") {
    const auto model = [&](std::span<const float> x, workspace& space) {
        space.tiles(100, [&](std::size_t tile) {
            if (tile == 70 && x[0] == 1) throw std::runtime_error("tile 70");
        });
        return std::vector<float>(x.begin(), x.end());
    };
    const std::vector<float> rows{0, 1, 2};
    for (const std::size_t workers : {1UL, 4UL}) {
        const job some = infer(threads_executor({.workers = workers}), model, rows,
                               {.partition = contiguous{.rows_per_shard = 1}, .idle = idle_workers::help});
        REQUIRE(some.failures.size() == 1);
        CHECK(some.failures[0].message == "tile 70");
        CHECK(some.failures[0].rows == std::vector<std::size_t>{1});
        CHECK(some.answers.as<float>()(2) == 2);
    }
}
