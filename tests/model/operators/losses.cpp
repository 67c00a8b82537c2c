// tests/model/operators/losses.cpp - shapes and rows; numbers are checked in tests/onnx/operators/losses.cpp.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/losses.hpp>

#include "../../catch.hpp"
#include "../rules.hpp"

using namespace fanfold;

TEST_CASE("a loss for each row mixes none, a sum all") {
    const extent N = rows_extent;
    const value_type x = floats({N, 3, 4}), t = int64s({N, 4});
    const classification_loss each(loss_input::scores, loss_reduction::none, std::nullopt);
    const classification_loss sum(loss_input::log_probabilities, loss_reduction::sum, 1);
    CHECK(rule(each, {x, t}) == "float32 [N, 4], float32 [N, 3, 4]");
    CHECK(rule(sum, {x, t, floats({3})}) == "float32 []");
    CHECK_FALSE(mixes(each, {x, t}));
    CHECK(mixes(sum, {x, t}));
    CHECK_THROWS(each.answers(std::vector<argument>{x, int64s({N, 5})}));
    CHECK_THROWS(each.answers(std::vector<argument>{x, t, floats({4})}));
    CHECK_THROWS(each.answers(std::vector<argument>{x, floats({N, 4})}));
}
