// tests/model/free_run.cpp - graphs whose sizes only a run tells: the same bits as planned ones,
// memory that comes back.
// SPDX-License-Identifier: MIT
#include <fanfold/model/free_run.hpp>
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/operators/axes.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/normalization.hpp>
#include <fanfold/model/operators/reduce.hpp>
#include <fanfold/model/operators/selection.hpp>
#include <fanfold/model/operators/softmax.hpp>
#include <set>
#include <stop_token>

#include "../catch.hpp"
#include "rules.hpp"
#include "run.hpp"

using namespace fanfold;
using Catch::Matchers::Contains;

namespace {

const extent N = rows_extent, unknown = extent::unknown();
const operation exponential = unary_function(kernel::unary::exp), tripled = arithmetic(kernel::binary::add);

/// Remembers where its answers lie; asks for a stop when it has been called often enough.
struct spy {
    std::set<const void*>* places;
    std::stop_source* stop = nullptr;
    std::size_t stop_after = SIZE_MAX;

    static constexpr bool elementwise = true;
    std::string_view name() const { return "Spy"; }
    std::vector<value_type> answers(std::span<const argument> in) const { return {in[0]}; }
    void operator()(std::span<const tensor_view> in, std::span<const mutable_tensor_view> out, workspace&) const {
        places->insert(out[0].data());
        detail::copy_elements(in[0], out[0]);
        if (places->size() >= stop_after) stop->request_stop();
    }
};

/// Something of everything: softmax along the columns, transposed, reduced, squeezed.
graph network(symbolic_shape of) {
    graph_builder g;
    const auto x = g.input("x", floats(of));
    const auto s = g.add(softmax(1), {g.add(exponential, {x}).front()}).front();
    const auto t = g.add(transpose({1, 0, 2}), {g.add(tripled, {s, x}).front()}).front();
    const auto r = g.add(reduce(kernel::reduction::log_sum_exp, {{0}}), {t}).front();
    return std::move(g).finish({{"y", g.add(squeeze({{0}}), {r}).front()}, {"t", t}, {"x", x}});
}

graph chain(const operation& op, std::size_t length, symbolic_shape of) {
    graph_builder g;
    auto value = g.input("x", floats(of));
    for (std::size_t i = 0; i < length; ++i) value = g.add(op, {value}, "step " + std::to_string(i)).front();
    return std::move(g).finish({{"y", value}});
}

}  // namespace

TEST_CASE("planned and free runs of one network give the same bits") {
    const graph planned = network({N, 5, 3}), free = network({N, unknown, 3}),
                unranked = network({unknown, unknown, unknown});
    REQUIRE(planned.state().planned);
    REQUIRE_FALSE(free.state().planned);
    workspace space;
    for (const std::int64_t rows : {1, 4, 0, 17}) {
        const tensor x = pattern({rows, 5, 3});
        const tensor_view in[]{x};
        const auto a = planned.run(in, space), b = free.run(in, space), c = unranked.run(in, space);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(same_bits(a[i], b[i]));
            CHECK(same_bits(a[i], c[i]));
        }
    }
    CHECK(rows_are_independent(free, pattern({6, 5, 3}), 0));
}

TEST_CASE("a value's block goes to others once its last reader is done") {
    std::set<const void*> places;
    const graph g = chain(spy{&places}, 40, {N, unknown});
    (void)run(g, {pattern({3, 100})}, 3);
    CHECK(places.size() <= 3);  // two blocks in turn, and the answer
}

TEST_CASE("a thousand runs of growing shapes use the blocks of those before") {
    std::set<const void*> places;
    const graph g = chain(spy{&places}, 6, {N, unknown});
    workspace space;
    for (std::int64_t columns = 1; columns <= 1000; ++columns) {
        const tensor x = pattern({1, columns});
        const tensor_view in[]{x};
        tensor kept;
        const auto room = [&](std::size_t, element type, const shape& extents) -> mutable_tensor_view {
            return kept = tensor::uninitialized(type, extents);
        };
        places.clear();
        g.run(in, answer_room(room), space);
        CHECK(places.size() <= 3);
        REQUIRE(same_bits(kept, x));
    }
    // What 1000 columns left behind serves again; another block would lie elsewhere.
    std::set<const void*> all;
    const tensor x = pattern({1, 1000});
    tensor y(element::float32, {1, 1000});
    const auto room = [&](std::size_t, element, const shape&) -> mutable_tensor_view { return y; };
    const tensor_view in[]{x};
    for (int turn = 0; turn < 1000; ++turn) {
        places.clear();
        g.run(in, answer_room(room), space);
        all.insert(places.begin(), places.end());
    }
    CHECK(all.size() <= 3);
}

TEST_CASE("a step that throws leaves nothing taken") {
    std::set<const void*> places;
    graph_builder b;
    const auto x = b.input("x", floats({N, unknown}));
    const auto k = b.input("k", int64s({1}));
    const auto kept = b.add(spy{&places}, {x}).front();
    const auto best = b.add(top_k(kernel::extreme::largest, 1, {}), {kept, k}, "best").front();
    const graph g = std::move(b).finish({{"y", b.add(tripled, {best, best}).front()}});
    const tensor values = pattern({2, 50}), many = list({51}), some = list({50});
    workspace space;
    for (int turn = 0; turn < 100; ++turn) {
        const tensor_view wrong[]{values, many}, right[]{values, some};
        CHECK_THAT(text_of([&] { (void)g.run(wrong, space); }), Contains("node 'best' (TopK): expected 0 to 50"));
        CHECK(g.run(right, space)[0].shape() == shape{2, 50});
    }
    CHECK(places.size() == 1);
}

TEST_CASE("a free run sees a stop between its steps") {
    std::set<const void*> places;
    std::stop_source source;
    const graph g = chain(spy{&places, &source, 2}, 10, {N, unknown});
    workspace space;
    space.stop = stop(source.get_token());
    const tensor x = pattern({2, 3});
    const tensor_view in[]{x};
    CHECK_THROWS_AS(g.run(in, space), stopped_error);
    CHECK(places.size() == 2);
}

TEST_CASE("values beyond the limit are refused in the run, naming them") {
    graph_builder b({.bytes_per_value = 1000});
    const auto x = b.input("x", floats({unknown}));
    const auto y = b.add(exponential, {b.add(exponential, {x}, "first").front()}, "second").front();
    const graph g = std::move(b).finish({{"y", y}});
    CHECK(run(g, {pattern({250})}, 1)[0].size() == 250);
    CHECK(text_of([&] { (void)run(g, {pattern({251})}, 1); }) ==
          "expected values of at most 1000 bytes, got 'first' of [251]");
}

TEST_CASE("inputs are checked against what is declared; rows are counted once") {
    const graph g = [] {
        graph_builder b;
        const auto a = b.input("a", floats({N, unknown})), c = b.input("c", floats({extent(1, 2), 3}));
        const auto sum = b.add(reduce(kernel::reduction::sum, {{1}}), {a}).front();
        return std::move(b).finish({{"y", sum}, {"c", c}});
    }();
    CHECK(run(g, {pattern({2, 4}), pattern({5, 3})}, 2)[0].shape() == shape{2, 1});
    CHECK(text_of([&] { (void)run(g, {pattern({2, 4}), pattern({4, 3})}, 2); }) ==
          "input 'c': expected float32 [2N + 1, 3], got float32 [4, 3]");
    CHECK_FALSE(text_of([&] { (void)run(g, {pattern({2, 4})}, 2); }).empty());
    CHECK_FALSE(text_of([&] { (void)run(g, {list({1, 2}), pattern({5, 3})}, 2); }).empty());
}

TEST_CASE("as a model, answers must come in the shape that was declared") {
    const graph g = chain(exponential, 1, {N, unknown});
    const tensor x = pattern({2, 3});
    tensor wrong(element::float32, {2, 4});
    const tensor_view in[]{x};
    const mutable_tensor_view out[]{wrong};
    workspace space;
    CHECK_THROWS_WITH(g(batch_view(in, 2), mutable_batch_view(out, 2), space),
                      "output 'y': expected float32 [2, 4], got float32 [2, 3]");
    const graph places = graph_of(non_zero(), {floats({N, 2})});
    CHECK_THROWS_WITH(places.answers(batch(x)), Contains("input 'x0': expected float32 [N, 2]"));
    const tensor pairs = pattern({3, 2});
    CHECK_THROWS_WITH(
        places.answers(batch(pairs)),
        "output 'y0' int64 [2, ?]: its shape follows from elements, so infer cannot make room for it; use "
        "graph::run");
}

TEST_CASE("answers that nobody asked for, twice the same, or an input") {
    graph_builder b;
    const auto x = b.input("x", floats({unknown}));
    const auto found = b.add(unique(kernel::unique_order::sorted, {}), {x});
    const graph g = std::move(b).finish({{"x", x}, {"counts", found[3]}, {"again", found[3]}});
    const auto y = run(g, {tensor::of<float>({3}, {2, 1, 2})}, 1);
    CHECK(floats_of(y[0]) == std::vector<float>{2, 1, 2});
    CHECK(integers_in(tensor_view(y[1])) == std::vector<std::int64_t>{1, 2});
    CHECK(same_bits(y[1], y[2]));
}

TEST_CASE("inputs that only the run tells are held against the operation's rule, also where its answers are known") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 3}});
    const auto mean = g.input("mean", {element::float32, {extent::unknown()}});
    const auto one = g.constant(tensor::of<float>({3}, {1, 1, 1}));
    const auto y = g.add(batch_normalization_training(0, 0.75F), {x, one, one, mean, one});
    const graph model = std::move(g).finish({{"y", y[0]}});
    const tensor rows = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(run(model, {rows, tensor::of<float>({3}, {0, 0, 0})}, 2).front().shape() == shape{2, 3});
    CHECK_THROWS_WITH(run(model, {rows, tensor::of<float>({1}, {0})}, 2),
                      Contains("BatchNormalization") && Contains("expected float32 [3], got float32 [1]"));
}
