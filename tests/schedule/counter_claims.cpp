// SPDX-License-Identifier: MIT
#include <fanfold/schedule/counter_claims.hpp>

#include <thread>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

std::vector<std::size_t> all_of(counter_claims& source, std::size_t worker) {
    std::vector<std::size_t> shards;
    for (next_claim next = source.next(worker, {}); std::holds_alternative<claim>(next); next = source.next(worker, {}))
        shards.push_back(std::get<claim>(next).shard);
    return shards;
}

}  // namespace

static_assert(claim_source<counter_claims>);

TEST_CASE("Shared claims come in order to whoever asks") {
    counter_claims source(4, claim_order::shared, 3);
    for (std::size_t shard = 0; shard < 4; ++shard) CHECK(std::get<claim>(source.next(shard % 3, {})).shard == shard);
    CHECK(std::holds_alternative<finished>(source.next(0, {})));
}

TEST_CASE("A worker takes its own share first, then what the others have left") {
    counter_claims source(10, claim_order::own_share_first, 3);
    CHECK(std::get<claim>(source.next(0, {})).shard == 0);
    CHECK(all_of(source, 1) == std::vector<std::size_t>{3, 4, 5, 6, 7, 8, 9, 1, 2});
    CHECK(std::holds_alternative<finished>(source.next(2, {})));
}

TEST_CASE("Every shard is claimed once, also with fewer shards than workers and with none") {
    for (const claim_order order : {claim_order::shared, claim_order::own_share_first})
        for (std::size_t shards = 0; shards < 20; ++shards)
            for (std::size_t workers = 1; workers < 9; ++workers) {
                counter_claims source(shards, order, workers);
                std::vector<int> seen(shards, 0);
                for (std::size_t worker = 0; worker < workers; ++worker)
                    for (const std::size_t shard : all_of(source, worker)) ++seen[shard];
                REQUIRE(seen == std::vector<int>(shards, 1));
            }
}

TEST_CASE("Threads that claim at once never get the same shard") {
    for (const claim_order order : {claim_order::shared, claim_order::own_share_first}) {
        counter_claims source(20'000, order, 4);
        std::vector<std::vector<std::size_t>> claimed(4);
        {
            std::vector<std::jthread> threads;
            for (std::size_t worker = 0; worker < 4; ++worker)
                threads.emplace_back([&, worker] { claimed[worker] = all_of(source, worker); });
        }
        std::vector<int> seen(20'000, 0);
        for (const auto& shards : claimed)
            for (const std::size_t shard : shards) ++seen[shard];
        CHECK(seen == std::vector<int>(20'000, 1));
    }
}

TEST_CASE("After a stop nothing is claimed any more") {
    std::stop_source stopper;
    counter_claims source(10, claim_order::shared, 1, stop(stopper.get_token()));
    CHECK(std::holds_alternative<claim>(source.next(0, {})));
    stopper.request_stop();
    CHECK(std::holds_alternative<finished>(source.next(0, {})));
}

TEST_CASE("How many shards are out is known at any time") {
    for (const claim_order order : {claim_order::shared, claim_order::own_share_first}) {
        counter_claims source(10, order, 3);
        CHECK(source.claimed() == 0);
        (void)source.next(1, {});
        (void)source.next(1, {});
        CHECK(source.claimed() == 2);
        (void)all_of(source, 0);
        (void)source.next(2, {});
        CHECK(source.claimed() == 10);
    }
}
