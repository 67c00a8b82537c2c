// Idle workers that help inside of rows leave no trace in the answers.
// SPDX-License-Identifier: MIT
#include <fanfold/fanfold.hpp>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/batched_matmul.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/images_nhwc.hpp>
#include <fanfold/model/operators/normalization.hpp>
#include <fanfold/model/operators/softmax.hpp>

#include <random>

#include "../catch.hpp"

using namespace fanfold;

namespace {

tensor noise(const shape& extents, unsigned seed) {
    tensor made(element::float32, extents);
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> number(-0.1F, 0.1F);
    for (float& value : made.as<float>().flat()) value = number(generator);
    return made;
}

/// Every step is large enough to be split.
graph network() {
    const tensor first = noise({48, 24, 3, 3}, 1), each = noise({48, 1, 3, 3}, 2), wide = noise({130, 48, 1, 1}, 3),
                 weights = noise({130, 260}, 4), scale = noise({260}, 5), bias = noise({260}, 6);
    const auto floats = [](const tensor& of) { return of.as<float>(); };
    const kernel::conv2d_geometry same{.padding = {1, 1, 1, 1}};
    kernel::conv2d_geometry depthwise = same;
    depthwise.groups = 48;
    graph_builder build;
    const auto x = build.input("x", {element::float32, {rows_extent, 33, 31, 24}});
    const auto a = build.add(*convolution_nhwc(floats(first), {}, same).with(kernel::activation::relu), {x}).front();
    const auto b = build.add(convolution_nhwc(floats(each), {}, depthwise), {a}).front();
    const auto sum = build.add(arithmetic(kernel::binary::add), {a, b}).front();
    const auto c = build.add(convolution_nhwc(floats(wide), {}, {}), {sum}).front();
    const auto d = build.add(unary_function(kernel::activation::sigmoid), {c}).front();
    const auto scores = build.add(batched_matmul(transposed::no, transposed::yes), {d, d}).front();
    const kernel::window2d window{.size = {3, 3}, .stride = {2, 2}};
    const auto e = build.add(pooling_nhwc(pooling_nhwc::kind::greatest, window), {d}).front();
    const auto f = build.add(dense(floats(weights), floats(bias)), {e}).front();
    const auto g = build.add(softmax(3), {f}).front();
    const auto h = build.add(layer_normalization(3, 1e-5F), {g, build.constant(scale), build.constant(bias)}).front();
    return std::move(build).finish({{"scores", scores}, {"h", h}});
}

auto digests(const job& of) { return std::pair(digest(of.answers[0]), digest(of.answers[1])); }

}  // namespace

TEST_CASE("one row, or many, computed with the help of idle workers has the bits of one worker") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 8);
    const graph model = network();
    const serial_executor serial;
    for (const std::size_t rows : {1UL, 5UL}) {
        const tensor in = noise({static_cast<std::int64_t>(rows), 33, 31, 24}, 9);
        const options alone{.partition = contiguous{.rows_per_shard = 1}, .idle = idle_workers::rest};
        const auto expected = digests(infer(serial, model, in, alone));
        for (const idle_workers idle : {idle_workers::rest, idle_workers::help_few_shards, idle_workers::help})
            for (const std::size_t workers : {2UL, 3UL, 8UL}) {
                INFO(rows << " rows, " << workers << " workers");
                const options how{.partition = contiguous{.rows_per_shard = 1}, .idle = idle};
                const tbb_executor tbb({.workers = workers});
                const threads_executor threads({.workers = workers});
                for (int round = 0; round < 2; ++round) {
                    CHECK(digests(infer(tbb, model, in, how)) == expected);
                    CHECK(digests(infer(threads, model, in, how)) == expected);
                }
            }
    }
}

TEST_CASE("a stop ends an operation between its tiles") {
    const tbb::global_control more(tbb::global_control::max_allowed_parallelism, 4);
    std::stop_source stopper;
    std::atomic<int> ran{0};
    const auto model = [&](std::span<const float> x, workspace& space) {
        space.tiles(1000, [&](std::size_t tile) {
            ++ran;
            if (tile == 3) stopper.request_stop();
        });
        return std::vector<float>(x.begin(), x.end());
    };
    const std::vector<float> row{1};
    const options how{.stop = stopper.get_token(), .idle = idle_workers::help};
    const job stopped = infer(tbb_executor({.workers = 3}), model, row, how);
    REQUIRE(stopped.failures.size() == 1);
    CHECK(stopped.failures[0].kind == fault_kind::stopped);
    CHECK(ran < 1000);
}

TEST_CASE("what a tile throws is a failure of the shard's rows") {
    const auto model = [&](std::span<const float> x, workspace& space) {
        space.tiles(100, [&](std::size_t tile) {
            if (tile == 70 && x[0] == 1) throw std::runtime_error("tile 70");
        });
        return std::vector<float>(x.begin(), x.end());
    };
    const std::vector<float> rows{0, 1, 2};
    for (const std::size_t workers : {1UL, 4UL}) {
        const job some = infer(threads_executor({.workers = workers}), model, rows,
                               {.partition = contiguous{.rows_per_shard = 1}, .idle = idle_workers::help});
        REQUIRE(some.failures.size() == 1);
        CHECK(some.failures[0].message == "tile 70");
        CHECK(some.failures[0].rows == std::vector<std::size_t>{1});
        CHECK(some.answers.as<float>()(2) == 2);
    }
}
