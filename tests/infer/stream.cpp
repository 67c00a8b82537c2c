// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>
#include <fanfold/infer/stream.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/finite.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "../callables.hpp"
#include "../catch.hpp"
#include "every_executor.hpp"
#include "networks.hpp"

using namespace fanfold;
using namespace callables;

namespace {

/// Gives 0, 1, ... below `count`.
class counting {
public:
    explicit counting(int count) : count_(count) {}
    std::optional<float> operator()() {
        if (given_ == count_) return std::nullopt;
        return static_cast<float>(given_++);
    }

private:
    int count_;
    int given_ = 0;
};

float only(const streamed_row& row) { return *row.as<float>().data(); }

}  // namespace

TEST_CASE("Every row of a stream leaves once, in order, with its answer") {
    with_executors([](const auto& executor) {
        for (const int count : {0, 1, 7, 5000}) {
            std::vector<float> got;
            const auto sink = [&](const streamed_row& row) {
                REQUIRE(row.row == got.size());
                got.push_back(only(row));
            };
            const stream_outcome ended = stream(executor, twice, counting(count), sink, {.max_rows = 16});
            REQUIRE(ended.end == stream_end::source_ended);
            REQUIRE(ended.rows == static_cast<std::size_t>(count));
            REQUIRE(ended.answered == ended.rows);
            REQUIRE(ended.batches == (ended.rows + 15) / 16);
            for (std::size_t row = 0; row < got.size(); ++row) REQUIRE(got[row] == 2 * static_cast<float>(row));
        }
    });
}

TEST_CASE("As completed, every row still leaves once") {
    with_executors([](const auto& executor) {
        std::vector<int> seen(3000, 0);
        const auto sink = [&](const streamed_row& row) {
            ++seen[row.row];
            REQUIRE(only(row) == 2 * static_cast<float>(row.row));
        };
        (void)stream(executor, twice, counting(3000), sink, {.max_rows = 7, .order = stream_order::as_completed});
        REQUIRE(seen == std::vector<int>(3000, 1));
    });
}

TEST_CASE("A batch that takes long holds others back in order, and not as completed") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    for (const stream_order order : {stream_order::as_read, stream_order::as_completed}) {
        std::atomic<bool> second_left{false};
        std::vector<std::size_t> left;
        std::atomic<int> called{0};
        const auto model = [&](std::span<const float> rows) {
            ++called;
            if (rows[0] == 0)  // the first row waits until the second has left, or was computed
                while (order == stream_order::as_completed ? !second_left : called < 2) std::this_thread::yield();
            return twice(rows);
        };
        const auto sink = [&](const streamed_row& row) {
            left.push_back(row.row);
            if (row.row == 1) second_left = true;
        };
        (void)stream(threads_executor({.workers = 2}), model, counting(2), sink, {.max_rows = 1, .order = order});
        CHECK(left ==
              (order == stream_order::as_read ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{1, 0}));
    }
}

TEST_CASE("Rows come from a channel and answers go to one, while others fill and empty them") {
    with_executors([](const auto& executor) {
        channel<std::vector<float>> in(4);
        channel<kept_row> out(3);
        std::jthread writer([&] {
            for (int row = 0; row < 500; ++row) (void)in.push({static_cast<float>(row), 1});
            in.close();
        });
        std::vector<float> got;
        std::jthread reader([&] {
            while (const auto row = out.pop()) got.push_back(row->answers[0].as<float>().flat()[0]);
        });
        const auto firsts = [](view<const float> rows) {
            std::vector<float> answers;
            for (std::int64_t row = 0; row < rows.extent(0); ++row) answers.push_back(rows(row, 0));
            return answers;
        };
        const stream_outcome ended = stream(executor, firsts, in, out, {.max_rows = 8});
        out.close();
        writer.join();
        reader.join();
        REQUIRE(ended.answered == 500);
        for (std::size_t row = 0; row < 500; ++row) REQUIRE(got[row] == static_cast<float>(row));
    });
}

TEST_CASE("No more rows are between source and sink than asked for") {
    with_executors([](const auto& executor) {
        std::atomic<int> inside{0};
        int most = 0;
        counting rows(400);
        const auto source = [&] {
            const auto row = rows();
            if (row) most = std::max(most, ++inside);
            return row;
        };
        const auto sink = [&](const streamed_row&) { --inside; };
        (void)stream(executor, twice, source, sink, {.max_rows = 5, .max_in_flight = 12});
        CHECK(most <= 12);
        CHECK(inside == 0);
    });
}

TEST_CASE("A full sink stops the reading until there is room") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    channel<kept_row> out(2);
    std::atomic<int> read{0};
    counting rows(100);
    const auto source = [&] {
        ++read;
        return rows();
    };
    std::size_t row = 0;
    bool in_order = true, bounded = true;
    std::jthread reader([&] {
        while (const auto next = out.pop()) {
            in_order &= next->row == row++;
            bounded &= read <= static_cast<int>(row) + 2 + 1 + 8 + 1;  // channel, sink, in flight, end
        }
    });
    const stream_outcome ended =
        stream(tbb_executor({.workers = 2}), twice, source, out, {.max_rows = 4, .max_in_flight = 8});
    out.close();
    reader.join();
    CHECK(ended.answered == 100);
    CHECK(row == 100);
    CHECK(in_order);
    CHECK(bounded);
}

TEST_CASE("Rows of a range, and of several looks: a batch holds rows that look alike") {
    std::vector<std::vector<float>> rows;
    for (std::size_t row = 0; row < 40; ++row) rows.emplace_back(1 + row / 10, static_cast<float>(row));
    std::vector<std::size_t> widths;
    const auto model = [&](view<const float> batch) {
        widths.push_back(static_cast<std::size_t>(batch.extent(1)));
        std::vector<float> sums;
        for (std::int64_t row = 0; row < batch.extent(0); ++row) sums.push_back(batch(row, 0));
        return sums;
    };
    std::vector<kept_row> kept;
    CHECK(stream(serial_executor(), model, rows, kept, {.max_rows = 16}).answered == 40);
    REQUIRE(kept.size() == 40);
    for (std::size_t row = 0; row < 40; ++row)
        CHECK(kept[row].answers[0].as<float>().flat()[0] == static_cast<float>(row));
    CHECK(widths == std::vector<std::size_t>{1, 2, 2, 3, 4, 4});  // 0-9 | 10-15 | 16-19 | 20-29 | 30-31 | 32-39
}

TEST_CASE("A stream gives a row the bits that infer gives it, whatever the batches") {
    const graph model = networks::lenet5();
    const tensor images = networks::noise(50);
    const job expected = infer(serial_executor(), model, images);
    with_executors([&](const auto& executor) {
        for (const std::size_t max_rows : {1UL, 7UL, 64UL}) {
            std::vector<tensor> rows;
            for (std::size_t row = 0; row < 50; ++row)
                rows.emplace_back(images.rows(row, 1).reshaped(shape{1, 28, 28}));
            std::size_t same = 0;
            const auto sink = [&](const streamed_row& row) {
                const tensor_view right = expected.answers[0].rows(row.row, 1);
                if (row.failure == nullptr && std::memcmp(row.answers[0].data(), right.data(), right.bytes()) == 0)
                    ++same;
                REQUIRE(row.answers[0].shape() == shape{10});
            };
            (void)stream(executor, model, rows, sink, {.max_rows = max_rows});
            REQUIRE(same == 50);
        }
    });
}

TEST_CASE("A row that the model throws on fails alone, and the stream goes on") {
    with_executors([](const auto& executor) {
        const auto model = [](std::span<const float> rows) {
            for (const float x : rows)
                if (x == 40 || x == 41) throw std::runtime_error("no good");
            return twice(rows);
        };
        std::vector<kept_row> kept;
        const stream_outcome ended = stream(executor, model, counting(200), kept, {.max_rows = 32});
        CHECK(ended.end == stream_end::source_ended);
        CHECK((ended.answered == 198 && ended.failed == 2 && ended.undelivered == 0));
        for (const kept_row& row : kept) {
            REQUIRE(row.failure.has_value() == (row.row == 40 || row.row == 41));
            if (row.failure) CHECK((row.failure->kind == fault_kind::threw && row.failure->message == "no good"));
        }
    });
}

TEST_CASE("A verifier's faults name rows of a stream") {
    const auto inverse = [](std::span<const float> rows) {
        std::vector<float> answers;
        for (const float x : rows) answers.push_back(1 / (x - 5));
        return answers;
    };
    std::vector<kept_row> kept;
    const stream_outcome ended = stream(serial_executor(), inverse, counting(10), kept, {.verify = fanfold::finite{}});
    CHECK((ended.answered == 9 && ended.failed == 1));
    REQUIRE(kept[5].failure);
    CHECK(kept[5].failure->kind == fault_kind::not_finite);
}

TEST_CASE("A source that throws ends the stream; what it gave before is delivered") {
    with_executors([](const auto& executor) {
        counting rows(1000);
        const auto source = [&] {
            const auto row = rows();
            if (row == 123.0F) throw std::runtime_error("the disk is gone");
            return row;
        };
        std::size_t got = 0;
        const stream_outcome ended = stream(executor, twice, source, [&](const streamed_row&) { ++got; });
        CHECK(ended.end == stream_end::source_threw);
        CHECK(ended.message == "the disk is gone");
        CHECK((got == 123 && ended.answered == 123));
    });
}

TEST_CASE("A sink that throws ends the stream; other rows that were read are offered to it") {
    with_executors([](const auto& executor) {
        std::vector<std::size_t> got;
        const auto sink = [&](const streamed_row& row) {
            if (row.row == 10) throw std::runtime_error("no room");
            got.push_back(row.row);
        };
        const stream_outcome ended = stream(executor, twice, counting(100'000), sink, {.max_rows = 4});
        CHECK(ended.end == stream_end::sink_threw);
        CHECK(ended.message == "no room");
        CHECK(ended.undelivered == 1);
        CHECK(ended.rows < 100'000);
        CHECK(got.size() == ended.rows - 1);
    });
}

TEST_CASE("A closed sink ends the stream") {
    with_executors([](const auto& executor) {
        channel<kept_row> out(10);
        std::jthread reader([&] {
            for (int row = 0; row < 5; ++row) (void)out.pop();
            out.close();
        });
        const stream_outcome ended = stream(
            executor, twice, [] { return std::optional<float>(1.0F); }, out);
        CHECK(ended.end == stream_end::sink_closed);
        CHECK(ended.answered + ended.undelivered == ended.rows);
    });
}

TEST_CASE("A stop ends a stream that waits for its source, one that waits for its sink, and one that computes") {
    with_executors([](const auto& executor) {
        for (int round = 0; round < 10; ++round) {
            std::stop_source stopper;
            channel<float> in(4);
            channel<kept_row> full(1);
            if (round % 2 == 0) (void)in.push(1);
            const stream_options how{.stop = stopper.get_token()};
            std::jthread later([&] {
                if (round > 5) std::this_thread::yield();
                stopper.request_stop();
            });
            CHECK(stream(
                      executor, twice, in, [](const streamed_row&) {}, how)
                      .end == stream_end::stopped);
            later.join();
            stopper = std::stop_source();
            const stream_options again{.stop = stopper.get_token()};
            std::jthread stopping([&] {
                while (full.size() == 0) std::this_thread::yield();
                stopper.request_stop();
            });
            const stream_outcome ended = stream(executor, twice, counting(100'000), full, again);
            CHECK(ended.end == stream_end::stopped);
            CHECK(ended.rows == ended.answered + ended.failed + ended.undelivered);
        }
        const auto past = std::chrono::steady_clock::now();
        channel<float> nothing(1);
        const stream_outcome late = stream(executor, twice, nothing, [](const streamed_row&) {}, {.deadline = past});
        CHECK(late.end == stream_end::timed_out);
    });
}

TEST_CASE("A deadline ends a stream that waits for rows") {
    with_executors([](const auto& executor) {
        channel<float> nothing(1);
        const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        const stream_outcome late = stream(executor, twice, nothing, [](const streamed_row&) {}, {.deadline = soon});
        CHECK(late.end == stream_end::timed_out);
        CHECK(std::chrono::steady_clock::now() >= soon);
    });
}
