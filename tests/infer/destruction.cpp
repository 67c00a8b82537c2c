// Executors, models, batches and answers may go in any order once infer has returned.
// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"
#include "networks.hpp"

using namespace fanfold;

namespace {

constexpr std::size_t images = 20;
const options split{.partition = contiguous{.rows_per_shard = 3}};

bool same_bits(const batch& a, const batch& b) {
    return a.shape() == b.shape() && std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0;
}

/// Calls `each(make)` for every kind of executor, where make() gives a new one.
template <class F>
void with_makers(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each([] { return std::make_unique<serial_executor>(); });
    for (const std::size_t workers : {1UL, 3UL}) {
        each([workers] { return std::make_unique<threads_executor>(threads_options{workers}); });
        each([workers] { return std::make_unique<tbb_executor>(tbb_options{workers}); });
    }
}

/// A model that notices when it is used after its end.
class mortal {
public:
    explicit mortal(std::atomic<int>& late) : late_(late) {}
    ~mortal() { alive_ = false; }
    mortal(const mortal&) = delete;
    mortal& operator=(const mortal&) = delete;
    std::vector<float> operator()(std::span<const float> rows) const {
        if (!alive_) ++late_;
        return {rows.begin(), rows.end()};
    }

private:
    std::atomic<int>& late_;
    std::atomic<bool> alive_{true};
};

}  // namespace

TEST_CASE("Executor, model and rows may go in every order after a job, and the answers outlive them all") {
    const job expected = infer(serial_executor(), networks::mlp(), networks::noise(images));
    with_makers([&](const auto& make) {
        std::array<int, 4> order{0, 1, 2, 3};
        do {
            auto executor = make();
            auto model = std::make_unique<graph>(networks::mlp());
            auto rows = std::make_unique<batch>(part(networks::noise(images)));
            auto first = std::make_unique<job>(infer(*executor, *model, *rows, split));
            const job done = infer(*executor, *model, *rows, split);
            for (const int which : order) {
                if (which == 0) executor.reset();
                if (which == 1) model.reset();
                if (which == 2) rows.reset();
                if (which == 3) first.reset();
            }
            REQUIRE(done.failures.empty());
            REQUIRE(done.events.attempts.size() == 7);
            REQUIRE(same_bits(done.answers, expected.answers));
        } while (std::next_permutation(order.begin(), order.end()));
    });
}

TEST_CASE("Answers of temporaries are there when those have gone") {
    const job expected = infer(serial_executor(), networks::lenet5(), networks::noise(images));
    with_makers([&](const auto& make) {
        const job done = infer(*make(), networks::lenet5(), networks::noise(images), split);
        CHECK(same_bits(done.answers, expected.answers));
        std::optional<job> kept(infer(*make(), networks::lenet5(), networks::noise(images), split));
        const batch answers = std::move(kept->answers);
        kept.reset();
        CHECK(same_bits(answers, expected.answers));
    });
}

TEST_CASE("Nothing of a job runs once infer has returned: an executor may go right then, also after a failure") {
    with_makers([](const auto& make) {
        std::atomic<int> late{0};
        const std::vector<float> xs(64, 2.0F);
        const options single{.partition = contiguous{.rows_per_shard = 1}};
        struct watching {
            void operator()(const event& e) const {
                if (e.shard == 20) throw std::runtime_error("no more");
            }
        };
        const watching watcher;
        options watched = single;
        watched.on_event = watcher;
        for (int round = 0; round < 100; ++round) {
            auto model = std::make_unique<mortal>(late);
            auto executor = make();
            CHECK(infer(*executor, *model, xs, single).failures.empty());
            executor.reset();
            model.reset();

            model = std::make_unique<mortal>(late);
            executor = make();
            CHECK(text_of([&] { (void)infer(*executor, *model, xs, watched); }) == "no more");
            model.reset();
            executor.reset();
        }
        CHECK(late == 0);
    });
}

TEST_CASE("An executor may be made on one thread, used on another and destroyed on a third") {
    with_makers([](const auto& make) {
        const std::vector<float> xs{1, 2, 3};
        std::atomic<int> late{0};
        const mortal model(late);
        auto executor = make();
        std::thread([&] { executor = make(); }).join();
        std::size_t failed = 1;
        std::thread([&] { failed = infer(*executor, model, xs, split).failed_rows(); }).join();
        std::thread([&] { executor.reset(); }).join();
        CHECK(failed == 0);
    });
}

TEST_CASE("Executors that share the caller's arena go in any order") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    const std::vector<float> xs(10, 3.0F);
    std::atomic<int> late{0};
    const mortal model(late);
    tbb::task_arena arena(2);
    auto one = std::make_unique<tbb_executor>(arena);
    auto two = std::make_unique<tbb_executor>(arena);
    CHECK(infer(*one, model, xs, split).failures.empty());
    CHECK(infer(*two, model, xs, split).failures.empty());
    one.reset();
    CHECK(infer(*two, model, xs, split).failures.empty());
    two.reset();
    CHECK(infer(tbb_executor(arena), model, xs, split).failures.empty());
}

TEST_CASE("Executors come and go a thousand times, with a job and without") {
    with_makers([](const auto& make) {
        const std::vector<float> xs(8, 3.0F);
        std::atomic<int> late{0};
        const mortal model(late);
        std::size_t failed = 0;
        for (int round = 0; round < 1000; ++round) {
            const auto executor = make();
            if (round % 2 == 0) failed += infer(*executor, model, xs, split).failed_rows();
        }
        CHECK(failed == 0);
    });
    for (int round = 0; round < 1000; ++round) REQUIRE(threads_executor().workers() == tbb_executor().workers());
}

TEST_CASE("Executors live and die on several threads at once") {
    with_makers([](const auto& make) {
        std::atomic<int> late{0};
        std::atomic<std::size_t> failed{0};
        const mortal model(late);
        const std::vector<float> xs(16, 3.0F);
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back([&] {
                for (int round = 0; round < 50; ++round) failed += infer(*make(), model, xs, split).failed_rows();
            });
        threads.clear();
        CHECK(failed == 0);
        CHECK(late == 0);
    });
}
