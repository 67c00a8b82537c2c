// tests/onnx/operators/reshape.cpp - Reshape, Flatten and Identity keep N symbolic and move nothing.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/reshape.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

model_file reshaping(std::vector<dim> from, ints target, std::int64_t opset = 14,
                     std::vector<attribute> attributes = {}) {
    return {opset,
            {node("Reshape", {"x", "to"}, {"y"}, attributes, "r")},
            {value("x", from)},
            {undeclared("y")},
            {tensor("to", target)}};
}
std::string shape_of(const model_file& m) {
    const auto g = load(m);
    return g.state().values[g.state().outputs[0]].type.shape.text();
}

}  // namespace

TEST_CASE("Reshape keeps the number of rows symbolic") {
    CHECK(shape_of(reshaping({N, d(16), d(5), d(5)}, {-1, 400})) == "[N, 400]");
    CHECK(shape_of(reshaping({N, d(16), d(5), d(5)}, {0, -1})) == "[N, 400]");
    CHECK(shape_of(reshaping({N, d(16), d(5), d(5)}, {0, 0, 25})) == "[N, 16, 25]");
    CHECK(shape_of(reshaping({N, d(6)}, {-1, 2})) == "[3N, 2]");
    CHECK(shape_of(reshaping({N, d(4)}, {2, -1})) == "[2, 2N]");
    CHECK(shape_of(reshaping({d(2), d(6)}, {3, -1})) == "[3, 4]");
    CHECK(shape_of(reshaping({d(1)}, {})) == "[]");
    CHECK(shape_of(reshaping({N, d(0)}, {0, 0})) == "[N, 0]");
    CHECK(shape_of(reshaping({d(3), d(0)}, {0, 3}, 14, {{"allowzero", std::int64_t{1}}})) == "[0, 3]");
}

TEST_CASE("a reshape that tears rows apart is found at load") {
    CHECK(load(reshaping({N, d(4)}, {2, -1})).row_mixer() == "r");
    CHECK(load(reshaping({N, d(4)}, {-1, 2})).row_mixer().empty());
}

TEST_CASE("Reshape refuses targets that do not fit for every N") {
    CHECK_THAT(complaint(reshaping({N, d(4)}, {1, 4})),
               Contains("expected the same number of elements, got [N, 4] reshaped to [1, 4]"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {-1, 3})), Contains("[N, 4] reshaped to [-1, 3]"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {-1, -1})), Contains("at most one -1"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {-2, 4})), Contains("[-2, 4]"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {0, 4, 0})), Contains("only where the input has an axis"));
    CHECK_THAT(complaint(reshaping({N, d(0)}, {-1, 0})), Contains("same number"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {std::int64_t{1} << 62, 4})), Contains("too large"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, ints(9, 1))), Contains("at most 8 numbers"));
    CHECK_THAT(complaint(reshaping({N, d(4)}, {0, 4}, 13, {{"allowzero", std::int64_t{0}}})), Contains("'allowzero'"));
}

TEST_CASE("Reshape to what only a run tells") {
    const auto g = load(model_file{13,
                                   {node("Reshape", {"x", "to"}, {"y"}, {}, "r")},
                                   {value("x", {N, d(4)}), value("to", fixed({2}), 7)},
                                   {undeclared("y")}});
    CHECK_FALSE(g.state().planned);
    const auto x = noise_tensor({3, 4}, 1);
    const auto to = [](std::int64_t a, std::int64_t b) { return fanfold::tensor::of<std::int64_t>({2}, {a, b}); };
    CHECK(run(g, {x, to(-1, 6)}, 3)[0].shape() == fanfold::shape{2, 6});
    CHECK(run(g, {x, to(0, 4)}, 3)[0].shape() == fanfold::shape{3, 4});
    CHECK_THAT(text_of([&] {
                   (void)run(g, {x, to(5, -1)}, 3);
               }),
               Contains("node 'r' (Reshape)") && Contains("[3, 4] reshaped to [5, -1]"));
}

TEST_CASE("Flatten makes a matrix") {
    const auto flat = [](std::vector<attribute> attributes, std::vector<dim> from = {N, d(2), d(3)}) {
        return shape_of({13, {node("Flatten", {"x"}, {"y"}, attributes)}, {value("x", from)}, {undeclared("y")}});
    };
    CHECK(flat({}) == "[N, 6]");
    CHECK(flat({{"axis", std::int64_t{2}}}) == "[2N, 3]");
    CHECK(flat({{"axis", std::int64_t{3}}}) == "[6N, 1]");
    CHECK(flat({{"axis", std::int64_t{0}}}) == "[1, 6N]");
    CHECK(flat({{"axis", std::int64_t{-1}}}) == "[2N, 3]");
    CHECK_THROWS_WITH(flat({{"axis", std::int64_t{4}}}), Contains("an axis in [-3, 3), got 4"));
}

TEST_CASE("reshaped answers hold the same elements, an input or not") {
    const auto x = noise_tensor({6, 2, 3}, 1);
    for (const char* first : {"Identity", "Relu"}) {
        const auto g = load(
            model_file{14,
                       {node(first, {"x"}, {"h"}), node("Identity", {"h"}, {"i"}), node("Reshape", {"i", "to"}, {"y"})},
                       {value("x", {N, d(2), d(3)})},
                       {value("y", {dim(std::string("rows of it")), d(3)})},
                       {tensor("to", {-1, 3})}});
        const auto y = run(g, {x}, 6);
        CHECK(y[0].shape() == fanfold::shape{12, 3});
        std::vector<double> expected;
        for (const float v : x.as<float>().flat())
            expected.push_back(first[0] == 'R' ? std::max(static_cast<double>(v), 0.0) : static_cast<double>(v));
        CHECK(difference(y[0], expected) == 0);
    }
}

TEST_CASE("an optional tensor is there, or left out") {
    const auto g =
        load(model_file{18,
                        {node("OptionalHasElement", {"x"}, {"there"}), node("OptionalHasElement", {""}, {"gone"}),
                         node("OptionalGetElement", {"x"}, {"y"})},
                        {value("x", {N})},
                        {value("there", fixed({}), 9), value("gone", fixed({}), 9), value("y", {N})}});
    const auto y = run(g, {fanfold::tensor::of<float>({2}, {3, 4})}, 2);
    CHECK(y[0].as<bool>().data()[0]);
    CHECK_FALSE(y[1].as<bool>().data()[0]);
    CHECK(difference(y[2], {3, 4}) == 0);
}
