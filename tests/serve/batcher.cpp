// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/serve/batcher.hpp>

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

namespace {

/// Rows that tell when they are gone.
struct watched {
    std::vector<float> values;
    std::shared_ptr<int> alive;
};

}  // namespace

template <>
struct fanfold::adapt<watched> {
    static tensor_view view(const watched& w) { return fanfold::view<const float>(std::span<const float>(w.values)); }
};

namespace {

/// Holds batches back until it is opened, and counts them.
class gate {
public:
    std::vector<float> operator()(std::span<const float> rows, workspace& space) const {
        ++inside;
        inside.notify_all();
        while (!open && !space.stop.reason()) std::this_thread::yield();
        space.stop.check();
        ++batches;
        largest = std::max(largest.load(), rows.size());
        return twice(rows);
    }
    void wait_inside(int count) const {
        while (inside < count) std::this_thread::yield();
    }
    mutable std::atomic<int> inside{0};
    mutable std::atomic<int> batches{0};
    mutable std::atomic<std::size_t> largest{0};
    std::atomic<bool> open{false};
};

template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const std::size_t workers : {1UL, 3UL}) {
        each(threads_executor({.workers = workers}));
        each(tbb_executor({.workers = workers}));
    }
}

float first_of(const reply& r) { return r.answers.as<float>().flat()[0]; }
fault_kind why(const reply& r) { return r.failures.at(0).kind; }

std::vector<float> one(float x) { return {x}; }

/// One request held back inside of each worker.
template <class Server>
std::vector<pending<reply>> busy_workers(Server& server, const gate& model, std::size_t workers) {
    std::vector<pending<reply>> busy;
    for (std::size_t i = 0; i < workers; ++i) {
        busy.push_back(server.submit(one(0)));
        model.wait_inside(static_cast<int>(i) + 1);
    }
    return busy;
}

}  // namespace

TEST_CASE("Every request of many threads gets its own answer") {
    with_executors([](const auto& executor) {
        batcher server(executor, twice, {.max_rows = 16});
        std::atomic<int> right{0};
        {
            std::vector<std::jthread> clients;
            for (int client = 0; client < 4; ++client)
                clients.emplace_back([&, client] {
                    for (int i = 0; i < 200; ++i) {
                        const auto x = static_cast<float>(client * 1000 + i);
                        const reply r = server.submit(one(x)).get();
                        if (r.answered() && r.answers.rows() == 1 && first_of(r) == 2 * x) ++right;
                    }
                });
        }
        CHECK(right == 800);
        const batcher_counts counts = server.counts();
        CHECK((counts.submitted == 800 && counts.computed == 800 && counts.batch_rows == 800));
        CHECK(counts.queued_rows == 0);
    });
}

TEST_CASE("What waits while workers are busy becomes one batch, max_rows at most") {
    with_executors([](const auto& executor) {
        gate model;
        batcher server(executor, model, {.max_rows = 8});
        std::vector<pending<reply>> replies = busy_workers(server, model, executor.workers());
        for (int i = 1; i <= 12; ++i) replies.push_back(server.submit(one(static_cast<float>(i))));
        CHECK(server.counts().queued_rows == 12);
        model.open = true;
        for (std::size_t i = 0; i < replies.size(); ++i) {
            const reply r = replies[i].get();
            CHECK(r.answered());
            if (i >= executor.workers()) CHECK(first_of(r) == 2 * static_cast<float>(i - executor.workers() + 1));
        }
        CHECK(model.largest == 8);
        CHECK(model.batches == static_cast<int>(executor.workers()) + 2);
    });
}

TEST_CASE("With max_delay a request waits for company until the batch is full") {
    with_executors([](const auto& executor) {
        batcher server(executor, twice, {.max_rows = 4, .max_delay = 1h});
        std::vector<pending<reply>> replies;
        for (int i = 0; i < 3; ++i) replies.push_back(server.submit(one(1)));
        std::this_thread::yield();
        CHECK(server.counts().batches == 0);
        replies.push_back(server.submit(one(1)));
        for (auto& r : replies) CHECK(r.get().batch_rows == 4);
        CHECK(server.counts().batches == 1);
    });
}

TEST_CASE("With max_delay a lone request is computed once it has waited that long") {
    with_executors([](const auto& executor) {
        batcher server(executor, twice, {.max_rows = 4, .max_delay = 2ms});
        for (int i = 0; i < 3; ++i) {
            const reply r = server.submit(one(1)).get();
            CHECK(r.answered());
            CHECK(r.started - r.submitted >= 2ms);
        }
    });
}

TEST_CASE("An expired request is told so while all workers are busy, and is never computed") {
    with_executors([](const auto& executor) {
        gate model;
        batcher server(executor, model);
        std::vector<pending<reply>> busy = busy_workers(server, model, executor.workers());
        const time_point deadline = std::chrono::steady_clock::now() + 2ms;
        const reply late = server.submit(one(1), {.deadline = deadline}).get();  // returns: nobody else would
        CHECK(why(late) == fault_kind::timed_out);
        CHECK(late.finished >= deadline);
        CHECK(late.failures[0].rows == std::vector<std::size_t>{0});
        const reply past = server.submit(one(1), {.deadline = time_point{}}).get();
        CHECK(why(past) == fault_kind::timed_out);
        model.open = true;
        for (auto& r : busy) CHECK(r.get().answered());
        CHECK(server.counts().expired == 2);
        CHECK(model.batches == static_cast<int>(executor.workers()));
    });
}

TEST_CASE("A full queue answers overloaded at once") {
    with_executors([](const auto& executor) {
        gate model;
        batcher server(executor, model, {.max_queued_rows = 2});
        std::vector<pending<reply>> busy = busy_workers(server, model, executor.workers());
        busy.push_back(server.submit(one(0)));
        busy.push_back(server.submit(one(0)));
        pending<reply> refused = server.submit(one(1));
        CHECK(refused.ready());
        CHECK(why(refused.get()) == fault_kind::overloaded);
        model.open = true;
        for (auto& r : busy) CHECK(r.get().answered());
        CHECK(server.counts().overloaded == 1);
    });
}

TEST_CASE("A request is cancelled by its token, and by the end of its pending") {
    with_executors([](const auto& executor) {
        gate model;
        batcher server(executor, model);
        std::vector<pending<reply>> busy = busy_workers(server, model, executor.workers());
        std::stop_source stopper;
        pending<reply> stopped = server.submit(one(1), {.stop = stopper.get_token()});
        CHECK_FALSE(stopped.ready());
        stopper.request_stop();
        CHECK(why(stopped.get()) == fault_kind::stopped);
        pending<reply> at_once = server.submit(one(1), {.stop = stopper.get_token()});
        CHECK(why(at_once.get()) == fault_kind::stopped);
        { const pending<reply> dropped = server.submit(one(1)); }
        CHECK(server.counts().queued_rows == 0);
        CHECK(server.counts().cancelled == 3);
        server.submit(one(1)).detach();  // nobody waits, and it is computed
        CHECK(server.counts().queued_rows == 1);
        model.open = true;
        for (auto& r : busy) CHECK(r.get().answered());
        while (server.counts().computed != executor.workers() + 1) std::this_thread::yield();
    });
}

TEST_CASE("A request that is too large for a batch is computed in several, and answered as one") {
    with_executors([](const auto& executor) {
        batcher server(executor, twice, {.max_rows = 8});
        std::vector<float> rows(83);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
        const reply r = server.submit(rows).get();
        CHECK(r.answered());
        CHECK(r.batch_rows <= 8);
        const auto answers = r.answers.as<float>().flat();
        REQUIRE(answers.size() == 83);
        for (std::size_t i = 0; i < rows.size(); ++i) CHECK(answers[i] == 2 * rows[i]);
    });
}

TEST_CASE("A row that the model throws on fails alone, whoever shared its batch") {
    with_executors([](const auto& executor) {
        std::atomic<bool> open{false};
        const auto model = [&](std::span<const float> rows) {
            while (!open) std::this_thread::yield();
            for (const float x : rows)
                if (x == 5) throw std::runtime_error("five");
            return twice(rows);
        };
        batcher server(executor, model, {.max_rows = 64});
        std::vector<pending<reply>> replies;
        for (int i = 0; i < 40; ++i) replies.push_back(server.submit(one(static_cast<float>(i))));
        open = true;
        for (std::size_t i = 0; i < replies.size(); ++i) {
            const reply r = replies[i].get();
            CHECK(r.answered() == (i != 5));
            if (i == 5) CHECK((why(r) == fault_kind::threw && r.failures[0].message == "five"));
            if (i != 5) CHECK(first_of(r) == 2 * static_cast<float>(i));
        }
    });
}

TEST_CASE("Only requests that are alike share a batch; rows without a row axis are taken as well") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const tbb_executor executor({.workers = 2});
    const auto model = [](view<const float> rows) {
        std::vector<float> sums;
        for (std::int64_t row = 0; row < rows.extent(0); ++row) {
            sums.push_back(0);
            for (std::int64_t i = 0; i < rows.extent(1); ++i) sums.back() += rows(row, i);
        }
        return sums;
    };
    batcher server(executor, model, {.max_rows = 8});
    std::vector<pending<reply>> replies;
    for (std::size_t i = 0; i < 200; ++i) replies.push_back(server.submit_row(std::vector<float>(1 + i % 40, 1)));
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const reply r = replies[i].get();
        REQUIRE(r.answered());
        CHECK(first_of(r) == static_cast<float>(1 + i % 40));
    }
}

TEST_CASE("Nothing of a request is kept once it has its reply") {
    with_executors([](const auto& executor) {
        batcher server(executor, twice);
        auto alive = std::make_shared<int>();
        const std::weak_ptr<int> seen = alive;
        CHECK(first_of(server.submit(watched{{21}, std::move(alive)}).get()) == 42);
        for (int i = 0; i < 1'000'000 && !seen.expired(); ++i) std::this_thread::yield();  // the worker lets go soon
        CHECK(seen.expired());
    });
}

TEST_CASE("A reply is to be had by then and co_await as well, and is told once") {
    with_executors([](const auto& executor) {
        std::atomic<int> told{0};
        {
            batcher server(executor, twice);
            for (int i = 0; i < 100; ++i)
                server.submit(one(1)).then([&](const reply& r) { told += r.answered() ? 1 : 1000; }).detach();
            while (told < 100) std::this_thread::yield();
        }
        CHECK(told == 100);
    });
}

TEST_CASE("Misuse is refused by text") {
    const threads_executor executor({.workers = 1});
    CHECK(text_of([&] { batcher(executor, twice, {.max_rows = 0}); }) == "batcher: batches of max_rows = 0 rows");
    batcher server(executor, twice);
    CHECK(text_of([&] { (void)server.submit(std::vector<float>()); }) == "batcher: a request without rows");
}

TEST_CASE("A batcher that ends tells everybody: who waits and who is computed") {
    with_executors([](const auto& executor) {
        gate model;
        std::vector<pending<reply>> replies;
        {
            batcher server(executor, model, {.max_rows = 4});
            for (int i = 0; i < 50; ++i) replies.push_back(server.submit(one(1)));
            model.wait_inside(1);
        }
        for (auto& r : replies) CHECK(why(r.get()) == fault_kind::stopped);
    });
}

TEST_CASE("Batchers come and go two thousand times with requests in every state, and each gets one outcome") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const tbb_executor cores({.workers = 2});
    const threads_executor threads({.workers = 2});
    std::mt19937 random(5);
    std::atomic<int> told{0};
    int asked = 0;
    for (int round = 0; round < 2'000; ++round) {
        const auto check = [&](const auto& executor) {
            const auto model = std::make_unique<decltype(twice)>(twice);
            std::stop_source stopper;
            batcher server(executor, *model, {.max_rows = 3, .max_queued_rows = 8});
            const int requests = 1 + static_cast<int>(random() % 12);
            for (int i = 0; i < requests; ++i) {
                request_options how;
                if (random() % 4 == 0) how.deadline = std::chrono::steady_clock::now() + 20us * (random() % 5);
                if (random() % 4 == 0) how.stop = stopper.get_token();
                how.priority = static_cast<int>(random() % 3);
                pending<std::monostate> one_more =
                    server.submit(std::vector<float>(1 + random() % 5, 1.0F), how).then([&](const reply& r) {
                        told += r.failures.size() <= 2 ? 1 : 1'000'000;
                    });
                ++asked;
                if (random() % 3 == 0) one_more.wait();
                std::move(one_more).detach();
            }
            if (random() % 2 == 0) stopper.request_stop();
        };
        round % 2 == 0 ? check(cores) : check(threads);
    }
    CHECK(told == asked);
}

namespace {

/// Sums of what came so far, [rows, length], and their last, [rows]. Zeros behind a row do not matter to it.
class running_sums {
public:
    std::vector<tensor> operator()(const batch_view& rows) const {
        const tensor_view in = rows[0];
        const auto count = static_cast<std::size_t>(in.extent(0)), length = static_cast<std::size_t>(in.extent(1));
        most_tokens = std::max(most_tokens.load(), count * length);
        most_rows = std::max(most_rows.load(), count);
        tensor sums(element::float32, in.shape());
        tensor last(element::float32, shape{in.extent(0)});
        for (std::size_t row = 0; row < count; ++row) {
            float sum = 0;
            for (std::size_t at = row * length; at < (row + 1) * length; ++at)
                sums.as<float>().flat()[at] = sum += in.as<float>().flat()[at];
            last.as<float>().flat()[row] = sum;
        }
        std::vector<tensor> answers;
        answers.push_back(std::move(sums));
        answers.push_back(std::move(last));
        return answers;
    }
    mutable std::atomic<std::size_t> most_tokens{0};
    mutable std::atomic<std::size_t> most_rows{0};
};

}  // namespace

TEST_CASE("Rows of unequal length share batches within a token budget, and have answers of their own length") {
    with_executors([](const auto& executor) {
        const running_sums model;
        batcher server(
            executor, model,
            {.max_rows = 32, .max_delay = 2ms, .lengths = unequal_lengths{.tokens_per_batch = 60, .answers = {0}}});
        std::mt19937 random(9);
        std::vector<tensor> asked;
        std::vector<pending<reply>> there;
        for (int i = 0; i < 120; ++i) {
            tensor& rows = asked.emplace_back(element::float32, shape{1 + static_cast<std::int64_t>(random() % 3),
                                                                      1 + static_cast<std::int64_t>(random() % 20)});
            for (float& x : rows.as<float>().flat()) x = static_cast<float>(random() % 1000) / 7;
            there.push_back(server.submit(rows));
        }
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const reply r = there[i].get();
            REQUIRE(r.answered());
            const tensor_view in = asked[i];
            const std::vector<tensor> alone =
                running_sums()(batch_view({&in, 1}, static_cast<std::size_t>(asked[i].shape()[0])));
            REQUIRE(r.answers[0].shape() == asked[i].shape());
            REQUIRE(std::memcmp(r.answers[0].data(), alone[0].data(), alone[0].bytes()) == 0);
            REQUIRE(std::memcmp(r.answers[1].data(), alone[1].data(), alone[1].bytes()) == 0);
        }
        CHECK(model.most_tokens <= 60);
        CHECK(model.most_rows > 3);
        CHECK(server.counts().batches < 120);
        CHECK(text_of([&] { batcher(executor, model, {.lengths = unequal_lengths{}}); }) ==
              "batcher: rows of unequal length in batches of tokens_per_batch = 0");
    });
}
