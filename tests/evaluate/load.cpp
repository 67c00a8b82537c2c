// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/evaluate/load.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

/// Time stands still but for those who wait.
class virtual_time {
public:
    [[nodiscard]] time_point now() const { return time_point(duration(now_)); }
    void sleep_until(time_point until) const { now_ = std::max(now(), until).time_since_epoch().count(); }
    void pass(duration d) const { now_ += d.count(); }

private:
    mutable std::atomic<duration::rep> now_{0};
};

}  // namespace

TEST_CASE("A stall of the server is seen by all who came meanwhile: time counts from the intended start") {
    std::vector<duration> starts;
    for (int i = 0; i < 100; ++i) starts.push_back(i * 1ms);
    const virtual_time time;
    const auto send = [&](load_request r) {
        if (r.number() == 10) time.pass(60ms);  // the server holds up whoever sends
        r.ended(load_end::answered);
    };
    const load_point p = offer(starts, 0ms, send, time);
    CHECK(p.answered == 100);
    CHECK(p.latency_us.max == 60'000);
    CHECK(p.latency_us.p95 == 55'000);  // requests 11 to 69 came meanwhile, and each waited for the rest of it
    CHECK(p.latency_us.p50 == 10'000);
    CHECK(p.sent_us.max == 59'000);
}

TEST_CASE("Every end is counted, and only answers in time are goodput") {
    const std::vector<duration> starts{0ms, 1ms, 2ms, 3ms, 4ms, 5ms};
    std::vector<std::jthread> later;
    const virtual_time time;
    const auto send = [&](load_request r) {
        if (r.number() >= 4) time.pass(2ns);
        const load_end how = r.number() == 0   ? load_end::failed
                             : r.number() == 1 ? load_end::timed_out
                             : r.number() == 2 ? load_end::overloaded
                                               : load_end::answered;
        later.emplace_back([r, how] { r.ended(how); });
        later.back().join();
    };
    const load_point p = offer(starts, 1ns, send, time);
    CHECK((p.requests == 6 && p.failed == 1 && p.timed_out == 1 && p.overloaded == 1 && p.answered == 3));
    CHECK(p.late == 2);
    CHECK(p.goodput_per_s == Approx(200));
    CHECK(p.offered_per_s == Approx(1200));
    CHECK(offer(starts, 1h, [](load_request r) { r.ended(load_end::answered); }, time).goodput_per_s == Approx(1200));
    CHECK(offer({}, 0ms, [](load_request) {}).requests == 0);
}

TEST_CASE("What sending throws is passed on after everything sent has ended") {
    std::vector<std::jthread> later;
    CHECK(text_of([&] {
              (void)offer(std::vector<duration>{0ms, 0ms, 0ms}, 0ms, [&](load_request r) {
                  if (r.number() == 1) throw std::runtime_error("no route");
                  later.emplace_back([r] { r.ended(load_end::answered); });
              });
          }) == "no route");
}
