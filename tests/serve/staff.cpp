// SPDX-License-Identifier: MIT
#include <fanfold/serve/staff.hpp>

#include <memory>
#include <stop_token>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;

namespace {

struct nobody {
    int calls = 0;
    bool cancel(struct request&);
};

struct request {
    explicit request(nobody& of) : core(&of) {}
    nobody* core;
    detail::reply_line<request> line{*this};
};

bool nobody::cancel(request&) { return ++calls, false; }

pending<reply> reply_of(const std::shared_ptr<request>& to) {
    return pending<reply>(std::shared_ptr<detail::promise<reply>>(to, &to->line.there));
}

}  // namespace

TEST_CASE("Replies that are due together are all there before anybody is told") {
    nobody server;
    std::vector<std::shared_ptr<request>> gone{std::make_shared<request>(server), std::make_shared<request>(server)};
    pending<reply> second = reply_of(gone[1]);
    bool both = false;
    pending<std::monostate> told =
        reply_of(gone[0]).then([&](const reply& r) { both = r.batch_rows == 1 && second.ready(); });
    std::size_t made = 0;
    detail::reply_to(gone, [&](request&, time_point) { return reply{batch(tensor()), {}, {}, {}, {}, ++made}; });
    CHECK(gone.empty());
    CHECK(both);
    CHECK(second.get().batch_rows == 2);
}

TEST_CASE("A request is called off by its token, at once where that is set, and by who waits no more") {
    nobody server;
    std::stop_source stop;
    {
        const auto asked = std::make_shared<request>(server);
        pending<reply> waiting = reply_of(asked);
        asked->line.heed(stop.get_token());
        CHECK(server.calls == 0);
        stop.request_stop();
        CHECK(server.calls == 1);
    }
    CHECK(server.calls == 2);
    const auto late = std::make_shared<request>(server);
    late->line.heed(stop.get_token());
    CHECK(server.calls == 3);
}

TEST_CASE("Nobody begins once it is closed; who is at work is stopped and waited for") {
    detail::staff staff;
    workspace_store spaces;
    int begun = 0, worked = 0;
    const auto begin = [&] { ++begun; };
    staff.attend(spaces, begin, [&](workspace& space) {
        if (++worked == 1) return true;
        {
            const std::lock_guard lock(staff.mutex);
            staff.close();
        }
        CHECK_FALSE(space.stop.reason());
        return false;
    });
    bool told = false;
    staff.dismiss([&] { told = true; });
    staff.attend(spaces, begin, [&](workspace&) { return ++worked, false; });
    CHECK((begun == 1 && worked == 2 && told));
    CHECK_FALSE(staff.room(8));
}

TEST_CASE("Workers are called for up to a number, and leave") {
    detail::staff staff;
    CHECK(staff.room(1));
    staff.call();
    CHECK_FALSE(staff.room(1));
    CHECK(staff.room(2));
    staff.leave();
    CHECK(staff.room(1));
    CHECK_FALSE(staff.looks_later_than(time_point()));  // nobody sleeps
}

TEST_CASE("Who keeps the time looks again until there is nothing to do, and ends when it is closed") {
    detail::staff staff;
    nobody server;
    int looks = 0, runs = 0;
    const auto look = [&](time_point) {
        detail::errands<std::shared_ptr<request>> due;
        if (++looks < 3) due.posts = 1;
        if (looks == 3) due.gone.push_back(std::make_shared<request>(server));
        return due;
    };
    const auto run = [&](detail::errands<std::shared_ptr<request>>& due) {
        runs += static_cast<int>(due.posts + due.gone.size());
        if (due.gone.empty()) return;
        const std::lock_guard lock(staff.mutex);  // so it is called without
        staff.close();
    };
    staff.keep_time(look, run, [] { return time_point::max(); });
    CHECK((looks == 3 && runs == 3));
}
