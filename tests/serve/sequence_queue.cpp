// The decisions of a continuous batcher, on a virtual clock.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/sequence_queue.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "../catch.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

using detail::sequence_options;
using detail::sequence_queue;
using ticket = sequence_queue::ticket;
using verdict = sequence_queue::verdict;

constexpr time_point start{};

/// Sequences have names: their number, in the order of coming. Everything that must hold of any step is checked here.
class named {
public:
    struct record {
        sequence_queue::sequence asked;
        std::size_t fed = 0;       // items the state has seen
        std::size_t answered = 0;  // answers given
        std::size_t slot = 0;
        std::size_t group = 0;
        bool seated = false;
        bool told = false;
        int outcomes = 0;
    };
    struct move {
        int who;
        std::size_t position;
        std::size_t items;
        bool answered;
        bool operator==(const move& other) const {
            return who == other.who && position == other.position && items == other.items && answered == other.answered;
        }
    };

    explicit named(sequence_options options) : queue(options), options_(options), steps_(options.groups) {}

    bool submit(time_point now, sequence_queue::sequence s = {}) {
        std::vector<ticket> out;
        const auto t = queue.submit(now, s, out);
        for (const ticket gone : out) left(gone, dropped);
        const int name = static_cast<int>(all.size());
        all.push_back({s, 0, 0, 0, 0, false, false, t ? 0 : 1});
        if (t) {
            REQUIRE(names.count(*t) == 0);
            names[*t] = name;
        }
        return t.has_value();
    }
    std::vector<move> next(std::size_t group, time_point now) {
        auto& step = steps_[group];
        step.clear();
        expire(now);
        queue.next(group, now, step);
        std::vector<move> moves;
        std::set<ticket> once;
        std::size_t prefilled = 0;
        for (const auto& p : step) {
            record& r = all[static_cast<std::size_t>(names.at(p.who))];
            REQUIRE(once.insert(p.who).second);
            REQUIRE(r.asked.deadline > now);  // nothing that has expired is computed
            REQUIRE_FALSE(r.told);
            if (!r.seated) {
                r.seated = true;
                r.slot = p.slot;
                r.group = group;
                REQUIRE(slots_.insert({group, p.slot}).second);
            }
            REQUIRE((r.slot == p.slot && r.group == group && p.slot < options_.max_slots));
            if (p.position == 0) r.fed = 0;
            REQUIRE(p.position == r.fed);  // item after item
            REQUIRE(p.items >= 1);
            REQUIRE(p.items <= options_.piece_items);
            // the items that exist: those given, and one for each answer but the last
            REQUIRE(p.position + p.items <= r.asked.quiet + 1 + r.answered);
            REQUIRE(p.answered == (p.position + p.items == r.asked.quiet + 1 + r.answered));
            if (r.answered == 0) prefilled += p.items;
            moves.push_back({names.at(p.who), p.position, p.items, p.answered});
        }
        REQUIRE(prefilled <= options_.prefill_items);
        return moves;
    }
    void stepped(std::size_t group, std::vector<verdict> said = {}) {
        auto& step = steps_[group];
        said.resize(step.size(), verdict::goes_on);
        for (const auto& p : step) {
            record& r = all[static_cast<std::size_t>(names.at(p.who))];
            r.fed += p.items;
            r.answered += p.answered;
        }
        sequence_queue::departures gone;
        queue.stepped(group, step, said, gone);
        take(gone);
    }
    void threw(std::size_t group) {
        sequence_queue::departures gone;
        queue.threw(group, steps_[group], gone);
        take(gone);
    }
    void expire(time_point now) {
        std::vector<ticket> late;
        queue.expire(now, late);
        for (const ticket t : late) {
            if (queue.in_a_step(t))
                all[static_cast<std::size_t>(names.at(t))].told = true;
            else
                left(t, expired);
        }
    }
    void cancel(int name) {
        for (const auto& [t, who] : names)
            if (who == name) {
                if (queue.cancel(t))
                    left(ticket(t), cancelled);
                else
                    all[static_cast<std::size_t>(name)].told = true;
                return;
            }
    }
    void clear() {
        std::vector<ticket> now_gone;
        std::vector<ticket> later;
        queue.clear(now_gone, later);
        for (const ticket t : now_gone) left(t, cancelled);
        for (const ticket t : later) all[static_cast<std::size_t>(names.at(t))].told = true;
    }

    sequence_queue queue;
    std::map<ticket, int> names;
    std::vector<record> all;
    std::vector<int> ended, failed, told, expired, dropped, cancelled;

private:
    void take(const sequence_queue::departures& gone) {
        for (const ticket t : gone.ended) {
            const record& r = all[static_cast<std::size_t>(names.at(t))];
            REQUIRE_FALSE(r.told);
            left(t, ended);
        }
        for (const ticket t : gone.failed) left(t, failed);
        for (const ticket t : gone.told) left(t, told);
    }
    void left(ticket t, std::vector<int>& into) {
        const int name = names.at(t);
        record& r = all[static_cast<std::size_t>(name)];
        REQUIRE(++r.outcomes == 1);  // exactly one for each
        if (r.seated) slots_.erase({r.group, r.slot});
        into.push_back(name);
        names.erase(t);
    }

    sequence_options options_;
    std::vector<std::vector<sequence_queue::piece>> steps_;
    std::set<std::pair<std::size_t, std::size_t>> slots_;
};

using ints = std::vector<int>;
using moves = std::vector<named::move>;

}  // namespace

TEST_CASE("Sequences join and leave between steps: who is done makes room for who waits, in the order of coming",
          "[simulated]") {
    named q({.max_slots = 2, .prefill_items = 8});
    CHECK(q.submit(start, {.quiet = 2, .answers = 2}));
    CHECK(q.submit(start, {.quiet = 0, .answers = 4}));
    CHECK(q.submit(start, {.quiet = 1, .answers = 1}));
    CHECK(q.next(0, start) == moves{{0, 0, 3, true}, {1, 0, 1, true}});
    q.stepped(0);
    CHECK(q.queue.waiting() == 1);
    CHECK(q.next(0, start) == moves{{0, 3, 1, true}, {1, 1, 1, true}});  // both slots are taken
    q.stepped(0);
    CHECK(q.ended == ints{0});
    CHECK(q.next(0, start) == moves{{1, 2, 1, true}, {2, 0, 2, true}});
    q.stepped(0);
    CHECK(q.ended == ints{0, 2});
    CHECK(q.next(0, start) == moves{{1, 3, 1, true}});
    q.stepped(0);
    CHECK(q.ended == ints{0, 2, 1});
    CHECK(q.next(0, start).empty());
    CHECK(q.queue.seated() == 0);
}

TEST_CASE("Prompts are taken in chunks: a long one does not keep those waiting that are answered already",
          "[simulated]") {
    named q({.max_slots = 4, .prefill_items = 4, .piece_items = 3});
    CHECK(q.submit(start, {.quiet = 0, .answers = 9}));
    CHECK(q.next(0, start) == moves{{0, 0, 1, true}});
    q.stepped(0);
    CHECK(q.submit(start, {.quiet = 9, .answers = 1}));
    CHECK(q.submit(start, {.quiet = 1, .answers = 1}));
    CHECK(q.submit(start, {.quiet = 0, .answers = 1}));
    CHECK(q.next(0, start) == moves{{0, 1, 1, true}, {1, 0, 3, false}, {2, 0, 1, false}});  // the budget is spent
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{0, 2, 1, true}, {1, 3, 3, false}, {2, 1, 1, true}});
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{0, 3, 1, true}, {1, 6, 3, false}, {3, 0, 1, true}});
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{0, 4, 1, true}, {1, 9, 1, true}});
}

TEST_CASE("Static batching, to compare with: nobody joins until the last has left", "[simulated]") {
    named q({.max_slots = 2, .prefill_items = 1, .join = joining::when_all_have_left});
    for (const std::size_t answers : {1UL, 3UL, 1UL}) CHECK(q.submit(start, {.quiet = 0, .answers = answers}));
    CHECK(q.next(0, start) == moves{{0, 0, 1, true}});
    q.stepped(0);
    for (std::size_t step = 0; step < 3; ++step) {
        CHECK(q.next(0, start) == moves{{1, step, 1, true}});
        q.stepped(0);
    }
    CHECK(q.next(0, start) == moves{{2, 0, 1, true}});
}

TEST_CASE(
    "More than max_queued are refused, or the last in line makes room; priority and waiting decide who comes first",
    "[simulated]") {
    named q({.max_slots = 1, .max_queued = 2, .aging = 10ms});
    CHECK(q.submit(start));
    CHECK(q.submit(start + 1ms, {.priority = 1}));
    CHECK_FALSE(q.submit(start + 2ms, {.priority = 9}));
    CHECK(q.next(0, start + 2ms).at(0).who == 1);
    q.stepped(0);
    CHECK(q.submit(start + 11ms, {.priority = 1}));
    CHECK(q.next(0, start + 12ms).at(0).who == 0);  // it has waited for longer than one step of priority is worth
    q.stepped(0);

    named d({.max_slots = 1, .max_queued = 2, .full = when_full::drop_lowest_first});
    for (const int priority : {0, 1, 2}) CHECK(d.submit(start, {.priority = priority}));
    CHECK(d.dropped == ints{0});
    CHECK_FALSE(d.submit(start, {.priority = 0}));
}

TEST_CASE("A deadline ends a sequence wherever it is: in line, between steps, or when the step ends that it is in",
          "[simulated]") {
    named q({.max_slots = 2});
    CHECK(q.submit(start, {.answers = 9, .deadline = start + 5ms}));
    CHECK(q.submit(start, {.answers = 9, .deadline = start + 9ms}));
    CHECK(q.submit(start, {.answers = 9, .deadline = start + 3ms}));
    CHECK(q.next(0, start).size() == 2);
    CHECK(q.queue.next_time() == start + 3ms);
    q.expire(start + 3ms);
    CHECK(q.expired == ints{2});
    CHECK(q.queue.next_time() == start + 5ms);
    q.expire(start + 5ms);
    CHECK(q.expired == ints{2});  // it is in a step
    CHECK(q.queue.next_time() == start + 9ms);
    q.stepped(0);
    CHECK(q.told == ints{0});
    CHECK(q.next(0, start + 8ms).size() == 1);
    q.stepped(0);
    CHECK(q.next(0, start + 9ms).empty());
    CHECK(q.expired == ints{2, 1});
}

TEST_CASE("After a step that threw its sequences begin anew, each alone up to where it was; who throws alone fails",
          "[simulated]") {
    named q({.max_slots = 3, .prefill_items = 4});
    for (const std::size_t quiet : {0UL, 1UL, 5UL}) CHECK(q.submit(start, {.quiet = quiet, .answers = 3}));
    CHECK(q.next(0, start) == moves{{0, 0, 1, true}, {1, 0, 2, true}, {2, 0, 1, false}});
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{0, 1, 1, true}, {1, 2, 1, true}, {2, 1, 4, false}});
    q.threw(0);
    CHECK(q.failed.empty());
    CHECK(q.next(0, start) == moves{{0, 0, 2, true}});  // the answer that it had is not given again
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{1, 0, 3, true}});
    q.threw(0);
    CHECK(q.failed == ints{1});
    CHECK(q.next(0, start) == moves{{2, 0, 4, false}});
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{2, 4, 2, true}});
    q.stepped(0);
    CHECK(q.next(0, start) == moves{{0, 2, 1, true}, {2, 6, 1, true}});
}

TEST_CASE("Hours of sequences by seed, on a virtual clock: one outcome each, no step without a rule", "[simulated]") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random(seed);
        const auto up_to = [&](std::size_t n) { return static_cast<std::size_t>(random() % (n + 1)); };
        const auto some_ms = [&](std::size_t n) { return 1ms * static_cast<int>(up_to(n)); };
        sequence_options options;
        options.groups = 1 + up_to(2);
        options.max_slots = 1 + up_to(6);
        options.prefill_items = 1 + up_to(9);
        options.piece_items = 1 + up_to(5);
        options.max_queued = 1 + up_to(12);
        options.full = seed % 2 != 0 ? when_full::refuse : when_full::drop_lowest_first;
        options.aging = some_ms(20) + 1ms;
        options.join = seed % 5 != 0 ? joining::between_steps : joining::when_all_have_left;
        named q(options);
        std::vector<bool> steps(options.groups, false);
        std::vector<std::vector<named::move>> last(options.groups);
        time_point now = start;
        for (int round = 0; round < 1500; ++round) {
            now += std::chrono::microseconds(up_to(400));
            switch (up_to(9)) {
                case 0:
                case 1:
                    static_cast<void>(q.submit(now, {up_to(12), 1 + up_to(20), static_cast<int>(up_to(3)),
                                                     up_to(2) == 0 ? now + some_ms(15) : time_point::max()}));
                    break;
                case 2:
                    if (!q.all.empty() && up_to(3) == 0) q.cancel(static_cast<int>(up_to(q.all.size() - 1)));
                    break;
                case 3: q.expire(now); break;
                default: {
                    const std::size_t group = up_to(options.groups - 1);
                    if (steps[group]) {
                        if (up_to(19) == 0) {
                            q.threw(group);
                        } else {
                            std::vector<verdict> said(last[group].size(), verdict::goes_on);
                            if (up_to(5) == 0)
                                said[up_to(said.size() - 1)] = up_to(1) == 0 ? verdict::ends : verdict::fails;
                            for (std::size_t i = 0; i < said.size(); ++i)
                                if (!last[group][i].answered) said[i] = verdict::goes_on;
                            q.stepped(group, said);
                        }
                        steps[group] = false;
                    } else {
                        last[group] = q.next(group, now);
                        steps[group] = !last[group].empty();
                        // whoever has a slot gets on: nobody is kept without reason
                        if (options.join == joining::between_steps && !steps[group])
                            REQUIRE_FALSE(q.queue.anybody_waits(now));
                    }
                }
            }
        }
        q.clear();
        for (std::size_t group = 0; group < options.groups; ++group)
            if (steps[group]) q.stepped(group);
        for (const auto& r : q.all) REQUIRE(r.outcomes == 1);
        REQUIRE(q.names.empty());
        REQUIRE(q.queue.seated() == 0);
        REQUIRE(q.queue.waiting() == 0);
        REQUIRE_FALSE(q.ended.empty());
    }
}

TEST_CASE("Whoever is admitted gets its next answer within as many steps as there are prompts before its own",
          "[simulated]") {
    std::mt19937_64 random(7);
    named q({.max_slots = 8, .prefill_items = 16, .piece_items = 16});
    std::map<int, std::size_t> silent;  // steps since the last answer
    for (int step = 0; step < 4000; ++step) {
        if (random() % 6 == 0) static_cast<void>(q.submit(start, {random() % 64, 1 + random() % 40}));
        const auto now = q.next(0, start);
        for (const auto& m : now) {
            if (m.answered) {
                silent.erase(m.who);
            } else {
                REQUIRE(++silent[m.who] <= 8 * 4);
            }
        }
        // those that have been answered are in each step
        for (const auto& named_ticket : q.names) {
            const int name = named_ticket.second;
            const auto& r = q.all[static_cast<std::size_t>(name)];
            const auto answers = [&](const auto& m) { return m.who == name && m.answered; };
            if (r.seated && r.answered != 0) REQUIRE(std::any_of(now.begin(), now.end(), answers));
        }
        if (!now.empty()) q.stepped(0);
    }
}
