// SPDX-License-Identifier: MIT
#include <fanfold/evaluate/arrivals.hpp>
#include <fanfold/evaluate/load.hpp>

#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

TEST_CASE("A stall of the server is seen by all who came meanwhile: time counts from the intended start") {
    std::vector<duration> starts;
    for (int i = 0; i < 100; ++i) starts.push_back(i * 1ms);
    const load_point p = offer(starts, 0ms, [](load_request r) {
        if (r.number() == 10) std::this_thread::sleep_for(60ms);  // the server holds up whoever sends
        r.ended(load_end::answered);
    });
    CHECK(p.answered == 100);
    CHECK(p.latency_us.max >= 60'000);
    CHECK(p.latency_us.p95 >= 50'000);  // requests 11 to 19 came in its first 10 ms, and each waited for the rest of it
    CHECK(p.sent_us.max >= 59'000);
}

TEST_CASE("Every end is counted, and only answers in time are goodput") {
    const std::vector<duration> starts{0ms, 1ms, 2ms, 3ms, 4ms, 5ms};
    std::vector<std::jthread> later;
    const load_point p = offer(starts, 1ns, [&](load_request r) {
        const load_end how = r.number() == 0   ? load_end::failed
                             : r.number() == 1 ? load_end::timed_out
                             : r.number() == 2 ? load_end::overloaded
                                               : load_end::answered;
        later.emplace_back([r, how] { r.ended(how); });
    });
    CHECK((p.requests == 6 && p.failed == 1 && p.timed_out == 1 && p.overloaded == 1 && p.answered == 3));
    CHECK(p.late == 3);
    CHECK(p.goodput_per_s == 0);
    CHECK(p.offered_per_s == Approx(1200));
    CHECK(offer(starts, 1h, [](load_request r) { r.ended(load_end::answered); }).goodput_per_s == Approx(1200));
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
