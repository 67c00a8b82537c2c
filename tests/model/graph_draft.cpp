// SPDX-License-Identifier: MIT
#include <fanfold/model/graph_draft.hpp>
#include <fanfold/model/operators/elementwise.hpp>
#include <fanfold/model/operators/reshape.hpp>

#include "../catch.hpp"
#include "run.hpp"

using namespace fanfold;

TEST_CASE("a pass may add steps, constants and names of values that come later") {
    graph_builder g;
    const auto x = g.input("x", {element::float32, {rows_extent, 2}});
    const auto y = g.add(unary_function(kernel::unary::neg), {x}).front();
    const auto z = g.add(identity(), {y}).front();
    const graph made = std::move(g).finish({{"y", y}, {"z", z}}, [](const graph_draft& draft) {
        graph_step& first = draft.steps().front();
        const std::size_t before = first.outputs[0];
        const std::size_t sum = draft.add_value(draft.type(before), "sum");
        const std::size_t two = draft.add_constant(tensor::of<float>({}, {2}));
        CHECK(draft.elements(two)->size() == 1);
        CHECK(draft.uses()[before] == 2);
        draft.alias(before, sum);
        draft.steps() = {{arithmetic(kernel::binary::add), "sum", {first.inputs[0], two}, {sum}},
                         {identity(), "y", {sum}, {before}}};
    });
    const auto answers = run(made, {tensor::of<float>({1, 2}, {3, 4})}, 1);
    CHECK(floats_of(answers[0]) == std::vector<float>{5, 6});
    CHECK(floats_of(answers[1]) == std::vector<float>{5, 6});
}
