// SPDX-License-Identifier: MIT
#include <fanfold/schedule/channel.hpp>

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

TEST_CASE("What goes into a channel comes out in order, and no more is inside than its capacity") {
    channel<int> c(3);
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 3; ++i) REQUIRE(c.try_push(10 * round + i) == channel_status::passed);
        CHECK(c.try_push(99) == channel_status::would_wait);
        CHECK(c.size() == 3);
        CHECK(c.pop() == 10 * round);
        std::vector<int> rest;
        CHECK(c.try_pop(rest, 5) == channel_status::passed);
        CHECK(rest == std::vector<int>{10 * round + 1, 10 * round + 2});
        CHECK(c.try_pop(rest, 5) == channel_status::would_wait);
    }
    CHECK(text_of([] { channel<int> none(0); }) == "channel: a capacity of 0 lets nothing through");
}

TEST_CASE("A closed channel takes nothing more and gives what it has") {
    channel<int> c(4);
    CHECK(c.push(1) == channel_status::passed);
    c.close();
    c.close();
    CHECK(c.closed());
    CHECK(c.push(2) == channel_status::closed);
    CHECK(c.try_push(2) == channel_status::closed);
    CHECK(c.pop() == 1);
    CHECK(c.pop() == std::nullopt);
    std::vector<int> none;
    CHECK(c.try_pop(none) == channel_status::closed);
}

TEST_CASE("A value that did not pass is still the caller's") {
    channel<std::unique_ptr<int>> c(1);
    CHECK(c.push(std::make_unique<int>(1)) == channel_status::passed);
    auto kept = std::make_unique<int>(2);
    CHECK(c.try_push(std::move(kept)) == channel_status::would_wait);
    REQUIRE(kept != nullptr);
    std::stop_source stopper;
    stopper.request_stop();
    CHECK(c.push(std::move(kept), stopper.get_token()) == channel_status::stopped);
    REQUIRE(kept != nullptr);
    c.close();
    CHECK(c.push(std::move(kept)) == channel_status::closed);
    CHECK(kept != nullptr);
}

TEST_CASE("Closing wakes those that wait at either end, and so does a stop") {
    for (const bool by_stop : {false, true}) {
        channel<int> empty(1), full(1);
        REQUIRE(full.push(0) == channel_status::passed);
        std::stop_source stopper;
        const std::stop_token token = by_stop ? stopper.get_token() : std::stop_token();
        std::optional<int> popped = 7;
        channel_status pushed = channel_status::passed;
        std::jthread reader([&] { popped = empty.pop(token); });
        std::jthread writer([&] { pushed = full.push(1, token); });
        if (by_stop) {
            stopper.request_stop();
        } else {
            empty.close();
            full.close();
        }
        reader.join();
        writer.join();
        CHECK(popped == std::nullopt);
        CHECK(pushed == (by_stop ? channel_status::stopped : channel_status::closed));
        CHECK(full.pop() == 0);
    }
}

TEST_CASE("Four writers and four readers: every value comes out once, each writer's in its order") {
    for (const std::size_t capacity : {1UL, 2UL, 64UL}) {
        constexpr int each = 5000;
        channel<int> c(capacity);
        std::vector<std::vector<int>> got(4);
        {
            std::vector<std::jthread> readers;
            for (std::size_t r = 0; r < 4; ++r)
                readers.emplace_back([&, r] {
                    if (r % 2 == 0)
                        while (const auto value = c.pop()) got[r].push_back(*value);
                    else
                        for (channel_status status; (status = c.try_pop(got[r], 3)) != channel_status::closed;)
                            if (status == channel_status::would_wait) std::this_thread::yield();
                });
            {
                std::vector<std::jthread> writers;
                for (int w = 0; w < 4; ++w)
                    writers.emplace_back([&, w] {
                        for (int i = 0; i < each; ++i) (void)c.push(w * each + i);
                    });
            }
            c.close();
        }
        std::vector<int> seen(4 * each, 0);
        for (const auto& values : got) {
            std::vector<int> last(4, -1);
            for (const int value : values) {
                ++seen[static_cast<std::size_t>(value)];
                REQUIRE(value > last[static_cast<std::size_t>(value / each)]);
                last[static_cast<std::size_t>(value / each)] = value;
            }
        }
        CHECK(seen == std::vector<int>(4 * each, 1));
    }
}

TEST_CASE("Stops, closes and values that meet lose nothing") {
    for (int round = 0; round < 300; ++round) {
        channel<int> c(2);
        std::stop_source stopper;
        std::atomic<int> in{0}, out{0};
        {
            std::jthread writer([&] {
                for (int i = 0; i < 50; ++i)
                    if (c.push(i, stopper.get_token()) == channel_status::passed) ++in;
            });
            std::jthread reader([&] {
                while (c.pop(stopper.get_token())) ++out;
            });
            std::jthread stopping([&] { round % 2 == 0 ? c.close() : static_cast<void>(stopper.request_stop()); });
        }
        c.close();
        while (c.pop()) ++out;
        REQUIRE(in == out);
    }
}

TEST_CASE("A bell that watches a channel rings for values, room and the end") {
    channel<int> c(1);
    detail::doorbell bell;
    const auto rings_for = [&](auto&& act) {
        detail::doorbell::sleeper here(bell);
        std::jthread other(act);
        here.sleep(time_point::max());  // returns: it was rung
    };
    const channel<int>::watch watching(c, bell);
    rings_for([&] { (void)c.push(1); });
    rings_for([&] { (void)c.pop(); });
    rings_for([&] { c.close(); });
}
