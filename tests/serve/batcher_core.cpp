// tests/serve/batcher_core.cpp - what a batcher does with requests and workers, one step after the other on one thread.
// SPDX-License-Identifier: MIT
#include <fanfold/serve/batcher_core.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"
#include "workers_by_hand.hpp"

using namespace fanfold;
using namespace callables;
using namespace std::chrono_literals;

namespace {

template <class Model>
auto core_of(const workers_by_hand& workers, const Model& model, batcher_options how = {}) {
    return std::make_shared<detail::batcher_core<workers_by_hand, Model>>(workers, model, std::move(how));
}

std::vector<float> answers_of(const reply& r) {
    const auto flat = r.answers.as<float>().flat();
    return {flat.begin(), flat.end()};
}
/// Why all rows of a request have failed; empty when not all have, or each by another reason.
std::string why_all(const reply& r, std::size_t rows) {
    if (r.failures.size() != 1) return {};
    std::vector<std::size_t> failed = r.failures[0].rows, all(rows);
    std::sort(failed.begin(), failed.end());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return failed == all ? r.failures[0].message : std::string();
}
template <class Core>
pending<reply> ask(Core& core, std::vector<float> rows, const request_options& how = {}) {
    return core.submit(batch(std::move(rows)), how);
}

}  // namespace

TEST_CASE("A worker is called while rows are due and one is free, and leaves when none are") {
    const workers_by_hand workers(2);
    const auto core = core_of(workers, twice);
    auto first = ask(*core, {1});
    CHECK(workers.called() == 1);
    auto second = ask(*core, {2});
    CHECK(workers.called() == 2);
    auto third = ask(*core, {3});
    CHECK(workers.called() == 2);
    workers.begin_one();  // takes all that wait
    CHECK(third.ready());
    CHECK(workers.called() == 1);
    auto fourth = ask(*core, {4});  // one has left, so there is room for another
    CHECK(workers.called() == 2);
    workers.begin();
    CHECK(answers_of(fourth.get()) == std::vector<float>{8});
    CHECK(answers_of(first.get()) == std::vector<float>{2});
    CHECK(answers_of(second.get()) == std::vector<float>{4});
    const batcher_counts counts = core->counts();
    CHECK((counts.submitted == 4 && counts.computed == 4 && counts.batches == 2 && counts.batch_rows == 4));
}

TEST_CASE("A worker that leaves rows behind calls the next before it computes") {
    const workers_by_hand workers(2);
    std::vector<std::size_t> called;
    const auto model = [&](std::span<const float> rows) {
        called.push_back(workers.called());
        return twice(rows);
    };
    const auto core = core_of(workers, model, {.max_rows = 2});
    auto asked = ask(*core, {1, 2, 3, 4});
    CHECK(workers.called() == 1);
    workers.begin();
    CHECK(called.front() == 1);
    CHECK(answers_of(asked.get()) == std::vector<float>{2, 4, 6, 8});
}

TEST_CASE("With max_delay nobody is called before the batch is full") {
    const workers_by_hand workers(1);
    const auto core = core_of(workers, twice, {.max_rows = 2, .max_delay = 1h});
    auto waits = ask(*core, {1});
    CHECK(workers.called() == 0);
    auto company = ask(*core, {2});
    CHECK(workers.called() == 1);
    workers.begin();
    CHECK(waits.get().batch_rows == 2);
    CHECK(company.ready());
}

TEST_CASE("A request is in line as a whole or not at all, however many batches it takes") {
    const workers_by_hand workers(1);
    const auto core = core_of(workers, twice, {.max_rows = 2, .max_queued_rows = 6});
    auto waits = ask(*core, {1, 2, 3});
    const reply refused = ask(*core, {4, 5, 6, 7, 8}).get();  // the first two of its three pieces would have had room
    CHECK(refused.failures.at(0).kind == fault_kind::overloaded);
    CHECK(why_all(refused, 5) == "as many rows wait as the batcher holds");
    CHECK(core->counts().queued_rows == 3);
    auto fits = ask(*core, {9, 10, 11});
    workers.begin();
    CHECK(answers_of(waits.get()) == std::vector<float>{2, 4, 6});
    CHECK(answers_of(fits.get()) == std::vector<float>{18, 20, 22});
    const batcher_counts counts = core->counts();
    CHECK((counts.submitted == 3 && counts.computed == 2 && counts.overloaded == 1 && counts.batch_rows == 6));
}

TEST_CASE("Who has to make room is told why, and one reply stands for all its batches") {
    const workers_by_hand workers(1);
    const auto core =
        core_of(workers, twice, {.max_rows = 2, .max_queued_rows = 4, .full = when_full::drop_lowest_first});
    auto last = ask(*core, {1, 2, 3, 4});
    auto first = ask(*core, {5, 6, 7, 8}, {.priority = 1});
    REQUIRE(last.ready());
    CHECK(why_all(last.get(), 4) == "others with a higher priority came while as many waited as the batcher holds");
    workers.begin();
    CHECK(answers_of(first.get()) == std::vector<float>{10, 12, 14, 16});
    CHECK(core->counts().overloaded == 1);
}

TEST_CASE("A request of several batches that finds no room for the last of them has nobody go for the first") {
    const workers_by_hand workers(1);
    const auto core =
        core_of(workers, twice, {.max_rows = 2, .max_queued_rows = 6, .full = when_full::drop_lowest_first});
    auto last = ask(*core, {1, 2});
    auto high = ask(*core, {3, 4}, {.priority = 2});
    const reply refused = ask(*core, {5, 6, 7, 8, 9}, {.priority = 1}).get();
    CHECK(why_all(refused, 5) == "as many rows wait as the batcher holds");
    workers.begin();
    CHECK(answers_of(last.get()) == std::vector<float>{2, 4});
    CHECK(answers_of(high.get()) == std::vector<float>{6, 8});
}

TEST_CASE("A token that is set after the reply calls nobody else off, though the place in line has been given on") {
    const workers_by_hand workers(1);
    const auto core = core_of(workers, twice);
    std::stop_source stop;
    auto answered = ask(*core, {1}, {.stop = stop.get_token()});
    workers.begin();
    auto in_its_place = ask(*core, {2});
    stop.request_stop();
    CHECK(core->counts().queued_rows == 1);
    workers.begin();
    CHECK(answers_of(in_its_place.get()) == std::vector<float>{4});
    CHECK(answers_of(answered.get()) == std::vector<float>{2});
    CHECK(core->counts().cancelled == 0);
}

TEST_CASE("Of a request that is called off half-way, the batch that was computed has its answers, the rest says why") {
    const workers_by_hand workers(1);
    std::stop_source stop;
    const auto model = [&](std::span<const float> rows) {
        stop.request_stop();
        return twice(rows);
    };
    const auto core = core_of(workers, model, {.max_rows = 2});
    auto asked = ask(*core, {1, 2, 3, 4, 5}, {.stop = stop.get_token()});
    workers.begin();
    const reply r = asked.get();
    REQUIRE(r.failures.size() == 1);
    CHECK(r.failures[0].message == "stopped before these rows were started");
    CHECK(r.failures[0].rows == std::vector<std::size_t>{2, 3, 4});
    CHECK(answers_of(r)[1] == 4);
    const batcher_counts counts = core->counts();
    CHECK((counts.batches == 1 && counts.computed + counts.cancelled == 1));
}

TEST_CASE("What has expired is told so by whoever looks first, and no model sees it") {
    const workers_by_hand workers(1);
    std::size_t seen = 0;
    const auto model = [&](std::span<const float> rows) {
        seen += rows.size();
        return twice(rows);
    };
    const auto core = core_of(workers, model);
    auto late = ask(*core, {1, 2}, {.deadline = time_point()});
    auto fine = ask(*core, {3});
    CHECK_FALSE(late.ready());
    SECTION("a worker") {
        workers.begin();
        CHECK(fine.ready());
        CHECK(seen == 1);
    }
    SECTION("who keeps the time") {
        auto told = std::move(late).then([&](const reply& r) {
            core->close();  // or time would be kept for ever
            return why_all(r, 2);
        });
        core->keep_time();
        CHECK(told.get() == "the deadline has passed before these rows were started");
        CHECK(why_all(fine.get(), 1) == "the batcher has ended");
        workers.begin();
        CHECK(seen == 0);
    }
    CHECK(core->counts().expired == 1);
}

TEST_CASE("Once it is closed everybody is told, workers that were called find nothing, and nobody enters") {
    const workers_by_hand workers(2);
    const auto model = [](std::span<const float>) -> std::vector<float> { throw std::logic_error("called"); };
    const auto core = core_of(workers, model, {.max_rows = 2});
    auto waits = ask(*core, {1, 2, 3});
    auto also = ask(*core, {4});
    core->close();
    CHECK(why_all(waits.get(), 3) == "the batcher has ended");
    CHECK(why_all(also.get(), 1) == "the batcher has ended");
    workers.begin();
    CHECK(why_all(ask(*core, {5, 6, 7}).get(), 3) == "the batcher has ended");
    CHECK(workers.called() == 0);
    const batcher_counts counts = core->counts();
    CHECK((counts.submitted == 3 && counts.cancelled == 3 && counts.queued_rows == 0 && counts.batches == 0));
}

TEST_CASE("Rows that were lent are copied when they are submitted") {
    const workers_by_hand workers(1);
    const auto core = core_of(workers, twice);
    std::vector<float> rows{1, 2};
    auto asked = core->submit_copy(as_view(rows), {});
    rows = {7, 8};
    workers.begin();
    CHECK(answers_of(asked.get()) == std::vector<float>{2, 4});
    CHECK(text_of([&] { (void)core->submit_copy(as_view(std::vector<float>()), {}); }) ==
          "batcher: a request without rows");
    CHECK(core->counts().submitted == 1);
}

TEST_CASE("Rows of ever new lengths never share a batch, however many lengths there have been") {
    const workers_by_hand workers(1);
    std::size_t batches = 0;
    const auto widths = [&](view<const float> rows) {
        ++batches;
        return std::vector<float>(static_cast<std::size_t>(rows.extent(0)), static_cast<float>(rows.extent(1)));
    };
    const auto core = core_of(workers, widths);
    const auto wide = [&](std::int64_t width) { return core->submit(batch(tensor(element::float32, {1, width})), {}); };
    for (std::int64_t width = 1; width <= 40; ++width) {
        auto alone = wide(width), other = wide(width + 100), alike = wide(width);
        workers.begin();
        const reply r = alone.get();
        CHECK(answers_of(r) == std::vector<float>{static_cast<float>(width)});
        CHECK(r.batch_rows == 2);
        CHECK(answers_of(other.get()) == std::vector<float>{static_cast<float>(width + 100)});
        CHECK(alike.get().answered());
    }
    CHECK(batches == 80);
}

TEST_CASE("Requests of unequal length share as many batches as their tokens ask for, and each counts once") {
    const workers_by_hand workers(1);
    std::vector<std::int64_t> lengths;
    const auto sums = [&](view<const float> rows) {
        lengths.push_back(rows.extent(1));
        std::vector<float> out;
        for (std::int64_t row = 0; row < rows.extent(0); ++row) {
            out.push_back(0);
            for (std::int64_t at = 0; at < rows.extent(1); ++at) out.back() += rows(row, at);
        }
        return out;
    };
    const auto core = core_of(workers, sums, {.lengths = unequal_lengths{.tokens_per_batch = 8}});
    const auto ones = [&](std::int64_t rows, std::int64_t length) {
        tensor made(element::float32, {rows, length});
        for (float& x : made.as<float>().flat()) x = 1;
        return core->submit(batch(std::move(made)), {});
    };
    auto shorter = ones(1, 2), longer = ones(3, 4);
    workers.begin();
    CHECK(answers_of(shorter.get()) == std::vector<float>{2});
    CHECK(answers_of(longer.get()) == std::vector<float>{4, 4, 4});
    CHECK(lengths.size() >= 2);  // fourteen tokens do not fit one batch
    const batcher_counts counts = core->counts();
    CHECK((counts.computed == 2 && counts.batches == lengths.size() && counts.batch_rows == 4));
}
