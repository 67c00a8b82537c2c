// tests/model/operators/control_flow.cpp - branches and bodies as graphs: shapes, rows,
// carried and stacked values, stop.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/control_flow.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/pieces.hpp>
#include <fanfold/model/operators/reduce.hpp>
#include <fanfold/model/operators/sizes.hpp>
#include <stop_token>

#include "../../catch.hpp"
#include "../rules.hpp"
#include "../run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const extent N = rows_extent, unknown = extent::unknown();
const symbolic_shape any = symbolic_shape::unknown();
const value_type flag{element::boolean, {}}, count{element::int64, {}};
const operation exponential = unary_function(kernel::unary::exp), sum = arithmetic(kernel::binary::add);

tensor truth(bool value) { return tensor::of<bool>({}, {value}); }
tensor number(std::int64_t value) { return tensor::of<std::int64_t>({}, {value}); }

/// One operation on one captured value.
graph branch(const operation& op, const value_type& x) { return graph_of(op, {x}); }

/// A body that carries x -> concat(x, x's first element) and stacks `stacked(x)`; goes on while i < last.
graph growing(std::int64_t last) {
    graph_builder b;
    const auto i = b.input("i", count);
    (void)b.input("goes on", flag);
    const auto x = b.input("x", floats(any));
    const auto first = b.add(slice({.starts = {0}, .ends = {1}}), {x}).front();
    const auto longer = b.add(concat(0), {x, first}).front();
    const auto more = b.add(arithmetic(kernel::binary::less), {i, b.constant(number(last - 1))}).front();
    return std::move(b).finish({{"goes on", more}, {"x", longer}, {"i", i}});
}

}  // namespace

TEST_CASE("a condition known at load leaves one branch's shape and rows; else what both have in common") {
    const value_type x = floats({N, 4});
    const conditional op(branch(exponential, x), branch(reduce(kernel::reduction::sum, {{0}}), x));
    const tensor yes = truth(true), no = truth(false), two = tensor(element::boolean, {2});
    CHECK(rule(op, {argument(yes), x, x}) == "float32 [N, 4]");
    CHECK(rule(op, {argument(no), x, x}) == "float32 [1, 4]");
    CHECK(rule(op, {flag, x, x}) == "float32 [?, 4]");
    CHECK_FALSE(mixes(op, {argument(yes), x, x}));
    CHECK(mixes(op, {argument(no), x, x}));
    CHECK(mixes(op, {flag, x, x}));
    CHECK_FALSE(refusal(op, {floats({}), x, x}).empty());
    CHECK_FALSE(refusal(op, {argument(two), x, x}).empty());

    const conditional ranks(branch(exponential, x),
                            branch(reduce(kernel::reduction::sum, {{1}}, reduced_axis::removed), x));
    CHECK(rule(ranks, {flag, x, x}) == "float32 [..]");
    const conditional types(branch(exponential, x), branch(shape_of(), x));
    CHECK_THAT(refusal(types, {flag, x, x}), Contains("branches that answer alike"));
    const graph two_answers = graph_of(split(1, 2), {x});
    CHECK(text_of([&] { (void)conditional(two_answers, branch(exponential, x)); }) ==
          "expected branches with as many answers, got 2 and 1");
}

TEST_CASE("both branches of different rank run; rows keep their bits") {
    const value_type x = floats({N, 4});
    const conditional op(branch(exponential, x),
                         branch(reduce(kernel::reduction::sum, {{1}}, reduced_axis::removed), x));
    graph_builder b;
    const auto in = b.input("x", x), which = b.input("which", flag);
    const auto y = b.add(op, {which, in, in}, "if").front();
    const graph g = std::move(b).finish({{"y", y}});
    CHECK_FALSE(g.state().planned);
    const tensor rows = pattern({3, 4});
    CHECK(run(g, {rows, truth(true)}, 3)[0].shape() == shape{3, 4});
    CHECK(run(g, {rows, truth(false)}, 3)[0].shape() == shape{3});
    CHECK(run(g, {tensor(element::float32, {0, 4}), truth(false)}, 0)[0].shape() == shape{0});
    for (const bool first : {true, false}) {  // infer knows what all rows share, so it knows the branch
        const tensor chosen = truth(first);
        const batch both(part(rows), part(chosen, shared_by_all_rows));
        CHECK(g.row_mixer(both).empty());
        const auto types = g.answers(both);
        CHECK(types[0].shape == (first ? shape{3, 4} : shape{3}));
        CHECK(types[0].rows == row_axis(0));
    }
}

TEST_CASE("a branch counts its rows by any extent that tells them") {
    const value_type x = floats({extent(0, 2), 3});
    const conditional op(branch(exponential, x), branch(exponential, x));
    const graph g = graph_of(op, {flag, x, x});
    const tensor six = pattern({6, 3});
    const auto y = run(g, {truth(true), six, six}, 3);
    CHECK(y[0].shape() == shape{6, 3});
    CHECK_FALSE(text_of([&] { (void)run(g, {truth(true), pattern({5, 3}), pattern({5, 3})}, 3); }).empty());
}

TEST_CASE("a loop carries values that grow, and stacks one value an iteration") {
    const graph g = graph_of(loop(growing(100), 1), {count, flag, floats({unknown})});
    for (const std::int64_t trips : {1, 2, 7}) {
        const auto y = run(g, {number(trips), truth(true), tensor::of<float>({2}, {5, 6})}, 1);
        CHECK(y[0].shape() == shape{2 + trips});
        CHECK(y[0].as<float>()(1) == 6);
        CHECK(y[0].as<float>()(trips + 1) == 5);
        REQUIRE(y[1].shape() == shape{trips});
        for (std::int64_t i = 0; i < trips; ++i) CHECK(y[1].as<std::int64_t>()(i) == i);
    }
}

TEST_CASE("a loop ends with its condition, or never begins") {
    const tensor x = tensor::of<float>({2}, {5, 6});
    const graph g = graph_of(loop(growing(3), 1), {count, flag, floats({unknown})});
    CHECK(run(g, {number(INT64_MAX), truth(true), x}, 1)[0].shape() == shape{5});
    for (const bool goes_on : {true, false}) {
        const auto y = run(g, {number(goes_on ? 0 : 9), truth(goes_on), x}, 1);
        CHECK(same_bits(y[0], x));
        CHECK(y[1].shape() == shape{0});
    }
    CHECK(same_bits(run(g, {number(-4), truth(true), x}, 1)[0], x));
    CHECK(rule(loop(growing(3), 1), {count, flag, floats({2})}) == "float32 [..], int64 [..]");
    CHECK(mixes(loop(growing(3), 1), {count, flag, floats({N})}));
    CHECK_FALSE(text_of([] { (void)loop(growing(3), 2); }).empty());
    const graph uncounted = graph_of(loop(growing(3), 1), {int64s({unknown}), flag, floats({unknown})});
    CHECK_THAT(text_of([&] { (void)run(uncounted, {list({}), truth(true), x}, 1); }), Contains("one integer"));
}

TEST_CASE("a loop without a condition begins, and ends with the condition of its body") {
    graph_builder b;
    const auto x = b.input("x", floats({unknown}));
    const auto y = b.add(loop(growing(3), 1), {b.constant(number(9)), b.none(), x});
    const graph g = std::move(b).finish({{"x", y[0]}, {"i", y[1]}});
    CHECK(run(g, {tensor::of<float>({2}, {5, 6})}, 1)[0].shape() == shape{5});
}

TEST_CASE("a loop without end stops when it is asked to") {
    std::stop_source source;
    struct stopper {
        std::stop_source* stop;
        int* left;
        std::string_view name() const { return "Stopper"; }
        std::vector<value_type> answers(std::span<const argument> in) const { return {in[0]}; }
        void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
            detail::copy_elements(in[0], out[0]);
            if (--*left == 0) stop->request_stop();
        }
    };
    int left = 50;
    graph_builder b;
    (void)b.input("i", count);
    const auto goes_on = b.input("goes on", flag);
    const auto kept = b.add(stopper{&source, &left}, {goes_on}).front();
    const graph body = std::move(b).finish({{"goes on", kept}, {"stacked", kept}});
    const graph g = graph_of(loop(body, 0), {count, flag});
    workspace space;
    space.stop = stop(source.get_token());
    const tensor trips = number(INT64_MAX), yes = truth(true);
    const tensor_view in[]{trips, yes};
    CHECK_THROWS_AS(g.run(in, space), stopped_error);
    CHECK(left <= 0);
}

TEST_CASE("a scan walks both ways along any axis") {
    graph_builder b;  // state + element -> state, and as an answer
    const auto state = b.input("state", floats(any)), one = b.input("one", floats(any));
    const auto total = b.add(sum, {state, one}).front();
    const graph body = std::move(b).finish({{"state", total}, {"so far", total}});
    const tensor zero(element::float32, {3}), x = pattern({3, 4});
    for (const bool backwards : {false, true})
        for (const bool out_backwards : {false, true}) {
            const scan op(body, {.states = 1,
                                 .input_axes = {1},
                                 .input_backwards = {backwards},
                                 .output_axes = {-1},
                                 .output_backwards = {out_backwards}});
            const auto y = run(graph_of(op, {floats({3}), floats({3, unknown})}), {zero, x}, 1);
            REQUIRE(y[1].shape() == shape{3, 4});
            for (std::int64_t row = 0; row < 3; ++row) {
                float so_far = 0;
                for (std::int64_t step = 0; step < 4; ++step) {
                    so_far += x.as<float>()(row, backwards ? 3 - step : step);
                    CHECK(y[1].as<float>()(row, out_backwards ? 3 - step : step) == so_far);
                }
                CHECK(y[0].as<float>()(row) == so_far);
            }
        }
    const scan two(body, {.states = 0,
                          .input_axes = {0, 0},
                          .input_backwards = {false, false},
                          .output_axes = {0, 0},
                          .output_backwards = {false, true}});
    const graph g = graph_of(two, {floats({unknown, 2}), floats({unknown, 2})});
    CHECK(run(g, {pattern({3, 2}), pattern({3, 2})}, 1)[1].shape() == shape{3, 2});
    CHECK_THAT(text_of([&] { (void)run(g, {pattern({3, 2}), pattern({4, 2})}, 1); }),
               Contains("sequences of one length, got 3 and 4"));
    CHECK_FALSE(text_of([&] { (void)run(g, {pattern({0, 2}), pattern({0, 2})}, 1); }).empty());
    CHECK(mixes(two, {floats({N, 2}), floats({N, 2})}));
    CHECK_FALSE(text_of([&] { (void)scan(body, {.states = 2, .input_axes = {0}}); }).empty());
}

TEST_CASE("a scan that walks along another axis than the rows' keeps rows apart, and tells its shapes") {
    // As exporters write distances: the state holds all rows, one stored point comes after the other.
    const auto body = [](const operation& last) {
        graph_builder b;
        const auto rows = b.input("rows", floats(any)), point = b.input("point", floats(any));
        const auto apart = b.add(sum, {rows, point}).front();
        const auto distance = b.add(last, {apart}).front();
        return std::move(b).finish({{"rows", rows}, {"distance", distance}});
    };
    const scan_form form{1, {0}, {false}, {0}, {false}};
    const operation by_row = reduce(kernel::reduction::sum, {{1}}, reduced_axis::removed);
    const operation over_rows = reduce(kernel::reduction::sum, {{0}}, reduced_axis::removed);
    const scan distances(body(by_row), form);
    const auto types = answers_of(distances, {floats({N, 2}), floats({5, 2})});
    CHECK(types[0].text() == "float32 [N, 2]");
    CHECK(types[1].text() == "float32 [5, N]");
    CHECK_FALSE(mixes(distances, {floats({N, 2}), floats({5, 2})}));
    CHECK(mixes(distances, {floats({4, 2}), floats({N, 2})}));
    CHECK(mixes(scan(body(over_rows), form), {floats({N, 2}), floats({5, 2})}));
    CHECK(answers_of(distances, {floats({unknown, 2}), floats({5, 2})})[1].text() == "float32 [..]");
    scan_form last = form;
    last.output_axes = {-1};
    CHECK(answers_of(scan(body(by_row), last), {floats({N, 2}), floats({5, 2})})[1].text() == "float32 [N, 5]");

    graph_builder b;
    const auto x = b.input("x", floats({N, 2}));
    const auto y = b.add(distances, {x, b.constant(pattern({5, 2}))}, "distances");
    const graph g = std::move(b).finish({{"y", y[1]}});
    CHECK(g.row_mixer().empty());
    CHECK(run(g, {pattern({3, 2})}, 3)[0].shape() == shape{5, 3});
}

TEST_CASE("weights inside of graphs are counted") {
    const value_type x = floats({N});
    CHECK(conditional(branch(exponential, x), branch(exponential, x)).weight_bytes() == 0);
}
