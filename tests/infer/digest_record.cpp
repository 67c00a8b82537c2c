// SPDX-License-Identifier: MIT
#include <fanfold/infer/digest_record.hpp>
#include <fanfold/infer/infer.hpp>

#include <fanfold/checkpoint/memory_ledger.hpp>
#include <fanfold/partition/hashed.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/digest.hpp>
#include <fanfold/verify/finite.hpp>

#include <cmath>

#include "../callables.hpp"
#include "../catch.hpp"

using namespace fanfold;
using namespace callables;

TEST_CASE("Each row's digest is that of its answers, whatever the plan, and 0 where it failed") {
    auto xs = ramp(100);
    xs[40] = INFINITY;  // its sine is NaN
    const options how{.partition = contiguous{.rows_per_shard = 7},
                      .verify = fanfold::finite{},
                      .digests = digests::of_rows,
                      .give_up = give_up::rows};
    const job done = infer(threads_executor({.workers = 3}), sine, xs, how);
    options scattered = how;
    scattered.partition = hashed{.shards = 5};
    CHECK(infer(serial_executor(), sine, xs, scattered).digests == done.digests);
    REQUIRE(done.digests.size() == 100);
    for (std::size_t row = 0; row < 100; ++row) {
        const float y = std::sin(xs[row]);
        CHECK(done.digests[row] == (row == 40 ? 0 : hash_bytes(&y, 4)));
    }
    CHECK(changed_rows(done).empty());
}

TEST_CASE("An answer that changes after it was computed is found") {
    const auto xs = ramp(50);
    job done = infer(serial_executor(), sine, xs, {.digests = digests::of_rows});
    auto* bytes = const_cast<std::byte*>(static_cast<tensor_view>(done.answers).data());
    bytes[4 * 31 + 1] ^= std::byte{8};
    CHECK(changed_rows(done) == std::vector<std::size_t>{31});
}

TEST_CASE("Digests of shards are made of their rows', and rows that an earlier run did have theirs") {
    const auto xs = ramp(30);
    memory_ledger kept;
    options how{.partition = contiguous{.rows_per_shard = 10}, .digests = digests::of_shards, .ledger = kept};
    const job done = infer(serial_executor(), sine, xs, how);
    REQUIRE(done.digests.size() == 3);
    CHECK(done.digests[0] != done.digests[1]);
    how.digests = digests::of_rows;
    const job again = infer(serial_executor(), sine, xs, how);
    CHECK(again.events.resumed == 30);
    std::string all;
    for (std::size_t row = 10; row < 20; ++row) all += digest_text(again.digests[row]);
    CHECK(hash_bytes(all.data(), all.size()) == done.digests[1]);
}

TEST_CASE("With several answers a row's digest is made of theirs") {
    const auto two = [](std::span<const float> rows) {
        const auto n = static_cast<std::int64_t>(rows.size());
        std::vector<tensor> out{tensor(element::float32, {n, 2}), tensor(element::float32, {n})};
        for (std::size_t i = 0; i < rows.size(); ++i) out[0].as<float>()(i, 1) = out[1].as<float>()(i) = rows[i];
        return out;
    };
    const auto xs = ramp(9);
    const job done =
        infer(serial_executor(), two, xs, {.partition = contiguous{.rows_per_shard = 2}, .digests = digests::of_rows});
    const float first[]{0, 3};
    const std::string text = digest_text(hash_bytes(first, 8)) + digest_text(hash_bytes(first + 1, 4));
    CHECK(done.digests[3] == hash_bytes(text.data(), text.size()));
    CHECK(changed_rows(done).empty());
}
