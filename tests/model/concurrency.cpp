// One graph in several threads at once, each with a workspace of its own: a graph is const,
// and so is all that it shares.
// SPDX-License-Identifier: MIT
#include <array>
#include <cstring>
#include <fanfold/model/graph.hpp>
#include <fanfold/model/operators/convolution.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/pooling.hpp>
#include <fanfold/model/operators/reshape.hpp>
#include <fanfold/model/operators/softmax.hpp>
#include <latch>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "../catch.hpp"
#include "../text.hpp"
#include "run.hpp"

using namespace fanfold;

namespace {

constexpr std::size_t threads = 4;

std::vector<float> pattern(std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 11) / 8 - 0.5F;
    return values;
}

/// A little of every kind of step: packed weights, scratch, aliases.
graph network() {
    const auto kernels = pattern(std::size_t{5} * 2 * 3 * 3);
    const auto weights = pattern(std::size_t{5} * 3 * 3 * 10);
    const value_type images{element::float32, {rows_extent, 2, 8, 8}};
    sliding_rule halves;
    halves.window.size = halves.window.stride = {2, 2};
    graph_builder g;
    const auto x = g.input("x", images);
    const auto c = g.add(convolution(images, view<const float>(kernels.data(), shape{5, 2, 3, 3})), {x}).front();
    const auto p =
        g.add(max_pooling(halves), {g.add(unary_function(kernel::activation::relu), {c}).front()}).front();
    const auto d =
        g.add(dense(view<const float>(weights.data(), shape{45, 10})), {g.add(flatten(), {p}).front()}).front();
    const auto y = g.add(softmax(1), {d}).front();
    return std::move(g).finish({{"y", y}, {"flat", g.add(flatten(), {p}).front()}});
}

tensor images(std::size_t rows) {
    tensor made(element::float32, {static_cast<std::int64_t>(rows), 2, 8, 8});
    const auto values = pattern(made.size());
    std::memcpy(made.data(), values.data(), made.bytes());
    return made;
}

/// What `call(thread)` throws, from as many threads at the same time.
template <class F>
std::array<std::string, threads> at_once(F&& call) {
    std::array<std::string, threads> errors;
    std::latch start(threads);
    std::vector<std::jthread> running;
    for (std::size_t thread = 0; thread < threads; ++thread)
        running.emplace_back([&, thread] {
            start.arrive_and_wait();
            errors[thread] = text_of([&] { call(thread); });
        });
    running.clear();
    return errors;
}

}  // namespace

TEST_CASE("one graph in several threads gives each the bits that it gives one alone") {
    const graph g = network();
    std::array<std::vector<tensor>, threads> got;
    const auto errors = at_once([&](std::size_t thread) {
        workspace space;  // grows while the others run
        for (std::size_t rows = 1; rows <= 5 + thread; ++rows) got[thread] = run(g, {images(rows)}, rows, space);
    });
    CHECK(errors == std::array<std::string, threads>{});
    for (std::size_t thread = 0; thread < threads; ++thread) {
        const auto expected = run(g, {images(5 + thread)}, 5 + thread);
        REQUIRE(got[thread].size() == 2);
        for (std::size_t output = 0; output < 2; ++output)
            CHECK(std::memcmp(got[thread][output].data(), expected[output].data(), expected[output].bytes()) == 0);
    }
}

TEST_CASE("copies of a graph outlive the original, each in a thread of its own") {
    auto original = std::make_optional(network());
    const auto expected = floats_of(run(*original, {images(3)}, 3)[0]);
    std::array<graph, threads> copies{*original, *original, *original, *original};
    original.reset();
    std::array<std::vector<float>, threads> got;
    const auto errors = at_once([&](std::size_t thread) {
        const graph mine = std::move(copies[thread]);
        got[thread] = floats_of(run(mine, {images(3)}, 3)[0]);
    });
    CHECK(errors == std::array<std::string, threads>{});
    for (const auto& answers : got) CHECK(answers == expected);
}

TEST_CASE("a stop that another thread asks for reaches every run, and only those that listen") {
    const graph g = network();
    std::stop_source source;
    const auto errors = at_once([&](std::size_t thread) {
        workspace space;
        if (thread == 0) {
            source.request_stop();
            return;
        }
        if (thread == 1) {
            for (int turn = 0; turn < 20; ++turn) (void)run(g, {images(2)}, 2, space);
            return;
        }
        space.stop = stop(source.get_token());
        for (;;) (void)run(g, {images(2)}, 2, space);
    });
    CHECK(errors[0].empty());
    CHECK(errors[1].empty());
    for (std::size_t thread = 2; thread < threads; ++thread) CHECK_FALSE(errors[thread].empty());
}
