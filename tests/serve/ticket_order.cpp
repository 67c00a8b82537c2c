// Tickets by time, against a sorted set.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/ticket_order.hpp>

#include <iterator>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

using detail::ticket_order;
using ticket = ticket_order::ticket;

/// The order, and what it should be.
struct both {
    void push(std::int64_t when, ticket who) {
        const ticket_order::place p{time_point(duration(when)), ++count, who};
        order.push(p, at);
        right.insert({{when, count}, who});
    }
    void erase(std::set<std::pair<std::pair<std::int64_t, std::uint64_t>, ticket>>::iterator who) {
        order.erase(who->second, at);
        right.erase(who);
    }
    void check() const {
        REQUIRE(order.empty() == right.empty());
        if (right.empty()) return;
        REQUIRE(order.front().who == right.begin()->second);
        REQUIRE(order.front().when.time_since_epoch().count() == right.begin()->first.first);
    }

    ticket_order order;
    ticket_order::positions at;
    std::set<std::pair<std::pair<std::int64_t, std::uint64_t>, ticket>> right;
    std::uint64_t count = 0;
};

}  // namespace

TEST_CASE("The earliest is first, of equal times who has the smaller number, whoever leaves between") {
    const auto disorder = GENERATE(0, 1, 3, 100);  // how far behind the latest who comes may be
    const auto leaves = GENERATE(1, 4, 7);         // of ten steps, how many are somebody's leaving
    CAPTURE(disorder, leaves);
    std::mt19937 random(static_cast<unsigned>(disorder * 10 + leaves));
    both b;
    std::vector<ticket> unused;
    ticket next = 0;
    std::int64_t now = 0;
    for (int step = 0; step < 4000; ++step) {
        if (static_cast<int>(random() % 10) >= leaves || b.right.empty()) {
            now += static_cast<std::int64_t>(random() % 2);
            ticket who = next;
            if (unused.empty()) {
                ++next;
            } else {
                who = unused.back();
                unused.pop_back();
            }
            b.push(now - static_cast<std::int64_t>(random() % static_cast<unsigned>(disorder + 1)), who);
        } else {  // the first, or anybody
            auto who = b.right.begin();
            if (random() % 2 == 0) std::advance(who, static_cast<std::ptrdiff_t>(random() % b.right.size()));
            unused.push_back(who->second);
            b.erase(who);
        }
        b.check();
    }
    while (!b.right.empty()) {
        b.erase(b.right.begin());
        b.check();
    }
}

TEST_CASE("Tickets that come backwards are found in order, too") {
    both b;
    for (ticket who = 0; who < 100; ++who) b.push(-static_cast<std::int64_t>(who), who);
    for (int i = 0; i < 50; ++i) {
        b.check();
        b.erase(b.right.begin());
        b.check();
        b.erase(std::prev(b.right.end()));
    }
    b.check();
}
