// tests/serve/batcher_options.cpp - what a batcher does when nothing is said, on one thread.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/batcher_core.hpp>
#include <fanfold/serve/batcher_options.hpp>

#include <memory>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "workers_by_hand.hpp"

using namespace fanfold;
using namespace callables;

TEST_CASE("By default 64 rows share a batch, 4096 may wait, who comes then is refused, and nobody waits for company") {
    const workers_by_hand workers(1);
    const auto core =
        std::make_shared<detail::batcher_core<workers_by_hand, decltype(twice)>>(workers, twice, batcher_options{});
    auto most = core->submit(batch(ramp(4095)), {});
    CHECK(workers.called() == 1);
    auto last = core->submit(batch(ramp(1)), {});
    auto urgent = core->submit(batch(ramp(1)), {.priority = 1000});
    REQUIRE(urgent.ready());
    CHECK(urgent.get().failures.at(0).kind == fault_kind::overloaded);
    CHECK(core->counts().queued_rows == 4096);
    CHECK(core->counts().max_batch_rows == 64);
    workers.begin();
    CHECK(most.get().batch_rows == 64);
    CHECK(last.get().batch_rows == 64);
    CHECK(core->counts().batches == 64);
}

TEST_CASE("By default answers are not looked at, and lengths have to be equal") {
    const batcher_options how;
    CHECK_FALSE(static_cast<bool>(how.verify));
    CHECK_FALSE(how.lengths.has_value());
    CHECK(how.latency_target == duration{});
    CHECK(how.aging == std::chrono::milliseconds(100));
}

TEST_CASE("Nothing has been counted at first") {
    const batcher_counts none;
    for (const std::size_t count : {none.submitted, none.computed, none.expired, none.cancelled, none.overloaded,
                                    none.batches, none.batch_rows, none.queued_rows, none.max_batch_rows})
        CHECK(count == 0);
}
