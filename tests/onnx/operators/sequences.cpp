// tests/onnx/operators/sequences.cpp - lists of tensors, resolved at load.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/sequences.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const auto x = fanfold::tensor::of<float>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});

/// A scalar.
std::string at(std::string_view name, std::int64_t value) { return tensor<std::int64_t>(name, {}, {value}, 7); }

std::vector<fanfold::tensor> answers(std::vector<std::string> nodes, std::vector<std::string> initializers = {},
                                     std::vector<std::string> outputs = {undeclared("y")}) {
    return run(
        load(model_file{17, std::move(nodes), {value("x", {N, d(4)})}, std::move(outputs), std::move(initializers)}),
        {x}, 2);
}
std::string refused(const std::vector<std::string>& nodes, const std::vector<std::string>& initializers = {}) {
    return text_of([&] { (void)answers(nodes, initializers); });
}

const attribute axis1{"axis", std::int64_t{1}};

}  // namespace

TEST_CASE("A sequence is put together, changed, asked for its length and elements, and joined") {
    const auto y = answers(
        {node("Neg", {"x"}, {"n"}), node("Abs", {"n"}, {"a"}), node("SequenceEmpty", {}, {"none"}),
         node("SequenceInsert", {"none", "n"}, {"one"}), node("SequenceInsert", {"one", "a", "first"}, {"two"}),  // a n
         node("SequenceConstruct", {"x", "n", "a"}, {"three"}),  // x n a
         node("SequenceErase", {"three", "last"}, {"fewer"}),    // x n
         node("SequenceErase", {"fewer"}, {"fewest"}),           // x
         node("Identity", {"two"}, {"same"}), node("SequenceAt", {"same", "last"}, {"y0"}),
         node("SequenceAt", {"two", "first"}, {"y1"}), node("SequenceLength", {"three"}, {"y2"}),
         node("ConcatFromSequence", {"two"}, {"y3"}, {axis1}),
         node("ConcatFromSequence", {"fewer"}, {"y4"}, {axis1, {"new_axis", std::int64_t{1}}}),
         node("ConcatFromSequence", {"fewest"}, {"y5"}, {axis1})},
        {at("first", 0), at("last", -1)},
        {undeclared("y0"), undeclared("y1"), undeclared("y2"), undeclared("y3"), undeclared("y4"), undeclared("y5")});
    CHECK(difference(y[0], {-1, -2, -3, -4, -5, -6, -7, -8}) == 0);
    CHECK(difference(y[1], {1, 2, 3, 4, 5, 6, 7, 8}) == 0);
    CHECK(y[2].as<std::int64_t>()() == 3);
    CHECK(difference(y[3], {1, 2, 3, 4, -1, -2, -3, -4, 5, 6, 7, 8, -5, -6, -7, -8}) == 0);
    CHECK(y[4].shape() == fanfold::shape{2, 2, 4});
    CHECK(difference(y[4], {1, 2, 3, 4, -1, -2, -3, -4, 5, 6, 7, 8, -5, -6, -7, -8}) == 0);
    CHECK(difference(y[5], {1, 2, 3, 4, 5, 6, 7, 8}) == 0);
}

TEST_CASE("SplitToSequence makes pieces of one element, of a length, or of several lengths") {
    const auto third = [](std::vector<std::string> split, const std::vector<attribute>& more = {}) {
        std::vector<attribute> attributes{axis1};
        attributes.insert(attributes.end(), more.begin(), more.end());
        std::vector<std::string> inputs{"x"};
        if (!split.empty()) inputs.emplace_back("s");
        split.push_back(at("last", -1));
        return answers({node("SplitToSequence", inputs, {"q"}, attributes), node("SequenceLength", {"q"}, {"n"}),
                        node("SequenceAt", {"q", "last"}, {"y"})},
                       split, {undeclared("y"), undeclared("n")});
    };
    const auto ones = third({});
    CHECK(ones[0].shape() == fanfold::shape{2, 1});
    CHECK(ones[1].as<std::int64_t>()() == 4);
    CHECK(third({}, {{"keepdims", std::int64_t{0}}})[0].shape() == fanfold::shape{2});
    const auto threes = third({at("s", 3)}, {{"keepdims", std::int64_t{0}}});
    CHECK(threes[1].as<std::int64_t>()() == 2);
    CHECK(threes[0].shape() == fanfold::shape{2, 1});
    const auto listed = third({tensor("s", {1, 1, 2})});
    CHECK(listed[1].as<std::int64_t>()() == 3);
    CHECK(difference(listed[0], {3, 4, 7, 8}) == 0);

    const fanfold::graph late = load(model_file{
        17,
        {node("SplitToSequence", {"x", "lengths"}, {"q"}, {axis1}), node("SequenceAt", {"q", "last"}, {"y"})},
        {value("x", {d(2), d(4)}), value("lengths", {d(2)}, 7)},
        {undeclared("y")},
        {at("last", -1)}});
    const auto y = run(late, {x, fanfold::tensor::of<std::int64_t>({2}, {3, 1})}, 2);
    CHECK(difference(y[0], {4, 8}) == 0);
}

TEST_CASE("A graph in a node sees a sequence around it; what it captures may be large constants") {
    const fanfold::graph model = load(model_file{
        17,
        {node("SequenceConstruct", {"x", "weights"}, {"q"}), node("SequenceAt", {"q", "second"}, {"w"}),
         node("MatMul", {"x", "w"}, {"m"}), node("ReduceSum", {"x"}, {"sum"}, {{"keepdims", std::int64_t{0}}}),
         node("Greater", {"sum", "nothing"}, {"c"}),
         node("If", {"c"}, {"y"},
              {inner("then_branch", {node("SequenceAt", {"q", "second"}, {"v"}), node("MatMul", {"m", "v"}, {"t"})}, {},
                     {undeclared("t")}),
               inner("else_branch", {node("Identity", {"x"}, {"e"})}, {}, {undeclared("e")})})},
        {value("x", {d(1), d(4)})},
        {undeclared("y")},
        {tensor("weights", {4, 4}, floats{2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2}), at("second", 1),
         tensor<float>("nothing", {}, {0}, 1)}});
    const auto y = run(model, {fanfold::tensor::of<float>({1, 4}, {1, 2, 3, 4})}, 1);
    CHECK(difference(y[0], {4, 8, 12, 16}) == 0);
}

TEST_CASE("Large weights that one node has packed are still there for others that find them in a sequence") {
    floats diagonal(std::size_t{256} * 256);
    for (std::size_t i = 0; i < 256; ++i) diagonal[i * 257] = 2;
    const fanfold::graph model =
        load(model_file{17,
                        {node("SequenceConstruct", {"x", "weights"}, {"q"}), node("SequenceAt", {"q", "second"}, {"w"}),
                         node("MatMul", {"x", "w"}, {"m"}), node("SequenceAt", {"q", "second"}, {"v"}),
                         node("MatMul", {"m", "v"}, {"y"})},
                        {value("x", {N, d(256)})},
                        {undeclared("y")},
                        {tensor("weights", {256, 256}, diagonal), at("second", 1)}});
    fanfold::tensor ones(fanfold::element::float32, {1, 256});
    for (float& one : ones.as<float>().flat()) one = 1;
    CHECK(difference(run(model, {ones}, 1)[0], std::vector<double>(256, 4)) == 0);
}

TEST_CASE("Sequences that depend on the rows, or stand where tensors do, are refused by name") {
    CHECK_THAT(refused({node("SplitToSequence", {"x"}, {"q"}), node("SequenceAt", {"q", "i"}, {"y"})}, {at("i", 0)}),
               Contains("expected an extent known at load in pieces of 1 or more, got N"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x", "x"}, {"q"}), node("Relu", {"q"}, {"y"})}),
               Contains("expected input 0 to be a tensor, got a sequence of 2"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x"}, {"y"})}),
               Contains("expected 'y' to be a tensor, got a sequence of 1"));
    CHECK_THAT(refused({node("SequenceAt", {"x", "i"}, {"y"})}, {at("i", 0)}), Contains("expected a sequence, got"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x"}, {"q"}), node("SequenceAt", {"q", "i"}, {"y"})}, {at("i", 1)}),
               Contains("expected one position in a sequence of 1, got 1"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x"}, {"q"}), node("SequenceAt", {"q", "i"}, {"y"})}, {at("i", -2)}),
               Contains("got -2"));
    CHECK_THAT(refused({node("SequenceEmpty", {}, {"q"}), node("ConcatFromSequence", {"q"}, {"y"}, {axis1})}),
               Contains("a sequence of 1 or more, got an empty one"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x"}, {"q"}), node("Size", {"x"}, {"i"}),
                        node("SequenceAt", {"q", "i"}, {"y"})}),
               Contains("known at load"));
}
