// SPDX-License-Identifier: MIT
#include <fanfold/schedule/serial.hpp>

#include "contract.hpp"

TEST_CASE("The serial executor keeps the contract") {
    const fanfold::serial_executor executor;
    contract::every_shard_once(executor);
    contract::waits_for_later_claims(executor);
    contract::takes_what_done_pushes(executor);
    contract::passes_exceptions_on(executor);
    contract::a_stop_wakes_sleepers(executor);
    contract::serves_jobs_at_once_and_nested(executor);
}

TEST_CASE("The serial executor runs everything on the calling thread, in order") {
    const fanfold::serial_executor executor;
    contract::counter_claims source(100, executor.order(), 1);
    std::vector<std::size_t> shards;
    contract::run(executor, source, [&](const fanfold::claim& what, fanfold::workspace&) {
        shards.push_back(what.shard);
        REQUIRE(shards.back() == shards.size() - 1);
        return fanfold::outcome{};
    });
    CHECK(shards.size() == 100);
}
