// tests/model/operators/resize.cpp - sizes from scales and lists; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/resize.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent, any = extent::unknown();
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
std::string scaled(symbolic_shape x, std::vector<double> scales) {
    resize_rule rule;
    rule.scales = std::move(scales);
    return answers_of(resize(rule), {of(std::move(x))})[0].shape.text();
}
std::string sized(resize_rule rule, symbolic_shape x, const std::vector<std::int64_t>& sizes) {
    rule.sizes_at = 1;
    const view<const std::int64_t> listed(sizes);
    const argument list{tensor_view(listed)};
    const std::vector<argument> in{of(std::move(x)), list};
    return resize(rule).answers(in)[0].shape.text();
}
}  // namespace

TEST_CASE("scales round down, and keep N where they are whole") {
    CHECK(scaled({N, 3, 5, any}, {1, 1, 1.5, 2}) == "[N, 3, 7, ?]");
    CHECK(scaled({N, 3}, {2, 0.5}) == "[2N, 1]");
    CHECK(scaled({N, 3}, {0.5, 1}) == "[?, 3]");
    CHECK_THROWS(scaled({N, 3}, {1}));
    CHECK_THROWS(scaled({N, 3}, {1, 0}));
    CHECK_THROWS(scaled({N, 3}, {}));
}

TEST_CASE("sizes are taken as they are, or keep the proportions") {
    resize_rule rule;
    CHECK(sized(rule, {2, 3}, {4, 5}) == "[4, 5]");
    rule.axes = {1};
    CHECK(sized(rule, {N, 3}, {5}) == "[N, 5]");
    rule.axes = {2, 3};
    rule.policy = resize_policy::not_larger;
    CHECK(sized(rule, {1, 1, 2, 4}, {7, 8}) == "[1, 1, 4, 8]");
    rule.policy = resize_policy::not_smaller;
    CHECK(sized(rule, {1, 1, 2, 4}, {7, 8}) == "[1, 1, 7, 14]");
    CHECK_THROWS(sized(rule, {1, 1, 2, 4}, {7}));
}

TEST_CASE("only nearest moves elements of any type; rows that are resized mix") {
    resize_rule rule;
    rule.scales = {1, 2};
    const value_type bytes{element::uint8, {N, 3}};
    CHECK(answers_of(resize(rule), {bytes})[0].text() == "uint8 [N, 6]");
    const auto mixes = [&](symbolic_shape x) {
        const std::vector<argument> in{of(std::move(x))};
        return resize(rule).mixes_rows(in);
    };
    CHECK_FALSE(mixes({N, 3}));
    CHECK(mixes({3, N}));
    rule.options.mode = kernel::interpolation::linear;
    CHECK_THROWS(answers_of(resize(rule), {bytes}));
}
