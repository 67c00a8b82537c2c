// tests/model/operators/convolution_nd.cpp - shapes and refusals; numbers are checked in tests/kernel and tests/onnx.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/convolution_nd.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, any = extent::unknown();
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
sliding_rule padded(std::int64_t by) {
    sliding_rule rule;
    rule.window.before = rule.window.after = {by, by, by};
    return rule;
}
}  // namespace

TEST_CASE("a convolution of images whose size is not known yet") {
    const convolution_nd op(padded(1), 2);
    CHECK(answers_of(op, {of({N, 4, any, 8}), of({6, 2, 3, 3})})[0].text() == "float32 [N, 6, ?, 8]");
    CHECK(answers_of(op, {of({N, any, 8}), of({6, 2, 3})})[0].text() == "float32 [N, 6, 8]");
    CHECK(answers_of(op, {of({N, 4, 8, 8, 8}), of(symbolic_shape::unknown())})[0].text() == "float32 [N, ?, ?, ?, ?]");
    CHECK(answers_of(op, {of(symbolic_shape::unknown()), of({6, 2, 3})})[0].text() == "float32 [?, 6, ?]");
    CHECK_THROWS(answers_of(op, {of({N, 5, 8, 8}), of({6, 2, 3, 3})}));
    CHECK_THROWS(answers_of(op, {of({N, 4, 8, 8}), of({5, 2, 3, 3})}));
    CHECK_THROWS(answers_of(op, {of({N, 4, 8, 8}), of({6, 2, 3})}));
    CHECK_THROWS(answers_of(op, {of({N, 4, 8, 8}), of({6, 2, 3, 3}), of({5})}));
    CHECK_THROWS(answers_of(op, {of({N, 4, 8, 8}), {element::float64, {6, 2, 3, 3}}}));
    CHECK_THROWS(convolution_nd(padded(1), 0));
}

TEST_CASE("a transposed convolution says how large its answer is") {
    sliding_rule rule = padded(1);
    rule.window.stride = {2, 2, 2};
    const auto answer = [&](const transposed_convolution& op, symbolic_shape x) {
        return answers_of(op, {of(std::move(x)), of({3, 2, 4})})[0].text();
    };
    CHECK(answer({rule, 1, {}}, {N, 3, 5}) == "float32 [N, 2, 10]");
    CHECK(answer({rule, 1, {.added = {1}}}, {N, 3, 5}) == "float32 [N, 2, 11]");
    CHECK(answer({rule, 1, {.target = {7}}}, {N, 3, any}) == "float32 [N, 2, 7]");
    CHECK(answer({rule, 1, {}}, {N, 3, any}) == "float32 [N, 2, ?]");
    rule.padding = window_padding::same_lower;
    CHECK(answer({rule, 1, {}}, {N, 3, 5}) == "float32 [N, 2, 10]");
    CHECK_THROWS(answer({rule, 1, {.added = {1, 1}}}, {N, 3, 5}));
    CHECK_THROWS(answer({rule, 2, {}}, {N, 3, 5}));
    CHECK_THROWS(answer({rule, 1, {}}, {N, 4, 5}));
}
