// SPDX-License-Identifier: MIT
#include <fanfold/model/graph_builder.hpp>
#include <fanfold/model/preference.hpp>

#include "../catch.hpp"

using namespace fanfold;

namespace {
preference seen;
void look(const graph_draft& draft) { seen = draft.prefer(); }
}  // namespace

TEST_CASE("a pass sees what the caller prefers, speed by default") {
    for (const preference& wanted :
         {preference{}, preference{.accuracy = accuracy::high, .memory = weight_memory::small}}) {
        graph_builder g;
        const value_id x = g.input("x", {element::float32, {rows_extent}});
        (void)std::move(g).finish({{"y", x}}, &look, wanted);
        CHECK(seen.accuracy == wanted.accuracy);
        CHECK(seen.memory == wanted.memory);
    }
    CHECK(preference{}.accuracy == accuracy::usual);
    CHECK(preference{}.memory == weight_memory::usual);
}
