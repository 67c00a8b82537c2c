// tests/onnx/operators/sequences.cpp - lists of tensors and optional values, resolved at load.
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

TEST_CASE("A sequence that a graph takes or answers is that many tensors, in its place among the others") {
    const model_file m{17,
                       {node("SequenceInsert", {"q", "x", "first"}, {"z"}), node("Neg", {"x"}, {"n"}),
                        node("SequenceAt", {"q", "last"}, {"l"})},
                       {value("x", {N, d(4)}), sequence_of(value("q", {N, d(2)}))},
                       {undeclared("n"), sequence_of(value("z", {N, dim(std::string("K"))})), undeclared("l")},
                       {at("first", 0), at("last", -1)}};
    CHECK(complaint(m) ==
          "model in memory: input 'q': expected load_options::dims to say how many elements the sequence "
          "has, got no number for 'q'");
    const fanfold::graph two = load(m, {.dims = {{"q", 2}}});
    CHECK(input_names(two) == "x q[0] q[1]");
    CHECK(output_names(two) == "n z[0] z[1] z[2] l");
    CHECK(output_type(two, 2) == "float32 [N, 2]");
    CHECK(two.row_mixer().empty());
    const auto y =
        run(two,
            {x, fanfold::tensor::of<float>({2, 2}, {1, 2, 3, 4}), fanfold::tensor::of<float>({2, 2}, {5, 6, 7, 8})}, 2);
    REQUIRE(y.size() == 5);
    CHECK(difference(y[0], {-1, -2, -3, -4, -5, -6, -7, -8}) == 0);
    CHECK(difference(y[1], {1, 2, 3, 4, 5, 6, 7, 8}) == 0);
    CHECK(difference(y[2], {1, 2, 3, 4}) == 0);
    CHECK(difference(y[3], {5, 6, 7, 8}) == 0);
    CHECK(difference(y[4], {5, 6, 7, 8}) == 0);
    CHECK_THAT(complaint(m, {.dims = {{"q", 0}}}), Contains("a sequence of 1 or more, got an empty one"));
    CHECK_THAT(complaint(m, {.dims = {{"q", -1}}}), Contains("input 'q': expected load_options::dims to say how many"));
    CHECK_THAT(complaint(m, {.dims = {{"q", 1}, {"x", 1}}}), Contains("names of input dimensions, got 'x'"));
}

TEST_CASE("Elements of a sequence count rows where a tensor names them; else their extents may differ") {
    const auto taken = [](std::vector<std::string> inputs) {
        return load(
            model_file{17, {node("Identity", {"q"}, {"y"})}, std::move(inputs), {sequence_of(value("y", {N, d(2)}))}},
            {.dims = {{"q", 2}}});
    };
    const std::string q = sequence_of(value("q", {N, d(2)}));
    CHECK(output_type(taken({value("x", {N}), q}), 1) == "float32 [N, 2]");
    CHECK(output_type(taken({q, value("x", {N})}), 1) == "float32 [N, 2]");
    CHECK(output_type(taken({value("x", {dim(std::string("M"))}), q}), 1) == "float32 [?, 2]");
    const fanfold::graph alone = taken({q});
    CHECK(output_type(alone, 1) == "float32 [?, 2]");
    const auto y =
        run(alone, {fanfold::tensor::of<float>({1, 2}, {1, 2}), fanfold::tensor::of<float>({2, 2}, {3, 4, 5, 6})}, 1);
    CHECK(y[0].shape() == fanfold::shape{1, 2});
    CHECK(difference(y[1], {3, 4, 5, 6}) == 0);
    const fanfold::graph half = load(model_file{17,
                                                {node("Identity", {"q"}, {"y"})},
                                                {sequence_of(value("q", {d(2)}, 10))},
                                                {sequence_of(value("y", {d(2)}, 10))}},
                                     {.dims = {{"q", 1}}});
    CHECK(output_type(half) == "float16 [2]");
}

TEST_CASE("Elements of a sequence keep the data type that the file declares, through bodies and branches, too") {
    const auto rounded = [](std::vector<std::string> nodes) {
        nodes.push_back(node("CastLike", {"x", "e"}, {"y"}));
        const auto g = load(model_file{17,
                                       std::move(nodes),
                                       {value("x", {N}), sequence_of(value("q", {N}, 10)), value("h", {d(1)}, 10),
                                        value("c", std::vector<dim>{}, 9)},
                                       {undeclared("y")},
                                       {at("i", 0), tensor("yes", ints{}, std::vector<std::uint8_t>{1}, 9)}},
                            {.dims = {{"q", 1}}});
        const fanfold::tensor half(fanfold::element::float16, {1});
        return run(g, {fanfold::tensor::of<float>({1}, {0.1F}), half, half, fanfold::tensor::of<bool>({}, {true})},
                   1)[0]
            .as<float>()(0);
    };
    const float nearest = 0.0999755859375F;
    const std::string first = node("SequenceAt", {"s", "i"}, {"e"});
    const attribute axis0{"axis", std::int64_t{0}};
    CHECK(rounded({node("SequenceAt", {"q", "i"}, {"e"})}) == nearest);
    CHECK(rounded({node("SequenceConstruct", {"h"}, {"s"}), first}) == nearest);
    CHECK(rounded({node("SequenceEmpty", {}, {"r"}), node("SequenceInsert", {"r", "h"}, {"s"}), first}) == nearest);
    CHECK(rounded({node("Neg", {"x"}, {"n"}), node("SequenceEmpty", {}, {"r"}, {{"dtype", std::int64_t{10}}}),
                   node("SequenceInsert", {"r", "n"}, {"s"}), first}) == nearest);
    CHECK(rounded({node("SequenceInsert", {"q", "h"}, {"r"}), node("SequenceErase", {"r"}, {"s"}), first}) == nearest);
    CHECK(rounded({node("SplitToSequence", {"h"}, {"s"}, {axis0}),
                   node("ConcatFromSequence", {"s"}, {"e"}, {axis0})}) == nearest);
    CHECK(rounded({node("Optional", {"q"}, {"o"}), node("OptionalGetElement", {"o"}, {"s"}), first}) == nearest);
    CHECK(rounded({node("SequenceMap", {"q"}, {"s"},
                        {inner("body", {node("CastLike", {"x", "a"}, {"b"})}, {undeclared("a")}, {undeclared("b")})}),
                   first}) == nearest);
    CHECK(rounded({node("SequenceMap", {"q"}, {"s"}, {inner("body", {}, {undeclared("a")}, {undeclared("a")})}),
                   first}) == nearest);
    for (const char* condition : {"yes", "c"}) {
        const auto either = [&](const texts& answer, const char* made) {
            return node("If", {condition}, {made},
                        {inner("then_branch", {}, {}, {undeclared(answer[0])}),
                         inner("else_branch", {}, {}, {undeclared(answer[1])})});
        };
        CHECK(rounded({either({"h", "h"}, "e")}) == nearest);
        CHECK(rounded({either({"q", "q"}, "s"), first}) == nearest);
    }
}

TEST_CASE("What is declared of a sequence, its name and its elements is checked") {
    const auto said = [](const std::string& output, const fanfold::onnx::load_options& options = {},
                         std::vector<std::string> inputs = {value("x", {N, d(4)})}) {
        return complaint(model_file{17,
                                    {node("SequenceConstruct", {"x", "x"}, {"y"})},
                                    std::move(inputs),
                                    {output, undeclared("y[1]")},
                                    {at("y[1]", 3)}},
                         options);
    };
    CHECK_THAT(said(value("y", {N, d(4)})), Contains("output 'y': expected a tensor as declared, got a sequence of 2"));
    CHECK_THAT(said(sequence_of(value("y", {N, d(3)}))), Contains("output 'y': expected float32 (1) ['N', 3] as decl"));
    CHECK_THAT(said(sequence_of(value("x", {N, d(4)}))),
               Contains("output 'x': expected a sequence as declared, got a"));
    CHECK_THAT(said(undeclared("y")), Contains("expected one output 'y[1]', got two"));
    CHECK_THAT(complaint(model_file{17,
                                    {node("SequenceConstruct", {"x"}, {"y"}), node("Neg", {"x"}, {"y[0]"})},
                                    {value("x", {N})},
                                    {undeclared("y"), undeclared("y[0]")}}),
               Contains("expected one output 'y[0]', got two"));
    CHECK_THAT(said(undeclared("y"), {.dims = {{"N", 2}}}, {value("x", {d(1), d(4)}), sequence_of(value("N", {N}))}),
               Contains("expected one meaning of a name in load_options::dims, got 'N'"));
    CHECK_THAT(said(undeclared("y"), {.dims = {{"q", 2}}},
                    {value("x", {N}), sequence_of(value("q", {N})), value("q[1]", {N})}),
               Contains("expected one input 'q[1]', got two"));
    CHECK_THAT(
        said(undeclared("y"), {.dims = {{"q", 2}}}, {value("x", {N}), sequence_of(sequence_of(value("q", {N})))}),
        Contains("input 'q': expected a tensor, got another type"));
    CHECK_THAT(complaint(model_file{17, {node("SequenceEmpty", {}, {"y"})}, {value("x", {N})}, {undeclared("y")}}),
               Contains("at least one output"));
}

TEST_CASE("An optional value that is there is its tensor or its sequence; one that is absent can be asked for that") {
    const model_file m{
        18,
        {node("OptionalHasElement", {"o"}, {"has"}), node("Not", {"has"}, {"not"}), node("Identity", {"o"}, {"same"}),
         node("If", {"has"}, {"y"},
              {inner("then_branch", {node("OptionalGetElement", {"same"}, {"t"})}, {}, {undeclared("t")}),
               inner("else_branch", {node("Neg", {"x"}, {"e"})}, {}, {undeclared("e")})})},
        {value("x", {N, d(4)}), optional_of(value("o", {N, d(2)}))},
        {undeclared("y"), undeclared("not"), optional_of(value("same", {N, d(2)}))}};
    CHECK_THAT(complaint(m), Contains("input 'o': expected load_options::dims to say whether the optional tensor is"));
    const fanfold::graph without = load(m, {.dims = {{"o", 0}}}), with = load(m, {.dims = {{"o", 1}}});
    CHECK(input_names(without) == "x");
    CHECK(output_names(without) == "y not");
    CHECK(output_type(without) == "float32 [N, 4]");
    CHECK(run(without, {x}, 2)[1].as<bool>()() == true);
    CHECK(input_names(with) == "x o");
    CHECK(output_names(with) == "y not same");
    CHECK(output_type(with) == "float32 [N, 2]");
    const auto y = run(with, {x, fanfold::tensor::of<float>({2, 2}, {1, 2, 3, 4})}, 2);
    CHECK(difference(y[0], {1, 2, 3, 4}) == 0);
    CHECK(y[1].as<bool>()() == false);

    const fanfold::graph made = load(model_file{
        18,
        {node("SequenceConstruct", {"x", "x"}, {"q"}), node("Optional", {"q"}, {"o"}), node("Optional", {}, {"none"}),
         node("OptionalGetElement", {"o"}, {"y"}), node("OptionalHasElement", {"o"}, {"a"}),
         node("OptionalHasElement", {"none"}, {"b"}), node("OptionalHasElement", {}, {"c"}),
         node("OptionalHasElement", {"x"}, {"d"}), node("OptionalGetElement", {"x"}, {"z"})},
        {value("x", {N, d(4)})},
        {undeclared("y"), undeclared("a"), undeclared("b"), undeclared("c"), undeclared("d"), undeclared("z")}});
    CHECK(output_names(made) == "y[0] y[1] a b c d z");
    const auto all = run(made, {x}, 2);
    CHECK(all[2].as<bool>()() == true);
    CHECK(all[3].as<bool>()() == false);
    CHECK(all[4].as<bool>()() == false);
    CHECK(all[5].as<bool>()() == true);
}

TEST_CASE("An optional sequence may be absent, or there and empty") {
    const auto taken = [](std::int64_t count) {
        return load(model_file{18,
                               {node("OptionalHasElement", {"o"}, {"has"}), node("Identity", {"o"}, {"y"})},
                               {optional_of(sequence_of(value("o", {d(2)})))},
                               {undeclared("has"), optional_of(sequence_of(value("y", {d(2)})))}},
                    {.dims = {{"o", count}}});
    };
    CHECK(run(taken(-1), {}, 1)[0].as<bool>()() == false);
    CHECK(run(taken(0), {}, 1)[0].as<bool>()() == true);
    CHECK(output_names(taken(-1)) == "has");
    CHECK(output_names(taken(2)) == "has y[0] y[1]");
}

TEST_CASE("What is absent is refused where something is read, and where a tensor is declared") {
    CHECK_THAT(refused({node("Optional", {}, {"o"}), node("Neg", {"o"}, {"y"})}),
               Contains("expected input 0 to be a tensor, got an optional value that is absent"));
    CHECK_THAT(refused({node("Optional", {}, {"o"}), node("OptionalGetElement", {"o"}, {"y"})}),
               Contains("expected an optional value that is there, got an absent one"));
    CHECK_THAT(refused({node("Optional", {}, {"o"}), node("SequenceAt", {"o", "i"}, {"y"})}, {at("i", 0)}),
               Contains("expected input 0 to be a tensor, got an optional value that is absent"));
    CHECK_THAT(refused({node("Optional", {}, {"o"}), node("SequenceConstruct", {"x", "o"}, {"y"})}),
               Contains("got an optional value that is absent"));
    CHECK_THAT(complaint(model_file{18, {node("Optional", {}, {"o"})}, {value("x", {N})}, {value("o", {N})}}),
               Contains("output 'o': expected a tensor as declared, got an optional value that is absent"));
}

TEST_CASE("SequenceMap runs its body for each element, with tensors that are the same each time") {
    const auto mapped = [](const texts& inputs, std::int64_t count, const texts& body_inputs) {
        return model_file{
            17,
            {node("SequenceMap", inputs, {"y", "s"},
                  {inner("body",
                         {node("Sub", {"a", "b"}, {"c"}), node("Mul", {"c", "x"}, {"m"}), node("Shape", {"a"}, {"n"})},
                         body_inputs, {undeclared("m"), undeclared("n")})},
                  "map")},
            {value("x", {N, d(2)}), sequence_of(value("q", {N, d(2)})), value("k", std::vector<dim>{d(count)})},
            {sequence_of(value("y", {N, d(2)})), sequence_of(value("s", {d(2)}, 7))}};
    };
    const std::vector<std::string> two{undeclared("a"), undeclared("b")};
    const fanfold::graph g = load(mapped({"q", "x"}, 1, two), {.dims = {{"q", 3}}});
    CHECK(output_names(g) == "y[0] y[1] y[2] s[0] s[1] s[2]");
    CHECK(g.row_mixer().empty());
    const auto row = [](float a, float b) { return fanfold::tensor::of<float>({1, 2}, {a, b}); };
    const auto y = run(g, {row(2, 3), row(10, 20), row(30, 40), row(50, 60), fanfold::tensor::of<float>({1}, {0})}, 1);
    CHECK(difference(y[0], {16, 51}) == 0);
    CHECK(difference(y[2], {96, 171}) == 0);
    CHECK(y[5].as<std::int64_t>()(1) == 2);
    const fanfold::graph pairs = load(mapped({"q", "q"}, 1, two), {.dims = {{"q", 1}}});
    CHECK(difference(run(pairs, {row(2, 3), row(10, 20), fanfold::tensor::of<float>({1}, {0})}, 1)[0], {0, 0}) == 0);
    CHECK_THAT(complaint(mapped({"x", "q"}, 1, two), {.dims = {{"q", 1}}}),
               Contains("expected a sequence, got float32"));
    CHECK_THAT(complaint(mapped({"q", "x"}, 1, {undeclared("a")}), {.dims = {{"q", 1}}}),
               Contains("node 'map' (SequenceMap, opset 17): attribute 'body': expected a graph of 2 inputs, got 1"));
    CHECK_THAT(refused({node("SequenceConstruct", {"x"}, {"q"}), node("SequenceConstruct", {"x", "x"}, {"r"}),
                        node("SequenceMap", {"q", "r"}, {"y"}, {inner("body", {}, two, {undeclared("a")})})}),
               Contains("expected input 1 to be a sequence of 1 or a tensor, got a sequence of 2"));
    CHECK_THAT(
        refused({node("SequenceConstruct", {"x"}, {"q"}), node("SequenceMap", {"q"}, {"y"},
                                                               {inner("body", {node("SequenceConstruct", {"a"}, {"b"})},
                                                                      {undeclared("a")}, {undeclared("b")})})}),
        Contains("expected a body that answers tensors, got a sequence of 1"));
}

TEST_CASE("Short files that ask for many nodes, or for much memory, through SequenceMap are refused") {
    const auto nested = [](int levels) {
        std::vector<std::string> nodes{node("Neg", {"a"}, {"b"})};
        for (int level = 0; level < levels; ++level)
            nodes = {node("SequenceMap", {"q", "a"}, {"s"},
                          {inner("body", nodes, {undeclared("e"), undeclared("a")}, {undeclared("b")})}),
                     node("SequenceAt", {"s", "i"}, {"b"})};
        nodes.insert(nodes.begin(), node("Relu", {"x"}, {"a"}));
        return complaint(
            model_file{17, nodes, {value("x", {N}), sequence_of(value("q", {N}))}, {undeclared("b")}, {at("i", 0)}},
            {.dims = {{"q", 100}}});
    };
    CHECK(nested(1).empty());
    CHECK_THAT(nested(4), Contains("expected bodies of Loop and SequenceMap that come to at most 65536 nodes"));
    const model_file heavy{
        17,
        {node("SequenceMap", {"q"}, {"y"},
              {inner("body", {node("Expand", {"one", "size"}, {"b"})}, {undeclared("a")}, {undeclared("b")})})},
        {sequence_of(value("q", {N}))},
        {undeclared("y")},
        {tensor("one", {1}, {1}), tensor("size", {100000})}};
    CHECK(complaint(heavy, {.limits = {1000000}, .dims = {{"q", 2}}}).empty());
    CHECK_THAT(complaint(heavy, {.limits = {1000000}, .dims = {{"q", 3}}}),
               Contains("at most 1000000 bytes in all iterations"));
}
