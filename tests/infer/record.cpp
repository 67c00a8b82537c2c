// SPDX-License-Identifier: MIT
#include <fanfold/infer/record.hpp>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A record keeps an event a shard, sorts failures by row and names what nobody claimed") {
    const plan shards{.order = {}, .cuts = {0, 2, 4, 6, 8}};
    fanfold::detail::answer_store answers(shards, 8);
    answers.declare({{element::float32, {8}, 0, {}}});
    int told = 0;
    const auto watch = [&](const event&) { ++told; };
    fanfold::detail::record log(shards, 8, watch);
    const auto add = [&](const attempt& ended, const outcome& result) {
        log.add(ended, 2, result, std::vector(result.faults));
    };
    add({{.shard = 2}, 1, {}, {}}, {{{fault_kind::threw, "late", {4, 5}, 1}}});
    add({{.shard = 0}, 0, {}, {}}, {{{fault_kind::threw, "early", {0, 1}, 1}}});
    add({{.shard = 1}, 0, {}, {}}, {});
    std::stop_source stopper;
    stopper.request_stop();
    const job done = std::move(log).finish(answers, stop(stopper.get_token()), "test", 2);
    CHECK(told == 3);
    REQUIRE(done.events.attempts.size() == 3);
    CHECK(done.events.attempts[2].worker == 1);
    CHECK(done.events.attempts[2].fault == fault_kind::threw);
    REQUIRE(done.failures.size() == 3);
    CHECK(done.failures[0].message == "early");
    CHECK(done.failures[1].message == "late");
    CHECK(done.failures[2].kind == fault_kind::stopped);
    CHECK(done.failures[2].rows == std::vector<std::size_t>{6, 7});
    CHECK(done.failures[2].attempts == 0);
}

TEST_CASE("Attempts after the first come behind it, and what they mend is no failure") {
    const plan shards{.order = {}, .cuts = {0, 2, 4}};
    fanfold::detail::answer_store answers(shards, 4);
    answers.declare({{element::float32, {4}, 0, {}}});
    fanfold::detail::record log(shards, 4, {});
    const time_point start(std::chrono::hours(1));
    log.add({{.shard = 0}, 0, start, start + duration(9)}, 2, {{{fault_kind::threw, "once", {0, 1}, 1}}}, {});
    log.add({{.shard = 0, .attempt = 2, .kind = attempt_kind::retry}, 1, start + duration(9), start + duration(10)}, 2,
            {}, {});
    log.add({{.shard = 1}, 0, start, start + duration(1)}, 2, {}, {});
    const job done = std::move(log).finish(answers, stop(), "test", 2);
    CHECK(done.failures.empty());
    REQUIRE(done.events.attempts.size() == 3);
    CHECK(done.events.attempts[0].fault == fault_kind::threw);
    CHECK(done.events.attempts[1].kind == attempt_kind::retry);
    CHECK(done.events.attempts[2].shard == 1);
}
