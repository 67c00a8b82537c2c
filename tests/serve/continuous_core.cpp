// tests/serve/continuous_core.cpp - what `continuous` does with sequences and workers, one step after the other on one
// thread.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/continuous_core.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "workers_by_hand.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

/// Counts on from the last number of a prompt.
struct counting {
    std::function<void()> during = [] {};  ///< a step

    [[nodiscard]] static step_form form() {
        const tensor_type number{element::int64, shape{}, {}, {}};
        return {.item = number, .answer = number, .max_piece = 4};
    }
    [[nodiscard]] static std::vector<std::int64_t> state(std::size_t slots) { return std::vector<std::int64_t>(slots); }
    void step(std::vector<std::int64_t>& last, std::span<const step_piece> pieces, const tensor_view& items,
              const mutable_tensor_view& answers, workspace&) const {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const step_piece& p = pieces[i];
            last[p.slot] = items.as<std::int64_t>().data()[p.first + p.items - 1];
            if (p.answered) answers.as<std::int64_t>().data()[i] = last[p.slot] + 1;
        }
        during();
    }
};

using core_of_counting = detail::continuous_core<workers_by_hand, counting>;
using numbers = std::vector<std::int64_t>;

std::shared_ptr<core_of_counting> core_of(const workers_by_hand& workers, const counting& model,
                                          continuous_options how = {}) {
    return std::make_shared<core_of_counting>(workers, model, std::move(how));
}
pending<reply> ask(core_of_counting& core, const numbers& prompt, std::size_t answers,
                   const request_options& how = {}) {
    return core.submit(as_view(prompt), answers, how, {});
}
numbers answers_of(const reply& r) {
    const auto flat = r.answers.as<std::int64_t>().flat();
    return {flat.begin(), flat.end()};
}
std::string why(const reply& r) { return r.failures.empty() ? std::string() : r.failures[0].message; }

}  // namespace

TEST_CASE("A worker is called for each group while somebody waits") {
    const counting model;
    SECTION("as many groups as workers when nothing is said") {
        const workers_by_hand workers(2);
        const auto core = core_of(workers, model);
        std::vector<pending<reply>> all;
        for (std::int64_t i = 0; i < 3; ++i) all.push_back(ask(*core, {i}, 2));
        CHECK(workers.called() == 2);
        workers.begin();
        CHECK(workers.called() == 0);
        for (std::int64_t i = 0; i < 3; ++i)
            CHECK(answers_of(all[static_cast<std::size_t>(i)].get()) == numbers{i + 1, i + 2});
        all.push_back(ask(*core, {9}, 1));  // they have left and are called again
        CHECK(workers.called() == 1);
        workers.begin();
        CHECK(answers_of(all.back().get()) == numbers{10});
    }
    SECTION("one group, whatever the workers") {
        const workers_by_hand workers(3);
        const auto core = core_of(workers, model, {.groups = 1});
        auto first = ask(*core, {1}, 1), second = ask(*core, {2}, 1);
        CHECK(workers.called() == 1);
        workers.begin();
        CHECK((first.ready() && second.ready()));
        CHECK(core->counts().steps == 1);
    }
}

TEST_CASE("By default sixteen sequences step together, and 1024 may wait") {
    const workers_by_hand workers(1);
    std::size_t seated = 0;
    core_of_counting* seen = nullptr;
    const counting model{[&] { seated = std::max(seated, seen->counts().seated); }};
    const auto core = core_of(workers, model);
    seen = core.get();
    std::vector<pending<reply>> all;
    for (std::int64_t i = 0; i < 1024; ++i) all.push_back(ask(*core, {i, i, i}, 12));
    CHECK(core->counts().waiting == 1024);
    const reply refused = ask(*core, {1}, 1, {.priority = 1000}).get();
    CHECK(refused.failures.at(0).kind == fault_kind::overloaded);
    CHECK(why(refused) == "as many sequences wait as the server holds");
    workers.begin_one();
    CHECK(seated == 16);
    for (auto& each : all) CHECK(each.get().answered());
    const continuous_counts counts = core->counts();
    CHECK((counts.submitted == 1025 && counts.finished == 1024 && counts.overloaded == 1));
    CHECK((counts.waiting == 0 && counts.seated == 0));
    CHECK(counts.items == 1024 * (3 + 11));
}

TEST_CASE("Who is told to leave during a step leaves when it ends, with the answers that were there") {
    const workers_by_hand workers(2);
    std::stop_source stop;
    int steps = 0;
    counting model;
    const auto core = core_of(workers, model, {.groups = 2, .max_queued = 8});
    SECTION("by its token") {
        model.during = [&] {
            if (++steps == 3) stop.request_stop();
        };
        auto asked = ask(*core, {1, 2}, 100, {.stop = stop.get_token()});
        workers.begin();
        const reply r = asked.get();
        CHECK(steps == 3);
        CHECK(why(r) == "stopped before all its answers were there");
        CHECK(r.failures.at(0).rows == std::vector<std::size_t>{answers_of(r).size()});
        CHECK(answers_of(r).size() >= 2);
        CHECK(core->counts().cancelled == 1);
    }
    SECTION("by its deadline, which another worker saw") {
        const time_point deadline = std::chrono::steady_clock::now() + 50ms;
        std::vector<pending<reply>> other;
        model.during = [&] {
            if (++steps != 3) return;
            while (std::chrono::steady_clock::now() < deadline) {
            }
            other.push_back(ask(*core, {7}, 1));
            workers.begin();
        };
        auto asked = ask(*core, {1, 2}, 100, {.deadline = deadline});
        workers.begin();
        const reply r = asked.get();
        CHECK(why(r) == "the deadline has passed before all its answers were there");
        CHECK(r.failures.at(0).rows == std::vector<std::size_t>{answers_of(r).size()});
        CHECK(answers_of(other.at(0).get()) == numbers{8});
        CHECK((core->counts().expired == 1 && core->counts().finished == 1));
    }
}

TEST_CASE("A group that a worker has given back is another's alone, though the first still tells of an expiry") {
    const workers_by_hand workers(1);
    std::atomic<int> inside = 0;
    int together = 0;  // at most, in one step
    std::latch stepping(1), left(1);
    counting model;
    model.during = [&, first = std::this_thread::get_id()] {
        together = std::max(together, ++inside);
        if (std::this_thread::get_id() != first) {
            stepping.count_down();
            left.wait();
        }
        --inside;
    };
    const auto core = core_of(workers, model, {.groups = 1});
    std::jthread second;
    std::vector<pending<reply>> next;
    const time_point deadline = std::chrono::steady_clock::now() + 50ms;
    auto late = ask(*core, {1}, 1, {.deadline = deadline}).then([&](const reply& r) {  // by who gave the group back
        next.push_back(ask(*core, {7}, 1));
        second = std::jthread([&] { workers.begin(); });
        stepping.wait();
        return why(r);
    });
    REQUIRE(workers.called() == 1);
    while (std::chrono::steady_clock::now() < deadline) {
    }
    workers.begin_one();  // returns: the other's step is not its own
    left.count_down();
    second.join();
    CHECK(late.get() == "the deadline has passed before all its answers were there");
    CHECK(answers_of(next.at(0).get()) == numbers{8});
    CHECK(together == 1);
    CHECK(core->counts().steps == 1);
}

TEST_CASE("A token that is set after its sequence has left calls nobody else off, though the place has been given on") {
    const workers_by_hand workers(1);
    const counting model;
    const auto core = core_of(workers, model);
    std::stop_source stop;
    auto answered = ask(*core, {1}, 1, {.stop = stop.get_token()});
    workers.begin();
    auto in_its_place = ask(*core, {2}, 1);
    stop.request_stop();
    CHECK(core->counts().waiting == 1);
    workers.begin();
    CHECK(answers_of(in_its_place.get()) == numbers{3});
    CHECK(answers_of(answered.get()) == numbers{2});
}

TEST_CASE("Who keeps the time tells of a deadline that comes while nobody is at work") {
    const workers_by_hand workers(1);
    const counting model;
    const auto core = core_of(workers, model);
    auto late = ask(*core, {1}, 1, {.deadline = time_point()}).then([&](const reply& r) {
        core->close();  // or time would be kept for ever
        return why(r);
    });
    auto fine = ask(*core, {1}, 1);
    core->keep_time();
    CHECK(late.get() == "the deadline has passed before all its answers were there");
    CHECK(why(fine.get()) == "the server has ended");
    CHECK((core->counts().expired == 1 && core->counts().cancelled == 1));
}

TEST_CASE("Once it is closed every sequence is told, workers that were called find nothing, and no more enter") {
    const workers_by_hand workers(2);
    const counting model;
    const auto core = core_of(workers, model);
    auto waits = ask(*core, {1}, 1), also = ask(*core, {2}, 1);
    core->close();
    CHECK(why(waits.get()) == "the server has ended");
    CHECK(why(also.get()) == "the server has ended");
    workers.begin();
    CHECK(why(ask(*core, {3}, 1).get()) == "the server has ended");
    CHECK(workers.called() == 0);
    const continuous_counts counts = core->counts();
    CHECK((counts.submitted == 3 && counts.cancelled == 3 && counts.steps == 0 && counts.waiting == 0));
}

TEST_CASE("Who has to make room for a higher priority is told that the server is full") {
    const workers_by_hand workers(1);
    const counting model;
    const auto core = core_of(workers, model, {.max_queued = 1, .full = when_full::drop_lowest_first});
    auto last = ask(*core, {1}, 1);
    auto first = ask(*core, {2}, 1, {.priority = 1});
    REQUIRE(last.ready());
    CHECK(why(last.get()) == "as many sequences wait as the server holds");
    workers.begin();
    CHECK(answers_of(first.get()) == numbers{3});
}
