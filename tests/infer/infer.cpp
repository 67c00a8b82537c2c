// SPDX-License-Identifier: MIT
#include <fanfold/infer/infer.hpp>

#include <fanfold/core/eigen.hpp>
#include <fanfold/core/eigen_tensor.hpp>
#include <fanfold/schedule/serial.hpp>
#include <fanfold/schedule/tbb.hpp>
#include <fanfold/schedule/threads.hpp>
#include <fanfold/verify/finite.hpp>

#include <cmath>
#include <cstring>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "../callables.hpp"
#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;
using callables::ramp;

namespace {

const auto square = [](std::span<const float> rows) {
    std::vector<float> out(rows.begin(), rows.end());
    for (float& value : out) value *= value;
    return out;
};

struct shuffled {
    std::size_t rows_per_shard;
    unsigned seed;
    plan operator()(const workload& w) const {
        plan p = contiguous{.rows_per_shard = rows_per_shard}(w);
        p.order.resize(w.rows);
        std::iota(p.order.begin(), p.order.end(), std::size_t{0});
        std::shuffle(p.order.begin(), p.order.end(), std::mt19937(seed));
        return p;
    }
};

/// Calls `each` with every executor, at several worker counts.
template <class F>
void with_executors(F&& each) {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    each(serial_executor());
    for (const std::size_t workers : {1UL, 2UL, 3UL, 8UL}) {
        each(threads_executor({.workers = workers}));
        each(tbb_executor({.workers = workers}));
    }
}

bool same_bits(const batch& a, const batch& b) {
    return a.shape() == b.shape() && a.type() == b.type() && std::memcmp(a[0].data(), b[0].data(), a[0].bytes()) == 0;
}

}  // namespace

TEST_CASE("A callable over a vector gives its answers in row order, with every executor and partition") {
    const auto xs = ramp(1000);
    with_executors([&](const auto& executor) {
        for (const any_partitioner& cut :
             {any_partitioner(), any_partitioner(contiguous{.shards = 3}),
              any_partitioner(contiguous{.rows_per_shard = 1}), any_partitioner(shuffled{7, 1})}) {
            const job done = infer(executor, square, xs, {.partition = cut});
            REQUIRE(done.failures.empty());
            REQUIRE(done.answers.shape() == shape{1000});
            for (std::size_t row = 0; row < xs.size(); ++row)
                REQUIRE(done.answers.as<float>()(row) == xs[row] * xs[row]);
        }
    });
}

TEST_CASE("Rows that lie together reach the model without a copy, others gathered in the shard's order") {
    const auto xs = ramp(100);
    std::size_t inside = 0;
    std::size_t outside = 0;
    const auto where = [&](std::span<const float> rows) {
        const bool in_place = rows.data() >= xs.data() && rows.data() + rows.size() <= xs.data() + xs.size();
        ++(in_place ? inside : outside);
        return std::vector<float>(rows.begin(), rows.end());
    };
    CHECK(infer(serial_executor(), where, xs, {.partition = contiguous{.shards = 10}}).answers.as<float>()(57) == 57);
    CHECK(inside == 10);
    const job done = infer(serial_executor(), where, xs, {.partition = shuffled{9, 3}});
    CHECK(outside >= 10);
    for (std::size_t row = 0; row < xs.size(); ++row) CHECK(done.answers.as<float>()(row) == xs[row]);
}

TEST_CASE("Eigen matrices in either storage order go in as they are, and Eigen expressions come out") {
    const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(7, 3);
    const Eigen::MatrixXf columns = Eigen::MatrixXf::Random(100, 7);
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = columns;
    const Eigen::MatrixXf expected = columns * weights;
    const auto lazy = [&](matrix_map<const float> r) { return r * weights; };
    const auto eager = [&](const matrix_map<const float>& r) -> Eigen::MatrixXf { return r * weights; };
    for (const std::size_t each : {1UL, 9UL, 100UL}) {
        const options how{.partition = contiguous{.rows_per_shard = each}};
        CHECK((as_matrix<float>(infer(serial_executor(), lazy, columns, how).answers[0]) - expected).norm() < 1e-5F);
        CHECK((as_matrix<float>(infer(serial_executor(), eager, rows, how).answers[0]) - expected).norm() < 1e-5F);
        CHECK((as_matrix<float>(infer(serial_executor(), lazy, rows.block(0, 0, 50, 7), how).answers[0]) -
               expected.topRows(50))
                  .norm() < 1e-5F);
    }
}

TEST_CASE("Eigen tensors go in and tensor expressions come out") {
    Eigen::Tensor<float, 3> columns(20, 4, 5);
    columns.setRandom();
    const auto twice = [](tensor_map<const float, 3> r) { return r * 2.0F; };
    const job done = infer(threads_executor({.workers = 2}), twice, columns, {.partition = contiguous{.shards = 3}});
    REQUIRE(done.answers.shape() == shape{20, 4, 5});
    for (int i = 0; i < 20; ++i)
        for (int j = 0; j < 4; ++j)
            for (int k = 0; k < 5; ++k) CHECK(done.answers.as<float>()(i, j, k) == 2 * columns(i, j, k));
}

TEST_CASE("A batch may have several tensors, along any row axis or shared, and several answers") {
    constexpr std::size_t n = 23;
    tensor a(element::float32, {n, 2});
    tensor b(element::int64, {3, n});
    const tensor scale = tensor::of<double>({1}, {10});
    for (std::size_t row = 0; row < n; ++row) {
        for (int j = 0; j < 2; ++j) a.as<float>()(row, j) = static_cast<float>(row) + 0.5F * static_cast<float>(j);
        for (int j = 0; j < 3; ++j) b.as<std::int64_t>()(j, row) = static_cast<std::int64_t>(row) * 100 + j;
    }
    const auto both = [](const batch_view& rows) {
        std::vector<tensor> out;
        out.emplace_back(element::float32, shape{static_cast<std::int64_t>(rows.rows())});
        out.emplace_back(element::int64, shape{static_cast<std::int64_t>(rows.rows()), 3});
        for (std::size_t row = 0; row < rows.rows(); ++row) {
            const double by = rows[2].as<double>()(0);
            out[0].as<float>()(row) = rows[0].as<float>()(row, 1) * static_cast<float>(by);
            for (int j = 0; j < 3; ++j) out[1].as<std::int64_t>()(row, j) = rows[1].as<std::int64_t>()(j, row);
        }
        return out;
    };
    for (const any_partitioner& cut : {any_partitioner(contiguous{.shards = 4}), any_partitioner(shuffled{5, 9})}) {
        const batch input(part(a), part(b, 1), part(scale, shared_by_all_rows));
        const job done = infer(threads_executor({.workers = 3}), both, input, {.partition = cut});
        REQUIRE(done.failures.empty());
        REQUIRE(done.answers.size() == 2);
        for (std::size_t row = 0; row < n; ++row) {
            CHECK(done.answers[0].as<float>()(row) == (static_cast<float>(row) + 0.5F) * 10);
            CHECK(done.answers[1].as<std::int64_t>()(row, 2) == static_cast<std::int64_t>(row) * 100 + 2);
        }
    }
}

TEST_CASE("A model that declares its answers writes into the caller's rows, on any axis, or one answer for all rows") {
    struct model_of_three {
        std::vector<tensor_type> answers(const batch& all) const {
            const auto n = static_cast<std::int64_t>(all.rows());
            return {{element::float32, {n, 2}, 0, "rows first"},
                    {element::int32, {3, n}, 1, "rows last"},
                    {element::float64, {2}, shared_by_all_rows, "shared"}};
        }
        std::size_t workspace_bytes(std::size_t rows) const { return 8 * rows; }
        void operator()(const batch_view& rows, const mutable_batch_view& out, workspace& space) const {
            const auto copy = space.take<float>(rows.rows());
            for (std::size_t row = 0; row < rows.rows(); ++row) {
                copy[row] = rows.as<float>()(row);
                out[0].as<float>()(row, 0) = copy[row];
                out[0].as<float>()(row, 1) = -copy[row];
                for (int j = 0; j < 3; ++j)
                    out[1].as<std::int32_t>()(j, row) = static_cast<std::int32_t>(copy[row]) + j;
            }
            for (int j = 0; j < 2; ++j) out[2].as<double>()(j) = 1.5 + j;
        }
    };
    const auto xs = ramp(50);
    with_executors([&](const auto& executor) {
        for (const any_partitioner& cut :
             {any_partitioner(contiguous{.rows_per_shard = 8}), any_partitioner(shuffled{6, 2})}) {
            const job done = infer(executor, model_of_three(), xs, {.partition = cut});
            REQUIRE(done.failures.empty());
            REQUIRE(done.answers.parts()[1].name() == "rows last");
            for (std::size_t row = 0; row < 50; ++row) {
                REQUIRE(done.answers[0].as<float>()(row, 1) == -xs[row]);
                REQUIRE(done.answers[1].as<std::int32_t>()(2, row) == static_cast<std::int32_t>(row) + 2);
            }
            REQUIRE(done.answers[2].as<double>()(1) == 2.5);
        }
    });
}

TEST_CASE("A shard whose model throws is named with its rows and the message; all other rows have a clean run's bits") {
    const auto xs = ramp(1000);
    const auto poisoned = [](std::span<const float> rows) {
        for (const float x : rows)
            if (x == 333 || x == 700) throw std::runtime_error("cannot take " + std::to_string(static_cast<int>(x)));
        return square(rows);
    };
    with_executors([&](const auto& executor) {
        const job clean = infer(executor, square, xs);
        const job done = infer(executor, poisoned, xs, {.partition = contiguous{.rows_per_shard = 50}});
        REQUIRE(done.failures.size() == 2);
        CHECK(done.failures[0].kind == fault_kind::threw);
        CHECK(done.failures[0].message == "cannot take 333");
        CHECK(done.failures[1].message == "cannot take 700");
        REQUIRE(done.failures[0].rows.size() == 50);
        CHECK(done.failures[0].rows.front() == 300);
        CHECK(done.failures[1].rows.back() == 749);
        CHECK(done.failed_rows() == 100);
        for (std::size_t row = 0; row < xs.size(); ++row) {
            const bool failed = (row >= 300 && row < 350) || (row >= 700 && row < 750);
            const float got = done.answers.as<float>()(row);
            REQUIRE((failed ? std::isnan(got) : std::memcmp(&got, clean.answers.as<float>().data() + row, 4) == 0));
        }
    });
}

TEST_CASE("Whatever a model throws becomes a fault of its own kind") {
    const auto xs = ramp(3);
    const auto kind_of = [&](auto&& thrower) {
        const job done = infer(
            serial_executor(),
            [&](std::span<const float>) -> std::vector<float> {
                thrower();
                return {};
            },
            xs);
        REQUIRE(done.failed_rows() == 3);
        return done.failures.front().kind;
    };
    CHECK(kind_of([] { throw std::bad_alloc(); }) == fault_kind::out_of_memory);
    CHECK(kind_of([] { throw 42; }) == fault_kind::threw);
    CHECK(kind_of([] { throw stopped_error(stop_reason::deadline); }) == fault_kind::timed_out);
    CHECK(kind_of([] { throw stopped_error(stop_reason::requested); }) == fault_kind::stopped);
}

TEST_CASE("An answer of the wrong shape is a fault that says what was expected and what came") {
    const auto xs = ramp(10);
    const auto short_of_one = [](std::span<const float> rows) { return std::vector<float>(rows.size() - 1); };
    const job done = infer(serial_executor(), short_of_one, xs, {.partition = contiguous{.rows_per_shard = 5}});
    REQUIRE(done.failures.size() == 2);
    CHECK(done.failures[0].kind == fault_kind::wrong_shape);
    CHECK(done.failures[0].message == "expected answers for 5 rows along axis 0, got float32 [4]");

    const auto changes_its_mind = [](std::span<const float> rows) {
        return tensor(element::float32, {static_cast<std::int64_t>(rows.size()), rows[0] < 5 ? 2 : 3});
    };
    const job other = infer(serial_executor(), changes_its_mind, xs, {.partition = contiguous{.rows_per_shard = 5}});
    REQUIRE(other.failures.size() == 1);
    CHECK(other.failures[0].rows.front() == 5);
    CHECK(other.failures[0].message == "expected float32 [5, 2] as other shards gave, got float32 [5, 3]");
}

TEST_CASE("Rows that fail the check are named one by one and blanked; their neighbours keep their answers") {
    auto xs = ramp(20);
    xs[7] = std::nanf("");
    const job done = infer(threads_executor({.workers = 2}), square, xs,
                           {.partition = contiguous{.rows_per_shard = 10}, .verify = fanfold::finite{}});
    REQUIRE(done.failures.size() == 1);
    CHECK(done.failures[0].kind == fault_kind::not_finite);
    CHECK(done.failures[0].rows == std::vector<std::size_t>{7});
    CHECK(done.failures[0].message == "answer 0 is nan");
    CHECK(done.answers.as<float>()(8) == 64);
    const job shuffled_job =
        infer(serial_executor(), square, xs, {.partition = shuffled{4, 5}, .verify = fanfold::finite{}});
    REQUIRE(shuffled_job.failures.size() == 1);
    CHECK(shuffled_job.failures[0].rows == std::vector<std::size_t>{7});
}

TEST_CASE("A stop names the rows that were not computed and keeps the others") {
    const auto xs = ramp(100);
    std::stop_source stopper;
    const auto stops = [&](std::span<const float> rows) {
        if (rows[0] == 30) stopper.request_stop();
        return square(rows);
    };
    const job done = infer(serial_executor(), stops, xs,
                           {.partition = contiguous{.rows_per_shard = 10}, .stop = stopper.get_token()});
    REQUIRE(done.failures.size() == 1);
    CHECK(done.failures[0].kind == fault_kind::stopped);
    CHECK(done.failures[0].rows.front() == 40);
    CHECK(done.failures[0].rows.size() == 60);
    CHECK(done.answers.as<float>()(39) == 39 * 39);
    CHECK(std::isnan(done.answers.as<float>()(40)));
    CHECK(done.events.attempts.size() == 4);
}

TEST_CASE("A deadline that has passed computes nothing and says so") {
    const auto xs = ramp(100);
    with_executors([&](const auto& executor) {
        const job done = infer(executor, square, xs, {.deadline = time_point{}});
        REQUIRE(done.failures.size() == 1);
        CHECK(done.failures[0].kind == fault_kind::timed_out);
        CHECK(done.failed_rows() == 100);
        CHECK(done.events.attempts.empty());
    });
}

TEST_CASE("No rows are a job with no attempts and no answers") {
    const std::vector<float> none;
    with_executors([&](const auto& executor) {
        const job done = infer(executor, square, none);
        CHECK(done.failures.empty());
        CHECK(done.events.attempts.empty());
        CHECK(done.answers.rows() == 0);
    });
}

TEST_CASE("What happened is told while it happens and kept in the job") {
    const auto xs = ramp(100);
    std::mutex mutex;
    std::set<std::size_t> told;
    const auto watch = [&](const event& e) {
        const std::lock_guard lock(mutex);
        told.insert(e.shard);
    };
    const job done = infer(threads_executor({.workers = 2}), square, xs,
                           {.partition = contiguous{.rows_per_shard = 9}, .on_event = watch});
    CHECK(told.size() == 12);
    REQUIRE(done.events.attempts.size() == 12);
    CHECK(done.events.executor == "threads");
    CHECK(done.events.workers == 2);
    CHECK(done.events.rows == 100);
    std::size_t rows = 0;
    for (const event& e : done.events.attempts) {
        rows += e.rows;
        CHECK(e.started >= done.events.started);
        CHECK(e.finished >= e.started);
        CHECK(e.finished <= done.events.finished);
        CHECK_FALSE(e.fault.has_value());
    }
    CHECK(rows == 100);
    CHECK(done.events.cpu_time.count() >= 0);
}

TEST_CASE("A plan that loses rows, and a model that cannot be split, are refused before anything runs") {
    const auto xs = ramp(10);
    const auto loses = [](const workload&) { return plan{.order = {}, .cuts = {0, 9}}; };
    CHECK(text_of([&] { (void)infer(serial_executor(), square, xs, {.partition = loses}); }) ==
          "plan: cuts must run from 0 to 10");

    struct mixer {
        std::string row_mixer(const batch&) const { return "norm over rows"; }
        std::vector<float> operator()(std::span<const float> rows) const { return {rows.begin(), rows.end()}; }
    };
    const std::string text =
        text_of([&] { (void)infer(serial_executor(), mixer(), xs, {.partition = contiguous{.shards = 2}}); });
    CHECK(text.find("'norm over rows' makes rows depend on each other") != std::string::npos);
    CHECK(infer(serial_executor(), mixer(), xs, {.partition = contiguous{.shards = 1}}).failures.empty());
}

TEST_CASE("A model with a static batch gets exactly that many rows a call") {
    struct pairs {
        std::size_t rows_per_call() const { return 2; }
        std::vector<float> operator()(std::span<const float> rows) const {
            if (rows.size() != 2) throw std::runtime_error("not two rows");
            return {rows.begin(), rows.end()};
        }
    };
    const auto xs = ramp(10);
    CHECK(infer(serial_executor(), pairs(), xs, {.partition = contiguous{.shards = 3}}).failures.empty());
}

TEST_CASE("A callable f(rows, out, workspace) becomes a model when it says what one row's answer looks like") {
    const answering two({{element::float32, {2}, 0, "pair"}},
                        [](const batch_view& rows, const mutable_batch_view& out, workspace& space) {
                            const auto scratch = space.take<float>(4);
                            for (std::size_t row = 0; row < rows.rows(); ++row) {
                                scratch[0] = rows.as<float>()(row);
                                for (int j = 0; j < 2; ++j)
                                    out.as<float>()(row, j) = scratch[0] * static_cast<float>(j);
                            }
                        });
    const auto xs = ramp(33);
    const job done = infer(threads_executor({.workers = 2}), two, xs, {.partition = shuffled{4, 4}});
    REQUIRE(done.answers.shape() == shape{33, 2});
    CHECK(done.answers.as<float>()(32, 1) == 32);
}

TEST_CASE("Jobs on one executor and one model at once do not disturb each other, nor do jobs inside a model") {
    const auto xs = ramp(500);
    with_executors([&](const auto& executor) {
        const job alone = infer(executor, square, xs);
        std::vector<char> same(4, 0);
        {
            std::vector<std::jthread> callers;
            for (std::size_t i = 0; i < same.size(); ++i)
                callers.emplace_back(
                    [&, i] { same[i] = same_bits(infer(executor, square, xs).answers, alone.answers); });
        }
        REQUIRE(same == std::vector<char>(4, 1));
        const auto nested = [&](std::span<const float> rows) {
            const job inner = infer(executor, square, std::vector<float>(rows.begin(), rows.end()),
                                    {.partition = contiguous{.shards = 3}});
            return tensor(inner.answers[0]);
        };
        REQUIRE(same_bits(infer(executor, nested, xs, {.partition = contiguous{.shards = 7}}).answers, alone.answers));
    });
}

TEST_CASE("Every shard computes under the same floating-point environment, and the caller's comes back") {
    const std::vector<float> tiny(64, 1e-38F);
    const auto halve = [](std::span<const float> rows) {
        std::vector<float> out;
        for (const volatile float x : rows) out.push_back(x * 0.25F);  // subnormal: 0 where those are flushed
        return out;
    };
    with_executors([&](const auto& executor) {
        const job clean = infer(executor, halve, tiny);
        REQUIRE(clean.answers.as<float>()(0) > 0);
        const unsigned before = _mm_getcsr();
        for (const unsigned caller :
             {before | 0x8040U, before | 0x6000U, before | 0x2000U}) {  // FTZ+DAZ, toward zero, down
            _mm_setcsr(caller);
            const job done = infer(executor, halve, tiny);
            const unsigned after = _mm_getcsr();
            _mm_setcsr(before);
            REQUIRE((after & ~0x3FU) == (caller & ~0x3FU));
            REQUIRE(same_bits(done.answers, clean.answers));
        }
    });
}

TEST_CASE("A verifier that names a row outside of its shard fails the shard, and no other row") {
    const auto xs = ramp(10);
    const auto confused = [](const batch_view& answers) {
        std::vector<fault> faults;
        if (answers.as<float>()(0) == 25) faults.push_back({fault_kind::not_finite, "bad", {1000}, 1});
        return faults;
    };
    for (const any_partitioner& cut :
         {any_partitioner(contiguous{.rows_per_shard = 5}), any_partitioner(shuffled{10, 1})}) {
        const job done = infer(serial_executor(), square, xs, {.partition = cut, .verify = confused});
        if (done.failures.empty()) continue;  // shuffled: 25 need not come first
        CHECK(done.failures[0].message == "the verifier named row 1000 of a shard of 5 rows");
        CHECK(done.failures[0].rows == std::vector<std::size_t>{5, 6, 7, 8, 9});
        CHECK(done.answers.as<float>()(4) == 16);
    }
}

TEST_CASE("When nothing is answered the answers still have as many rows as were asked for") {
    const auto xs = ramp(10);
    const auto never = [](std::span<const float>) -> std::vector<float> { throw std::runtime_error("never"); };
    const job done = infer(serial_executor(), never, xs);
    CHECK(done.failed_rows() == 10);
    REQUIRE(done.answers.rows() == 10);
    CHECK(std::isnan(done.answers.as<float>()(9)));
}
