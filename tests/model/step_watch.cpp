// tests/model/step_watch.cpp - who watches a workspace hears of every step, in order, with its time and operations.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/control_flow.hpp>
#include <fanfold/model/operators/dense.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/step_watch.hpp>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "run.hpp"

using namespace fanfold;

namespace {

struct told {
    std::string operation, name;
    std::uint64_t flops;
    time_point started, finished;
};

const std::vector<float> weights(6, 1.0F);

/// [N, 3] -> [N, 2], squared.
graph_builder products(value_id& answer) {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 3}});
    const auto h = g.add(dense(view<const float>(weights.data(), shape{3, 2})), {x}, "first").front();
    answer = g.add(arithmetic(kernel::binary::mul), {h, h}, "square").front();
    return g;
}

}  // namespace

TEST_CASE("a planned run tells its steps in order, each beginning where nothing is left out") {
    value_id answer;
    graph_builder build = products(answer);
    const graph g = std::move(build).finish({{"y", answer}});
    std::vector<told> heard;
    const auto listen = [&](const step_event& e) {
        heard.push_back({std::string(e.operation), std::string(e.name), e.flops, e.started, e.finished});
    };
    workspace space;
    (void)run(g, {tensor(element::float32, {5, 3})}, 5, space);
    CHECK(heard.empty());
    space.steps = listen;
    (void)run(g, {tensor(element::float32, {5, 3})}, 5, space);
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].operation == "Dense");
    CHECK(heard[0].name == "first");
    CHECK(heard[0].flops == 2 * 5 * 3 * 2);
    CHECK(heard[1].name == "square");
    CHECK(heard[1].flops == 0);
    CHECK(heard[0].started <= heard[0].finished);
    CHECK(heard[0].finished <= heard[1].started);
}

TEST_CASE("steps of an inner graph end before the step that holds them and lie within it") {
    value_id answer;
    graph_builder inside = products(answer);
    const graph body = std::move(inside).finish({{"y", answer}});
    graph_builder g;
    const auto choice = g.input("choice", {element::boolean, symbolic_shape()});
    const auto x = g.input("x", {element::float32, {rows_extent, 3}});
    const graph outer = std::move(g).finish({{"y", g.add(conditional(body, body), {choice, x, x}, "if").front()}});
    std::vector<told> heard;
    const auto listen = [&](const step_event& e) {
        heard.push_back({std::string(e.operation), std::string(e.name), e.flops, e.started, e.finished});
    };
    workspace space;
    space.steps = listen;
    const tensor yes = tensor::of<bool>({}, {true});
    const tensor rows(element::float32, {2, 3});
    const std::vector<tensor_view> in{yes, rows};
    (void)outer.run(in, space);
    REQUIRE(heard.size() == 3);
    CHECK(heard[0].name == "first");
    CHECK(heard[2].operation == "If");
    CHECK(heard[2].started <= heard[0].started);
    CHECK(heard[1].finished <= heard[2].finished);
}
