// SPDX-License-Identifier: MIT
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/continuous.hpp>
#include <fanfold/verify/finite.hpp>

#include <atomic>
#include <cmath>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace std::chrono_literals;

namespace {

using tokens = std::vector<std::int64_t>;
constexpr std::int64_t poison = -7;

/// The next token is a hash of all before it; it ends with a multiple of 64.
class hasher {
public:
    explicit hasher(std::size_t max_piece = 4) : max_piece_(max_piece) {}

    [[nodiscard]] step_form form() const {
        const tensor_type token{element::int64, shape{}, {}, {}};
        return {token, token, sequence_kind::generating, max_piece_, 500};
    }
    [[nodiscard]] tokens state(std::size_t slots) const {
        tokens made(slots, 99);
        return made;
    }
    void step(tokens& states, std::span<const step_piece> pieces, const tensor_view& items,
              const mutable_tensor_view& answers, workspace& space) const {
        const auto in = items.as<std::int64_t>().flat();
        const auto out = answers.as<std::int64_t>().flat();
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const step_piece& p = pieces[i];
            std::int64_t& state = states[p.slot];
            if (p.position == 0) state = 0;
            for (const std::int64_t item : in.subspan(p.first, p.items)) {
                if (item == poison) throw std::domain_error("a poisoned item");
                state = (state * 31 + item + 1) % 1'000'003;
            }
            if (p.answered) out[i] = state % 1000;
        }
        while (held && !space.stop.reason()) std::this_thread::yield();
        space.stop.check();
        ++steps;
    }
    [[nodiscard]] bool ends(const tensor_view& answer) const { return answer.as<std::int64_t>().data()[0] % 64 == 0; }

    std::atomic<bool> held{false};
    mutable std::atomic<int> steps{0};

private:
    std::size_t max_piece_;
};

/// Sums of what came so far, as an answer to each item.
struct running_sum {
    [[nodiscard]] step_form form() const {
        const tensor_type pair{element::float32, shape{2}, {}, {}};
        return {pair, {element::float32, shape{1}, {}, {}}, sequence_kind::answer_by_item};
    }
    [[nodiscard]] std::vector<float> state(std::size_t slots) const { return std::vector<float>(slots); }
    void step(std::vector<float>& sums, std::span<const step_piece> pieces, const tensor_view& items,
              const mutable_tensor_view& answers, workspace&) const {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            float& sum = sums[pieces[i].slot];
            if (pieces[i].position == 0) sum = 0;
            for (const float x : items.as<float>().flat().subspan(2 * pieces[i].first, 2)) sum += x;
            answers.as<float>().flat()[i] = sum;
        }
    }
};

tokens alone(const tokens& prompt, std::size_t answers) {
    const hasher model;
    tokens states = model.state(1), items = prompt, out;
    std::int64_t answer = 0;
    for (std::size_t at = 0; at < items.size() && out.size() < answers; ++at) {
        const step_piece piece{0, at, 0, 1, true};
        workspace space;
        model.step(states, {&piece, 1}, view<const std::int64_t>(&items[at], shape{1}),
                   view<std::int64_t>(&answer, shape{1}), space);
        if (at + 1 < prompt.size()) continue;
        out.push_back(answer);
        items.push_back(answer);
        if (answer % 64 == 0) break;
    }
    return out;
}

tokens tokens_of(const reply& r) {
    const auto flat = r.answers.as<std::int64_t>().flat();
    return {flat.begin(), flat.end()};
}
fault_kind why(const reply& r) { return r.failures.at(0).kind; }

template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const std::size_t workers : {1UL, 3UL}) {
        each(threads_executor({.workers = workers}));
        each(tbb_executor({.workers = workers}));
    }
}

}  // namespace

TEST_CASE("Sequences of many threads get the answers that each has alone, whatever the slots, chunks and others") {
    with_executors([](const auto& executor) {
        for (const std::size_t slots : {1UL, 5UL}) {
            const hasher model(slots == 1 ? 1 : 4);
            continuous server(executor, model, {.max_slots = slots, .prefill_items = 6});
            std::atomic<int> right{0};
            const auto wanted = [](const tokens& prompt) { return 1 + static_cast<std::size_t>(prompt.front()); };
            {
                std::vector<std::jthread> clients;
                for (unsigned client = 0; client < 4; ++client)
                    clients.emplace_back([&, client] {
                        std::mt19937 random(client);
                        std::vector<std::pair<tokens, pending<reply>>> asked;
                        for (int i = 0; i < 30; ++i) {
                            tokens prompt(1 + random() % 20);
                            for (auto& t : prompt) t = static_cast<std::int64_t>(random() % 100);
                            auto there = server.submit(prompt, {.max_answers = wanted(prompt)});
                            asked.emplace_back(std::move(prompt), std::move(there));
                        }
                        for (auto& [prompt, there] : asked) {
                            const reply r = there.get();
                            right += r.answered() && tokens_of(r) == alone(prompt, wanted(prompt));
                        }
                    });
            }
            CHECK(right == 120);
            const continuous_counts counts = server.counts();
            CHECK(counts.finished == 120);
            CHECK(counts.submitted == 120);
            CHECK((counts.waiting == 0 && counts.seated == 0));
            CHECK(counts.pieces >= counts.steps);
        }
    });
}

TEST_CASE("Items that are answered one by one: a stream joins and leaves like a sequence") {
    const threads_executor cores({.workers = 2});
    const running_sum model;
    continuous server(cores, model, {.max_slots = 3});
    std::vector<pending<reply>> all;
    for (std::size_t length = 1; length <= 9; ++length) {
        tensor items(element::float32, shape{static_cast<std::int64_t>(length), 2});
        for (float& x : static_cast<mutable_tensor_view>(items).as<float>().flat()) x = static_cast<float>(length);
        all.push_back(server.submit(items));
    }
    for (std::size_t length = 1; length <= 9; ++length) {
        const reply r = all[length - 1].get();
        REQUIRE(r.answers.shape() == shape{static_cast<std::int64_t>(length), 1});
        for (std::size_t i = 0; i < length; ++i)
            CHECK(r.answers.as<float>().flat()[i] == static_cast<float>(2 * length * (i + 1)));
    }
}

TEST_CASE("A sequence that the model throws on fails alone, with the answers that it had; the others have theirs") {
    with_executors([](const auto& executor) {
        const hasher model;
        continuous server(executor, model, {.max_slots = 8, .groups = 1});
        std::vector<pending<reply>> all;
        for (std::int64_t i = 0; i < 8; ++i)
            all.push_back(server.submit(i == 3 ? tokens{1, poison, 2} : tokens{i, i, i}, {.max_answers = 20}));
        for (std::int64_t i = 0; i < 8; ++i) {
            const reply r = all[static_cast<std::size_t>(i)].get();
            if (i == 3) {
                REQUIRE(r.failures.size() == 1);
                CHECK(r.failures[0].kind == fault_kind::threw);
                CHECK(r.failures[0].message == "a poisoned item");
                CHECK(r.failures[0].rows == std::vector<std::size_t>{0});
                CHECK(r.answers.rows() == 0);
            } else {
                CHECK(tokens_of(r) == alone({i, i, i}, 20));
            }
        }
        CHECK(server.counts().failed == 1);
    });
}

TEST_CASE("Each answer is told as it comes, in order, before the reply; who has enough says so") {
    with_executors([](const auto& executor) {
        const hasher model;
        continuous server(executor, model);
        tokens seen;
        bool in_order = true;
        const reply r = server
                            .submit(tokens{5, 6}, {.max_answers = 40},
                                    [&](std::size_t number, const tensor_view& answer) {
                                        in_order = in_order && number == seen.size();
                                        seen.push_back(answer.as<std::int64_t>().data()[0]);
                                        return seen.size() < 3;
                                    })
                            .get();
        CHECK(r.answered());
        CHECK(in_order);
        CHECK(seen == alone({5, 6}, 3));
        CHECK(tokens_of(r) == seen);
        const reply bad = server
                              .submit(tokens{5, 6}, {.max_answers = 40},
                                      [](std::size_t number, const tensor_view&) {
                                          if (number == 1) throw std::runtime_error("enough");
                                      })
                              .get();
        CHECK(bad.failures.at(0).message == "enough");
    });
}

TEST_CASE("Deadlines, stops and abandoned sequences leave in line and between steps; the others go on") {
    const threads_executor cores({.workers = 1});
    hasher model;
    model.held = true;
    continuous server(cores, model, {.max_slots = 1, .max_queued = 3});
    auto running = server.submit(tokens{1}, {.max_answers = 5});
    while (server.counts().seated == 0) std::this_thread::yield();
    const auto now = std::chrono::steady_clock::now();
    std::stop_source source;
    auto late = server.submit(tokens{2}, {.deadline = now});
    auto stopped = server.submit(tokens{2}, {.max_answers = 5, .stop = source.get_token()});
    auto waits = server.submit(tokens{2}, {.max_answers = 5});
    { const auto gone = server.submit(tokens{3}, {.max_answers = 5}); }
    CHECK(why(late.get()) == fault_kind::timed_out);  // while the only worker is busy
    source.request_stop();
    CHECK(why(stopped.get()) == fault_kind::stopped);
    auto more = server.submit(tokens{4}, {.max_answers = 2});
    auto most = server.submit(tokens{4}, {.max_answers = 2});
    CHECK(why(server.submit(tokens{4}, {.max_answers = 2}).get()) == fault_kind::overloaded);
    model.held = false;
    CHECK(tokens_of(running.get()) == alone({1}, 5));
    CHECK(tokens_of(waits.get()) == alone({2}, 5));
    CHECK(tokens_of(more.get()) == alone({4}, 2));
    CHECK(tokens_of(most.get()) == alone({4}, 2));
    const continuous_counts counts = server.counts();
    CHECK((counts.expired == 1 && counts.cancelled >= 1 && counts.finished == 4));
}

TEST_CASE("A server that ends, and what is destroyed on the way, leave one reply each") {
    with_executors([](const auto& executor) {
        for (unsigned round = 0; round < 30; ++round) {
            std::mt19937 random(round);
            std::atomic<int> told{0};
            int asked = 0;
            {
                const hasher model;
                continuous server(executor, model, {.max_slots = 3, .max_queued = 8});
                std::vector<pending<reply>> some;
                for (; asked < 20; ++asked) {
                    tokens prompt(1 + random() % 9, static_cast<std::int64_t>(random() % 50));
                    auto there = server.submit(prompt, {.max_answers = 1 + random() % 30});
                    if (random() % 3 == 0)
                        some.push_back(std::move(there));  // destroyed before the server
                    else
                        std::move(there).then([&](const reply&) { ++told; }).detach();
                }
                asked -= static_cast<int>(some.size());
                if (round % 2 == 0) some.clear();
            }
            REQUIRE(told == asked);
        }
    });
}

TEST_CASE("What cannot be is refused with the numbers") {
    const threads_executor cores({.workers = 1});
    const hasher model;
    continuous server(cores, model);
    CHECK(text_of([&] { static_cast<void>(server.submit(tokens{})); }) ==
          "continuous: expected one or more items int64 [], got int64 [0]");
    CHECK(text_of([&] { static_cast<void>(server.submit(std::vector<float>{1})); }) ==
          "continuous: expected one or more items int64 [], got float32 [1]");
    CHECK(text_of([&] { static_cast<void>(server.submit(tokens(501))); }) == "continuous: 501 items of at most 500");
    CHECK(text_of([&] { static_cast<void>(server.submit(tokens(400), {.max_answers = 102})); }) ==
          "continuous: 400 items and max_answers = 102 of at most 500");
    CHECK(text_of([&] { continuous(cores, model, {.max_slots = 0}); }) == "continuous: max_slots = 0 slots");
    const auto to_the_end = tokens_of(server.submit(tokens{1, 2, 3}).get());
    CHECK(to_the_end == alone({1, 2, 3}, 498));
}

TEST_CASE("Answers that do not pass the verifier fail their sequence, and nobody else's") {
    const threads_executor cores({.workers = 1});
    const running_sum model;
    continuous server(cores, model, {.verify = fanfold::finite{}});
    tensor good(element::float32, shape{3, 2});
    tensor bad(element::float32, shape{3, 2});
    static_cast<mutable_tensor_view>(bad).as<float>().flat()[2] = INFINITY;
    auto first = server.submit(bad);
    auto second = server.submit(good);
    const reply r = first.get();
    CHECK(why(r) == fault_kind::not_finite);
    CHECK(r.failures[0].rows == std::vector<std::size_t>{1});
    CHECK(r.answers.rows() == 1);
    CHECK(second.get().answered());
}
