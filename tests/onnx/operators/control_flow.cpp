// tests/onnx/operators/control_flow.cpp - If, Loop, Scan: known conditions, captures through several graphs.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/control_flow.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

fanfold::tensor truth(bool value) { return fanfold::tensor::of<bool>({}, {value}); }
fanfold::tensor trips(std::int64_t value) { return fanfold::tensor::of<std::int64_t>({}, {value}); }
std::string stored_flag(const char* name, bool value) {
    return tensor(name, ints{}, std::vector<std::uint8_t>{value}, 9);
}
const std::vector<std::string> y{undeclared("y")};
const std::string flag = value("c", std::vector<dim>{}, 9);

/// If c: x * 2, else the sums of x along axis 1. x and the constants stand outside.
model_file either(std::vector<std::string> inputs, std::vector<std::string> initializers) {
    initializers.push_back(tensor("two", {1}, {2}));
    initializers.push_back(tensor("axis", {1}));
    return {
        13,
        {node("If", {"c"}, {"y"},
              {inner("then_branch", {node("Mul", {"x", "two"}, {"t"})}, {}, {undeclared("t")}),
               inner("else_branch", {node("ReduceSum", {"x", "axis"}, {"e"}, {{"keepdims", std::int64_t{0}}}, "sums")},
                     {}, {undeclared("e")})},
              "if")},
        std::move(inputs),
        y,
        std::move(initializers)};
}

}  // namespace

TEST_CASE("If with a condition known at load leaves one branch, planned") {
    for (const bool first : {true, false}) {
        const auto g = load(either({value("x", {N, d(3)})}, {stored_flag("c", first)}));
        CHECK(g.state().planned);
        CHECK(g.state().steps.size() == 1);
        CHECK(output_type(g) == (first ? "float32 [N, 3]" : "float32 [N]"));
        CHECK(g.row_mixer().empty());
        const auto out = run(g, {fanfold::tensor::of<float>({1, 3}, {1, 2, 3})}, 1);
        CHECK(difference(out[0], first ? std::vector<double>{2, 4, 6} : std::vector<double>{6}) == 0);
    }
}

TEST_CASE("If with a condition of the run: branches of different rank") {
    const auto g = load(either({value("x", {N, d(3)}), flag}, {}));
    CHECK_FALSE(g.state().planned);
    CHECK(output_type(g) == "float32 [..]");
    const auto x = fanfold::tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(difference(run(g, {x, truth(true)}, 2)[0], {2, 4, 6, 8, 10, 12}) == 0);
    CHECK(difference(run(g, {x, truth(false)}, 2)[0], {6, 15}) == 0);
}

TEST_CASE("a branch within a branch sees the values two graphs around it") {
    const auto innermost =
        inner("then_branch", {node("Add", {"x", "h"}, {"i"}), node("Add", {"i", "k"}, {"j"})}, {}, {undeclared("j")});
    const auto other = inner("else_branch", {node("Identity", {"h"}, {"o"})}, {}, {undeclared("o")});
    const auto g = load(model_file{
        13,
        {node("Relu", {"x"}, {"h"}),
         node("If", {"c"}, {"y"},
              {inner("then_branch", {node("Neg", {"x"}, {"n"}), node("If", {"c2"}, {"m"}, {innermost, other})}, {},
                     {undeclared("m")}),
               inner("else_branch", {node("Neg", {"h"}, {"n"})}, {}, {undeclared("n")})})},
        {value("x", {N, d(2)}), flag, value("c2", std::vector<dim>{}, 9)},
        y,
        {tensor("k", {1}, {100})}});
    const auto x = fanfold::tensor::of<float>({1, 2}, {-1, 2});
    CHECK(difference(run(g, {x, truth(true), truth(true)}, 1)[0], {99, 104}) == 0);
    CHECK(difference(run(g, {x, truth(true), truth(false)}, 1)[0], {0, 2}) == 0);
    CHECK(difference(run(g, {x, truth(false), truth(true)}, 1)[0], {0, -2}) == 0);
}

TEST_CASE("sizes that a branch takes from around it are those of the run") {
    const auto g = load(
        model_file{13,
                   {node("Shape", {"x"}, {"s"}), node("Concat", {"x", "x"}, {"twice"}, {{"axis", std::int64_t{0}}}),
                    node("If", {"c"}, {"y"},
                         {inner("then_branch", {node("ConstantOfShape", {"s"}, {"z"})}, {}, {undeclared("z")}),
                          inner("else_branch", {node("Relu", {"twice"}, {"r"})}, {}, {undeclared("r")})})},
                   {value("x", {N, d(4)}), flag},
                   y});
    for (const std::int64_t rows : {1, 2, 3, 7}) {
        const auto x = noise_tensor({rows, 4}, 1);
        CHECK(run(g, {x, truth(true)}, 1)[0].shape() == fanfold::shape{rows, 4});
        CHECK(run(g, {x, truth(false)}, 1)[0].shape() == fanfold::shape{2 * rows, 4});
    }
}

TEST_CASE("Loop: carried values that grow, what it takes from around it, no iteration at all") {
    const auto body = inner(
        "body",
        {node("Concat", {"v", "x"}, {"v2"}, {{"axis", std::int64_t{0}}}), node("Identity", {"cond"}, {"cond2"}),
         node("Mul", {"x", "x"}, {"square"})},
        {value("i", std::vector<dim>{}, 7), value("cond", std::vector<dim>{}, 9), value("v", {dim(std::string())})},
        {undeclared("cond2"), undeclared("v2"), undeclared("square")});
    const auto g = load(model_file{13,
                                   {node("Loop", {"trips", "", "x"}, {"y", "squares"}, {body}, "loop")},
                                   {value("x", {N}), value("trips", std::vector<dim>{}, 7)},
                                   {undeclared("y"), undeclared("squares")}});
    const auto x = fanfold::tensor::of<float>({2}, {1, 3});
    const auto out = run(g, {x, trips(2)}, 2);
    CHECK(difference(out[0], {1, 3, 1, 3, 1, 3}) == 0);
    CHECK(out[1].shape() == fanfold::shape{2, 2});
    CHECK(difference(out[1], {1, 9, 1, 9}) == 0);
    CHECK(difference(run(g, {x, trips(0)}, 2)[0], {1, 3}) == 0);
    CHECK(g.row_mixer(fanfold::batch(fanfold::part(x), fanfold::part(trips(2), fanfold::shared_by_all_rows))) ==
          "loop");
}

TEST_CASE("Scan: running sums, forwards and backwards, and along axis 1") {
    const auto scanned = [](std::vector<attribute> more) {
        more.push_back(inner("body", {node("Add", {"s", "e"}, {"s2"}), node("Identity", {"s2"}, {"o"})},
                             {value("s", {d(2)}), value("e", {d(2)})}, {undeclared("s2"), undeclared("o")}));
        more.push_back({"num_scan_inputs", std::int64_t{1}});
        const auto g = load(model_file{13,
                                       {node("Scan", {"zero", "x"}, {"last", "y"}, more)},
                                       {value("x", {d(2), d(2)})},
                                       {undeclared("last"), undeclared("y")},
                                       {tensor("zero", {2}, {0, 0})}});
        return run(g, {fanfold::tensor::of<float>({2, 2}, {1, 2, 10, 20})}, 2);
    };
    CHECK(difference(scanned({})[1], {1, 2, 11, 22}) == 0);
    CHECK(difference(scanned({})[0], {11, 22}) == 0);
    CHECK(difference(scanned({{"scan_input_directions", ints{1}}})[1], {10, 20, 11, 22}) == 0);
    CHECK(difference(scanned({{"scan_output_directions", ints{1}}})[1], {11, 22, 1, 2}) == 0);
    CHECK(difference(scanned({{"scan_input_axes", ints{1}}, {"scan_output_axes", ints{1}}})[1], {1, 3, 10, 30}) == 0);
    CHECK_THAT(text_of([&] { (void)scanned({{"scan_input_axes", ints{1, 2}}}); }), Contains("'scan_input_axes'"));
}

TEST_CASE("Scan of opset 8 takes each element of a batch by itself") {
    const auto scanned = [](std::vector<attribute> more, const std::string& lengths) {
        more.push_back(inner(
            "body",
            {node("Mul", {"e", "factor"}, {"f"}), node("Add", {"s", "f"}, {"s2"}), node("Identity", {"s2"}, {"o"})},
            {value("s", {d(2)}), value("e", {d(2)})}, {undeclared("s2"), undeclared("o")}));
        more.push_back({"num_scan_inputs", std::int64_t{1}});
        const auto g =
            load(model_file{8,
                            {node("Scan", {lengths, "first", "x"}, {"last", "y"}, more)},
                            {value("first", {N, d(2)}), value("x", {N, d(3), d(2)}), value("factor", {d(1)})},
                            {undeclared("last"), undeclared("y")}});
        return run(g,
                   {fanfold::tensor::of<float>({2, 2}, {0, 0, 100, 200}),
                    fanfold::tensor::of<float>({2, 3, 2}, {1, 2, 10, 20, 3, 4, 5, 6, 50, 60, 7, 8}),
                    fanfold::tensor::of<float>({1}, {2})},
                   2);
    };
    const auto forwards = scanned({}, "");
    CHECK(forwards[1].shape() == fanfold::shape{2, 3, 2});
    CHECK(difference(forwards[0], {28, 52, 224, 348}) == 0);
    CHECK(difference(forwards[1], {2, 4, 22, 44, 28, 52, 110, 212, 210, 332, 224, 348}) == 0);
    const auto backwards = scanned({{"directions", ints{1}}}, "");
    CHECK(difference(backwards[0], {28, 52, 224, 348}) == 0);
    CHECK(difference(backwards[1], {6, 8, 26, 48, 28, 52, 114, 216, 214, 336, 224, 348}) == 0);
    CHECK_THAT(text_of([&] { (void)scanned({}, "factor"); }), Contains("'sequence_lens'"));
    CHECK_THAT(text_of([&] { (void)scanned({{"directions", ints{1, 0}}}, ""); }), Contains("'directions'"));
}

TEST_CASE("If whose branches answer sequences: as many elements in both, or a condition known at load") {
    const auto branches = [](std::vector<std::string> inputs, std::vector<std::string> initializers,
                             const std::vector<std::string>& otherwise) {
        return model_file{
            16,
            {node("If", {"c"}, {"q", "s"},
                  {inner("then_branch", {node("Neg", {"x"}, {"n"}), node("SequenceConstruct", {"n", "x"}, {"t"})}, {},
                         {undeclared("t"), undeclared("n")}),
                   inner("else_branch", {node("Abs", {"x"}, {"a"}), node("SequenceConstruct", otherwise, {"e"})}, {},
                         {undeclared("e"), undeclared("x")})},
                  "if")},
            std::move(inputs),
            {sequence_of(value("q", {N, d(2)})), undeclared("s")},
            std::move(initializers)};
    };
    const std::vector<std::string> run_time{value("x", {N, d(2)}), flag}, rows_alone{value("x", {N, d(2)})};
    const auto g = load(branches(run_time, {}, {"a", "a"}));
    CHECK(output_names(g) == "q[0] q[1] s");
    const auto x = fanfold::tensor::of<float>({1, 2}, {-1, 2});
    const auto first = run(g, {x, truth(true)}, 1), second = run(g, {x, truth(false)}, 1);
    CHECK(difference(first[0], {1, -2}) == 0);
    CHECK(difference(first[1], {-1, 2}) == 0);
    CHECK(difference(first[2], {1, -2}) == 0);
    CHECK(difference(second[0], {1, 2}) == 0);
    CHECK(difference(second[2], {-1, 2}) == 0);
    CHECK_THAT(complaint(branches(run_time, {}, {"a"})),
               Contains("node 'if' (If, opset 16): expected a condition known at load, or branches that answer alike, "
                        "got a sequence of 2 and a sequence of 1 for output 0"));
    CHECK(output_names(load(branches(rows_alone, {stored_flag("c", false)}, {"a"}))) == "q[0] s");
    CHECK(output_names(load(branches(rows_alone, {stored_flag("c", true)}, {"a"}))) == "q[0] q[1] s");
}

TEST_CASE("If whose branches both answer nothing is not run") {
    const auto nothing = [](const char* branch) {
        return inner(branch, {node("SequenceEmpty", {}, {"e"}), node("Optional", {}, {"o"})}, {},
                     {undeclared("e"), undeclared("o")});
    };
    const auto g = load(model_file{16,
                                   {node("If", {"c"}, {"q", "p"}, {nothing("then_branch"), nothing("else_branch")}),
                                    node("SequenceLength", {"q"}, {"y"}), node("OptionalHasElement", {"p"}, {"z"})},
                                   {value("x", {N, d(2)}), flag},
                                   {undeclared("y"), undeclared("z"), undeclared("x")}});
    CHECK(g.state().steps.empty());
    const auto out = run(g, {fanfold::tensor::of<float>({1, 2}, {1, 2}), truth(true)}, 1);
    CHECK(out[0].as<std::int64_t>()() == 0);
    CHECK(out[1].as<bool>()() == false);
}

TEST_CASE("Loop that carries a sequence becomes as many nodes as it has iterations") {
    // q grows by x * (iteration + 1) until the condition, where given; each iteration's product is stacked, too.
    const auto growing = [](const std::string& most, std::int64_t last, std::vector<std::string> initializers,
                            std::vector<std::string> inputs = {value("x", {N, d(2)})}) {
        initializers.push_back(tensor<float>("one", {}, {1}, 1));
        initializers.push_back(tensor<std::int64_t>("last", {}, {last}, 7));
        return model_file{
            16,
            {node("SequenceEmpty", {}, {"none"}),
             node("Loop", {most, "", "none", "x"}, {"q", "v", "stack"},
                  {inner("body",
                         {node("Cast", {"i"}, {"f"}, {{"to", std::int64_t{1}}}), node("Add", {"f", "one"}, {"g"}),
                          node("Mul", {"x", "g"}, {"m"}), node("SequenceInsert", {"s", "m"}, {"s2"}),
                          node("SequenceAt", {"s2", "i"}, {"same"}), node("Add", {"u", "same"}, {"u2"}),
                          node("Less", {"i", "last"}, {"c2"})},
                         {undeclared("i"), undeclared("c"), undeclared("s"), undeclared("u")},
                         {undeclared("c2"), undeclared("s2"), undeclared("u2"), undeclared("m")})},
                  "loop")},
            std::move(inputs),
            {sequence_of(value("q", {N, d(2)})), value("v", {N, d(2)}), undeclared("stack")},
            std::move(initializers)};
    };
    const auto three = tensor<std::int64_t>("trips", {}, {3}, 7);
    const auto x = fanfold::tensor::of<float>({1, 2}, {1, 10});
    for (const auto& g : {load(growing("trips", 100, {three})), load(growing("", 2, {}))}) {
        CHECK(g.state().planned);
        CHECK(output_names(g) == "q[0] q[1] q[2] v stack");
        CHECK(output_type(g, 4) == "float32 [3, N, 2]");
        const auto out = run(g, {x}, 1);
        CHECK(difference(out[2], {3, 30}) == 0);
        CHECK(difference(out[3], {7, 70}) == 0);
        CHECK(difference(out[4], {1, 10, 2, 20, 3, 30}) == 0);
    }
    CHECK_THAT(
        complaint(growing("trips", 100, {}, {value("x", {N, d(2)}), value("trips", std::vector<dim>{}, 7)})),
        Contains("node 'loop' (Loop, opset 16): expected a trip count known at load, as it carries a sequence or "
                 "an optional value, got int64 [] computed at run time"));
    CHECK_THAT(complaint(growing("trips", 100, {tensor<std::int64_t>("trips", {}, {0}, 7)})),
               Contains("expected 1 iteration or more for output 2, whose shape nothing else tells, got 0"));
    CHECK_THAT(complaint(growing("trips", 100, {tensor<std::int64_t>("trips", {2}, {1, 1}, 7)})),
               Contains("expected one integer, got int64 [2]"));
    CHECK_THAT(complaint(growing("trips", INT64_MAX, {tensor<std::int64_t>("trips", {}, {INT64_MAX}, 7)})),
               Contains("expected bodies of Loop and SequenceMap that come to at most 65536 nodes in all iterations"));
    CHECK_THAT(complaint(growing("trips", 100, {tensor<float>("trips", {}, {3}, 1)})),
               Contains("node 'loop' (Loop, opset 16): tensor holds float32, asked for int64"));
}

TEST_CASE("Loop that carries a sequence: the condition is known at load, what the body answers fits") {
    const auto looping = [](const std::string& condition, std::vector<std::string> nodes, const texts& answers,
                            const texts& names = {"q"}) {
        std::vector<std::string> outputs, declared;
        for (const std::string& name : answers) outputs.push_back(undeclared(name));
        for (const std::string& name : names) declared.push_back(undeclared(name));
        nodes.push_back(node("SequenceInsert", {"s", "x"}, {"s2"}));
        return complaint(
            model_file{16,
                       {node("SequenceConstruct", {"x"}, {"one"}),
                        node("Loop", {"trips", condition, "one"}, names,
                             {inner("body", nodes, {undeclared("i"), undeclared("c"), undeclared("s")}, outputs)})},
                       {value("x", {N, d(2)}), value("run", std::vector<dim>{}, 9)},
                       declared,
                       {tensor<std::int64_t>("trips", {}, {2}, 7), stored_flag("no", false)}});
    };
    CHECK(looping("", {}, {"c", "s2"}).empty());
    CHECK(looping("no", {}, {"c", "s2"}).empty());
    const char* const known = "expected a condition known at load, as it carries a sequence or an optional value";
    CHECK_THAT(looping("run", {}, {"c", "s2"}), Contains(known));
    CHECK_THAT(looping("", {}, {"run", "s2"}), Contains(known));
    CHECK_THAT(looping("", {}, {"s2", "s2"}), Contains("expected a condition, got a sequence of 2"));
    CHECK_THAT(looping("", {}, {"c"}), Contains("a body with the condition and 1 carried values, got 1 outputs"));
    CHECK_THAT(looping("", {}, {}), Contains("got 0 outputs"));
    CHECK_THAT(looping("", {}, {"c", "s2", "s2"}, {"q", "p"}), Contains("expected a tensor to stack, got a sequence"));
    CHECK_THAT(looping("", {}, {"i", "s2"}), Contains("expected one bool, got int64 []"));
}

TEST_CASE("Short files that ask for many values, or long lists, through Loop are refused") {
    const auto looping = [](const std::string& work, std::int64_t count, std::vector<std::string> first = {}) {
        first.push_back(node("SequenceConstruct", {"x"}, {"s0"}));
        first.push_back(node("Loop", {"trips", "", "s0"}, {"q"},
                             {inner("body", {work}, {undeclared("i"), undeclared("c"), undeclared("s")},
                                    {undeclared("c"), undeclared("s")})}));
        first.push_back(node("SequenceLength", {"q"}, {"y"}));
        return complaint(model_file{16,
                                    first,
                                    {value("x", {d(1000)})},
                                    {undeclared("y")},
                                    {tensor<std::int64_t>("trips", {}, {count}, 7)},
                                    3},
                         {.limits = {1000000}});
    };
    const char* const refused = "expected bodies of Loop and SequenceMap that take at most 1000000 bytes in all";
    texts pieces;
    for (int i = 0; i < 1000; ++i) pieces.push_back("p" + std::to_string(i));
    const std::string splits = node("Split", {"x"}, pieces);
    CHECK(looping(splits, 2).empty());
    CHECK_THAT(looping(splits, 10), Contains(refused));
    const std::string whole = node("SplitToSequence", {"x"}, {"pieces"});
    const std::string joins = node("ConcatFromSequence", {"pieces"}, {"u"}, {{"axis", std::int64_t{0}}});
    CHECK(looping(joins, 2, {whole}).empty());
    CHECK_THAT(looping(joins, 10, {whole}), Contains(refused));
    const std::string table =
        node("LabelEncoder", {"x"}, {"u"}, {{"keys_floats", floats(20000, 1.0F)}, {"values_int64s", ints(20000, 0)}},
             "it", "ai.onnx.ml");
    CHECK(looping(table, 1).empty());
    CHECK_THAT(looping(table, 10), Contains(refused));
    const std::string lengths = node("SequenceLength", {"s"}, {"u"});
    CHECK(looping(lengths, 1000).empty());
    CHECK_THAT(looping(lengths, 8000), Contains(refused));
}

TEST_CASE("Loop that carries a sequence stacks what somebody asked for") {
    const auto looping = [](std::int64_t count, const texts& names) {
        std::vector<std::string> declared;
        for (const std::string& name : names)
            if (!name.empty()) declared.push_back(undeclared(name));
        return model_file{16,
                          {node("SequenceConstruct", {"x"}, {"one"}),
                           node("Loop", {"trips", "", "one"}, names,
                                {inner("body", {}, {undeclared("i"), undeclared("c"), undeclared("s")},
                                       {undeclared("c"), undeclared("s"), undeclared("i"), undeclared("x")})})},
                          {value("x", {N})},
                          declared,
                          {tensor<std::int64_t>("trips", {}, {count}, 7)}};
    };
    const auto x = fanfold::tensor::of<float>({1}, {5});
    for (const texts& names : {texts{"q"}, texts{"q", ""}, texts{"q", "", ""}}) {
        const auto none = load(looping(0, names));
        CHECK(none.state().steps.empty());
        CHECK(difference(run(none, {x}, 1)[0], {5}) == 0);
    }
    const auto second = load(looping(2, {"q", "", "stack"}));
    CHECK(output_names(second) == "q[0] stack");
    CHECK(difference(run(second, {x}, 1)[1], {5, 5}) == 0);
    CHECK_THAT(complaint(looping(0, {"q", "", "stack"})), Contains("expected 1 iteration or more for output 2"));
}

TEST_CASE("A loop that the run counts, and a scan, answer tensors alone") {
    const auto body = inner("body", {node("SequenceConstruct", {"v"}, {"s"})},
                            {undeclared("i"), undeclared("c"), undeclared("v")}, {undeclared("c"), undeclared("s")});
    CHECK_THAT(complaint(model_file{13, {node("Loop", {"", "c", "x"}, {"y"}, {body})}, {flag, value("x", {N})}, y}),
               Contains("expected a body that answers tensors, got a sequence of 1"));
    const auto scanned = inner("body", {node("SequenceConstruct", {"v"}, {"s"})}, {undeclared("v")}, {undeclared("s")});
    CHECK_THAT(
        complaint(model_file{
            13, {node("Scan", {"x"}, {"y"}, {scanned, {"num_scan_inputs", std::int64_t{1}}})}, {value("x", {N})}, y}),
        Contains("expected a body that answers tensors, got a sequence of 1"));
}

TEST_CASE("graphs inside of nodes that do not fit are refused") {
    CHECK_THAT(complaint(model_file{13, {node("If", {"c"}, {"y"}, {}, "if")}, {flag}, y}),
               Contains("node 'if' (If, opset 13): expected attribute 'then_branch' with a graph, got none"));
    const auto missing = inner("then_branch", {node("Relu", {"nowhere"}, {"t"})}, {}, {undeclared("t")});
    CHECK_THAT(complaint(model_file{13, {node("If", {"c"}, {"y"}, {missing})}, {flag}, y}),
               Contains("'nowhere' to be defined"));
    const auto one_more = inner("body", {}, {value("i", std::vector<dim>{}, 7)}, {});
    CHECK_THAT(complaint(model_file{13, {node("Loop", {"", "c"}, {"y"}, {one_more})}, {flag}, y}),
               Contains("expected a graph of 2 inputs, got 1"));
    CHECK_THAT(complaint(model_file{13, {node("Loop", {"c"}, {"y"})}, {flag}, y}), Contains("2 inputs or more"));
    CHECK_THAT(complaint(model_file{13, {node("Scan", {"c"}, {"y"})}, {flag}, y}), Contains("'num_scan_inputs'"));
}

TEST_CASE("Scan stacks elements of one shape, not of one number of elements") {
    const auto g = load(
        model_file{13,
                   {node("Scan", {"s0", "x"}, {"", "y"},
                         {{"num_scan_inputs", std::int64_t{1}},
                          inner("body", {node("Reshape", {"e", "s"}, {"p"}), node("Gather", {"s", "turned"}, {"s2"})},
                                {value("s", fixed({2}), 7), value("e", fixed({6}))},
                                {undeclared("s2"), undeclared("p")}, {tensor("turned", ints{1, 0})})})},
                   {value("x", fixed({2, 6})), value("s0", fixed({2}), 7)},
                   {undeclared("y")}});
    fanfold::workspace space;
    const auto x = noise_tensor({2, 6}, 3), square = list({2, 3});
    const std::vector<fanfold::tensor_view> in{x, square};
    CHECK_THAT(text_of([&] { (void)g.run(in, space); }),
               Contains("stacked values of one shape, got [2, 3] and [3, 2]"));
}
