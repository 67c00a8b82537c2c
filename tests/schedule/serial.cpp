// SPDX-License-Identifier: MIT
#include <fanfold/schedule/serial.hpp>

#include "contract.hpp"

TEST_CASE("The serial executor keeps the contract") {
    const fanfold::serial_executor executor;
    contract::is_kept_by(executor);
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
