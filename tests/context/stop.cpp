// SPDX-License-Identifier: MIT
#include <fanfold/context/stop.hpp>

#include <string>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct virtual_time {
    time_point now{};
    mutable int reads = 0;

    fanfold::clock clock() const {
        return {[](const void* source) {
                    const auto& time = *static_cast<const virtual_time*>(source);
                    ++time.reads;
                    return time.now;
                },
                this};
    }
};

constexpr time_point deadline{std::chrono::seconds(10)};

}  // namespace

TEST_CASE("Nothing stops a computation unless told") {
    const fanfold::stop never;
    CHECK_FALSE(never.reason().has_value());
    CHECK_FALSE(never.deadline().has_value());
    CHECK_FALSE(never.token().stop_possible());
    CHECK_NOTHROW(never.check());
}

TEST_CASE("A stop token stops once a stop is requested, copies included") {
    std::stop_source source;
    const fanfold::stop s(source.get_token());
    const fanfold::stop copy = s;
    CHECK_FALSE(s.reason().has_value());
    CHECK_NOTHROW(s.check());
    source.request_stop();
    CHECK(s.reason() == stop_reason::requested);
    CHECK(copy.reason() == stop_reason::requested);
    CHECK(s.token().stop_requested());
}

TEST_CASE("A deadline stops at the deadline, not before") {
    virtual_time time;
    const fanfold::stop s({}, deadline, time.clock());
    CHECK(s.deadline() == deadline);
    CHECK_FALSE(s.reason().has_value());
    time.now = deadline - duration(1);
    CHECK_FALSE(s.reason().has_value());
    CHECK_NOTHROW(s.check());
    time.now = deadline;
    CHECK(s.reason() == stop_reason::deadline);
    time.now = deadline + std::chrono::hours(1);
    CHECK(s.reason() == stop_reason::deadline);
}

TEST_CASE("With a token and a deadline, whichever comes first stops, and a request is named before the deadline") {
    virtual_time time;
    std::stop_source source;
    const fanfold::stop s(source.get_token(), deadline, time.clock());
    CHECK_FALSE(s.reason().has_value());
    SECTION("the deadline") {
        time.now = deadline;
        CHECK(s.reason() == stop_reason::deadline);
        source.request_stop();
        CHECK(s.reason() == stop_reason::requested);
    }
    SECTION("the request") {
        source.request_stop();
        CHECK(s.reason() == stop_reason::requested);
    }
}

TEST_CASE("The last moment of all as a deadline is no deadline") {
    virtual_time time;
    time.now = time_point::max();
    const fanfold::stop s({}, time_point::max(), time.clock());
    CHECK_FALSE(s.reason().has_value());
    CHECK_FALSE(s.deadline().has_value());
}

TEST_CASE("The clock is not read without a deadline") {
    virtual_time time;
    const fanfold::stop s({}, {}, time.clock());
    CHECK_FALSE(s.reason().has_value());
    CHECK(time.reads == 0);
    const fanfold::stop with({}, deadline, time.clock());
    CHECK_FALSE(with.reason().has_value());
    CHECK(time.reads == 1);
}

TEST_CASE("A check throws with the reason, and the error says it in words") {
    virtual_time time;
    std::stop_source source;
    const fanfold::stop s(source.get_token(), deadline, time.clock());
    time.now = deadline;
    try {
        s.check();
        FAIL("the check at the deadline threw nothing");
    } catch (const stopped_error& error) {
        CHECK(error.reason() == stop_reason::deadline);
        CHECK(std::string(error.what()) == "the deadline has passed");
    }
    source.request_stop();
    try {
        s.check();
        FAIL("the check after a request threw nothing");
    } catch (const stopped_error& error) {
        CHECK(error.reason() == stop_reason::requested);
        CHECK(std::string(error.what()) == "stop was requested");
    }
}

TEST_CASE("A stop is caught as a standard exception, but not as a runtime error of the model") {
    static_assert(std::is_base_of_v<std::exception, stopped_error>);
    static_assert(!std::is_base_of_v<std::runtime_error, stopped_error>);
    SUCCEED();
}

TEST_CASE("An attempt may have a token and a deadline of its own, which the next one has not") {
    time_point now = time_point(std::chrono::hours(1));
    const fanfold::clock virtual_time([](const void* at) { return *static_cast<const time_point*>(at); }, &now);
    std::stop_source loser;
    stop stopping(std::stop_token{}, now + std::chrono::seconds(9), virtual_time);
    stopping.limit_attempt({}, now + std::chrono::seconds(2));
    CHECK_FALSE(stopping.reason());
    now += std::chrono::seconds(2);
    CHECK(stopping.reason() == stop_reason::deadline);
    stopping.limit_attempt(loser.get_token(), time_point::max());
    CHECK_FALSE(stopping.reason());
    loser.request_stop();
    CHECK(stopping.reason() == stop_reason::requested);
    stopping.limit_attempt({}, time_point::max());
    CHECK_FALSE(stopping.reason());
    now += std::chrono::seconds(7);
    CHECK(stopping.reason() == stop_reason::deadline);
}
