// tests/onnx/bad_input.cpp - damaged models: a clear refusal or a graph that runs, never a crash, a hang, or memory
// without bound. Also run with -fsanitize=address,undefined.
// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fanfold/onnx/load.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <optional>
#include <random>

#include "../catch.hpp"
#include "../sanitized.hpp"
#include "model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;
using fanfold_test::sanitized;

namespace {

constexpr std::size_t limit = std::size_t{64} << 20;

std::string lenet() {
    std::ifstream file(std::filesystem::path(FANFOLD_TEST_DATA) / "fmnist_lenet5.onnx", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct tally {
    std::size_t refused = 0, ran = 0, stopped = 0;
};

/// Loads; runs one row (or one static batch) when that works. Anything else than a refusal with a text fails the test.
void load_and_run(const std::string& bytes, tally& counts, const std::map<std::string, std::int64_t>& dims = {}) {
    std::optional<fanfold::graph> g;
    try {
        g = load(bytes, {.limits = {.bytes_per_value = limit}, .dims = dims});
    } catch (const fanfold::onnx::load_error& error) {
        ++counts.refused;
        const std::string text = error.what();
        if (!text.starts_with("model in memory: ") || text.size() < 40) FAIL("an unclear refusal: " << text);
        return;
    }
    const std::size_t rows = g->rows_per_call() != 0 ? g->rows_per_call() : 1;
    if (g->workspace_bytes(rows) > 16 * limit) {
        ++counts.stopped;
        return;
    }
    fanfold::workspace space;
    space.stop = fanfold::stop({}, std::chrono::steady_clock::now() + std::chrono::milliseconds(500));
    try {
        std::vector<fanfold::tensor> inputs;
        for (const std::size_t input : g->state().inputs) {
            const fanfold::value_type& type = g->state().values[input].type;
            std::vector<std::int64_t> extents;  // 1 where the model leaves them open
            for (std::size_t axis = 0; type.shape.ranked() && axis < type.shape.rank(); ++axis)
                extents.push_back(type.shape[axis].known() ? type.shape[axis].at(rows) : 1);
            inputs.emplace_back(type.type, fanfold::shape(std::span<const std::int64_t>(extents)));
        }
        const std::vector<fanfold::tensor_view> in(inputs.begin(), inputs.end());
        (void)g->run(in, space);
        ++counts.ran;
    } catch (const fanfold::stopped_error&) {
        ++counts.stopped;
    } catch (const std::invalid_argument& error) {  // what only a run can tell
        ++counts.stopped;
        if (std::string(error.what()).size() < 20) FAIL("an unclear refusal: " << error.what());
    }
}

}  // namespace

TEST_CASE("empty and garbage") {
    tally counts;
    load_and_run("", counts);
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        std::string bytes(random() % 300, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        load_and_run(bytes, counts);
    }
    CHECK(counts.refused == 2001);
}

TEST_CASE("LeNet-5 cut short anywhere is refused") {
    const std::string whole = lenet();
    REQUIRE(whole.size() == 248848);
    tally counts;
    for (std::size_t length = 0; length < 4096; ++length) load_and_run(whole.substr(0, length), counts);
    std::mt19937 random(2);
    for (int i = 0; i < 2000; ++i) load_and_run(whole.substr(0, 4096 + random() % (whole.size() - 4096)), counts);
    CHECK(counts.refused + counts.ran == 6096);
    CHECK(counts.ran <= 2);
}

TEST_CASE("LeNet-5 with one bit flipped is refused or runs") {
    std::string bytes = lenet();
    std::mt19937 random(3);
    tally counts;
    const auto flip = [&](std::size_t bit) { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8)); };
    constexpr std::size_t flips = sanitized ? 400 : 2000;
    for (std::size_t i = 0; i < flips; ++i) {
        const std::size_t bit = random() % (bytes.size() * 8);
        flip(bit);
        load_and_run(bytes, counts);
        flip(bit);
    }
    CHECK(counts.ran > flips / 10 * 9);  // most bits are weights
}

TEST_CASE("LeNet-5 with a bit flipped outside its weights is refused or runs") {
    // The first 1,800 bytes hold the nodes; what follows the initializers declares inputs and outputs.
    std::string bytes = lenet();
    std::mt19937 random(4);
    tally counts;
    const std::size_t last = bytes.size() - 120;
    constexpr int flips = sanitized ? 2000 : 4000;
    for (int i = 0; i < flips; ++i) {
        const std::size_t at = i % 8 == 0 ? last + random() % 120 : random() % 2600;
        const char before = bytes[at];
        bytes[at] = static_cast<char>(before ^ (1 << random() % 8));
        load_and_run(bytes, counts);
        bytes[at] = before;
    }
    CHECK(counts.refused > flips / 8);
    CHECK(counts.ran > flips / 8);
}

TEST_CASE("small models with every operator, one bit flipped, are refused or run") {
    const attribute axis{"axis", std::int64_t{1}};
    const std::vector<std::string> models{
        model_file{13,
                   {node("Conv", {"x", "w", "b"}, {"c"},
                         {{"pads", ints{1, 1, 1, 1}}, {"strides", ints{1, 2}}, {"group", std::int64_t{1}}}),
                    node("AveragePool", {"c"}, {"a"}, {{"kernel_shape", ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}),
                    node("Reshape", {"a", "to"}, {"r"}), node("Softmax", {"r"}, {"y"}, {axis})},
                   {value("x", {N, d(2), d(6), d(6)})},
                   {undeclared("y")},
                   {tensor("w", {3, 2, 3, 3}, noise(54, 1)), tensor("b", {3}, {1, 2, 3}), tensor("to", {0, -1})}}
            .bytes(),
        model_file{9,
                   {node("Flatten", {"x"}, {"f"}, {axis}),
                    node("Gemm", {"f", "w", "b"}, {"g"}, {{"alpha", 2.0F}, {"transB", std::int64_t{1}}}),
                    node("MatMul", {"g", "v"}, {"m"}), node("Sigmoid", {"m"}, {"s"}), node("Mul", {"s", "k"}, {"y"})},
                   {value("x", {N, d(2), d(3)}), value("v", fixed({4, 5}))},
                   {value("y", {N, d(5)})},
                   {tensor("w", {4, 6}, noise(24, 1)), tensor("b", {4}, {1, 2, 3, 4}), tensor("k", {5}, noise(5, 2))}}
            .bytes(),
        model_file{21,
                   {node("Constant", {}, {"c"}, {{"value_ints", ints{6, 3}}}), node("Div", {"i", "c"}, {"q"}),
                    node("Reshape", {"x", "q"}, {"r"}), node("GlobalAveragePool", {"r"}, {"p"}),
                    node("Identity", {"p"}, {"y"})},
                   {value("x", fixed({2, 3, 4}))},
                   {undeclared("y")},
                   {tensor("i", ints{12, 9, 8, 0}), tensor("unused", {2}, {1, 2})}}
            .bytes()};
    tally counts;
    for (const std::string& original : models)
        for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
            std::string bytes = original;
            bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
            load_and_run(bytes, counts);
        }
    CHECK(counts.refused > 1000);
    CHECK(counts.ran > 1000);
}

TEST_CASE("a model of sequences and optional values, one bit flipped or cut short, is refused or runs") {
    const attribute add =
        inner("body",
              {node("SequenceAt", {"q", "i"}, {"e"}), node("Add", {"e", "x"}, {"a"}),
               node("SequenceInsert", {"s", "a"}, {"s2"}), node("OptionalHasElement", {"p"}, {"has"}),
               node("If", {"has"}, {"t2"},
                    {inner("then_branch", {node("OptionalGetElement", {"p"}, {"g"})}, {}, {undeclared("g")}),
                     inner("else_branch", {node("Neg", {"a"}, {"n"})}, {}, {undeclared("n")})})},
              {undeclared("i"), undeclared("c"), undeclared("s"), undeclared("t")},
              {undeclared("c"), undeclared("s2"), undeclared("t2")});
    const attribute scale =
        inner("body", {node("Mul", {"u", "v"}, {"w"})}, {undeclared("u"), undeclared("v")}, {undeclared("w")});
    const std::string original = model_file{
        18,
        {node("SequenceLength", {"q"}, {"count"}), node("SequenceEmpty", {}, {"none"}), node("Optional", {}, {"p"}),
         node("Loop", {"count", "", "none", "x"}, {"y", "last"}, {add}),
         node("SequenceMap", {"y", "x"}, {"z"}, {scale}), node("Identity", {"o"}, {"same"})},
        {value("x", {N, d(2)}), sequence_of(value("q", {N, d(2)})), optional_of(sequence_of(value("o", {d(2)})))},
        {sequence_of(value("y", {N, d(2)})), undeclared("last"), sequence_of(value("z", {N, d(2)})),
         optional_of(sequence_of(value(
             "same", {d(2)})))}}.bytes();
    tally counts;
    const std::map<std::string, std::int64_t> dims{{"q", 3}, {"o", 1}};
    load_and_run(original, counts, dims);
    REQUIRE(counts.ran == 1);
    for (std::size_t bit = 0; bit < original.size() * 8; ++bit) {
        std::string bytes = original;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        load_and_run(bytes, counts, dims);
    }
    CHECK(counts.refused > 1000);
    CHECK(counts.ran > 1000);
    for (std::size_t length = 0; length < original.size(); ++length)
        load_and_run(original.substr(0, length), counts, dims);
}

TEST_CASE("huge declared sizes are refused without memory for them") {
    const auto complain = [](const model_file& m) {
        return complaint(m, {.limits = {.bytes_per_value = limit}, .dims = {}});
    };
    constexpr std::int64_t huge = std::int64_t{1} << 40;
    CHECK_THAT(complain({13, {node("Relu", {"x"}, {"y"})}, {value("x", {N, d(huge)})}, {undeclared("y")}}),
               Contains("input 'x' float32 [N, 1099511627776] takes more than 67108864 bytes a row"));
    CHECK_THAT(complain({13, {node("Relu", {"x"}, {"y"})}, {value("x", {N, d(huge), d(huge)})}, {undeclared("y")}}),
               Contains("63 bits"));
    CHECK_THAT(complain({13,
                         {node("Add", {"a", "b"}, {"c"}), node("Add", {"x", "c"}, {"y"})},
                         {value("x", {d(1)})},
                         {undeclared("y")},
                         {tensor("a", {1 << 13, 1}, floats(1 << 13)), tensor("b", {1, 1 << 13}, floats(1 << 13))}}),
               Contains("float32 [8192, 8192] takes more than"));
    CHECK_THAT(complain({13,
                         {node("Conv", {"x", "w"}, {"y"}, {{"pads", ints(4, std::int64_t{1} << 30)}})},
                         {value("x", {N, d(1), d(4), d(4)})},
                         {undeclared("y")},
                         {tensor("w", {1, 1, 1, 1}, {1})}}),
               Contains("node 'it' (Conv, opset 13)"));
    CHECK_THAT(complain({13,
                         {node("MaxPool", {"x"}, {"y"}, {{"kernel_shape", ints(2, huge)}})},
                         {value("x", {N, d(1), d(4), d(4)})},
                         {undeclared("y")}}),
               Contains("'kernel_shape': expected 2 numbers from 1 to 2^30, got 2 from 1099511627776"));
}

namespace {

/// GraphProto.
std::string body(const std::vector<std::string>& nodes, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs) {
    std::string out;
    protozero::pbf_writer w(out);
    for (const auto& n : nodes) w.add_message(1, n);
    for (const auto& v : inputs) w.add_message(11, v);
    for (const auto& v : outputs) w.add_message(12, v);
    return out;
}
attribute graph_attribute(const std::string& name, std::string graph) { return {name, std::move(graph), false, true}; }

/// An If in an If and so on, a Relu at the bottom.
model_file nested(int depth) {
    std::string inner = body({node("Relu", {"x"}, {"r"})}, {}, {undeclared("r")});
    std::string around;
    for (int level = 0; level < depth; ++level) {
        const std::string other = body({node("Neg", {"x"}, {"n"})}, {}, {undeclared("n")});
        around =
            node("If", {"c"}, {"y"}, {graph_attribute("then_branch", inner), graph_attribute("else_branch", other)});
        inner = body({around}, {}, {undeclared("y")});
    }
    return {16, {around}, {value("c", fixed({}), 9), value("x", {N, d(3)})}, {undeclared("y")}};
}

/// A Loop without a bound whose condition stays true; its value x is given or a constant.
model_file endless(const std::vector<std::string>& inputs, const std::vector<std::string>& constants) {
    std::vector<std::string> initializers{tensor<std::uint8_t>("c", {}, {1}, 9)};
    initializers.insert(initializers.end(), constants.begin(), constants.end());
    const attribute again = graph_attribute(
        "body", body({node("Identity", {"on"}, {"next"}), node("Relu", {"v"}, {"w"}), node("Neg", {"v"}, {"s"})},
                     {value("i", fixed({}), 7), value("on", fixed({}), 9), value("v", fixed({1 << 16}))},
                     {undeclared("next"), undeclared("w"), undeclared("s")}));
    return {16,
            {node("Loop", {"", "c", "x"}, {"y", "z"}, {again})},
            inputs,
            {undeclared("y"), undeclared("z")},
            std::move(initializers)};
}

}  // namespace

TEST_CASE("weights of no rows and very many columns are refused in time") {
    const std::int64_t huge = std::int64_t{1} << 40;
    CHECK_THAT(complaint({13,
                          {node("MatMul", {"x", "w"}, {"y"})},
                          {value("x", {N, d(0)})},
                          {undeclared("y")},
                          {tensor("w", {0, huge}, {})}}),
               Contains("takes more than"));
}

TEST_CASE("weights with more axes than a convolution has are refused, also for images of any rank") {
    const auto complain = [](const char* op) {
        return complaint({11,
                          {node(op, {"x", "w"}, {"y"}, {{"auto_pad", "SAME_UPPER"}})},
                          {value("x", nullptr)},
                          {undeclared("y")},
                          {tensor("w", {1, 1, 1, 1, 1, 1, 1, 1}, {1})}});
    };
    CHECK_THAT(complain("ConvTranspose"), Contains("images of rank 3 to 5"));
    CHECK_THAT(complain("Conv"), Contains("rank"));
}

TEST_CASE("graphs nested deep are refused, in time and without the stack for them") {
    CHECK(complaint(nested(12)).empty());
    CHECK_THAT(complaint(nested(13)), Contains("expected graphs in graphs at most 12 deep"));
    CHECK_THAT(complaint(nested(3000)), Contains("expected graphs in graphs at most 12 deep"));
}

TEST_CASE("a loop without an end is not run while it is loaded") {
    const std::string x = tensor("x", {1 << 16}, floats(1 << 16));
    CHECK(load(endless({}, {x})).state().steps.size() == 1);
    const attribute once = graph_attribute("then_branch", body(endless({}, {}).nodes, {}, {undeclared("y")}));
    const attribute never = graph_attribute("else_branch", body({node("Neg", {"x"}, {"n"})}, {}, {undeclared("n")}));
    const model_file hidden{16,
                            {node("If", {"c"}, {"y"}, {once, never})},
                            {},
                            {undeclared("y")},
                            {x, tensor<std::uint8_t>("c", {}, {1}, 9)}};
    CHECK(load(hidden).state().steps.size() == 1);
}

TEST_CASE("what a loop stacks stays within the limit of a value") {
    const auto g = load(endless({value("x", fixed({1 << 16}))}, {}), {.limits = {.bytes_per_value = 1 << 20}});
    const fanfold::tensor x(fanfold::element::float32, {1 << 16});
    const std::vector<fanfold::tensor_view> in{x};
    fanfold::workspace space;
    CHECK_THAT(text_of([&] { (void)g.run(in, space); }), Contains("expected stacked values of at most 1048576 bytes"));
}

TEST_CASE("a chain of very many nodes becomes one step") {
    model_file m{13, {}, {value("x", {N})}, {undeclared("v0")}};
    for (int i = 0; i < 20000; ++i)
        m.nodes.push_back(
            node("Relu", {i == 0 ? "x" : "v" + std::to_string(i - 1)}, {"v" + std::to_string(i)}, {}, ""));
    CHECK(load(m).state().steps.size() == 1);
}

namespace {

/// "" when it runs on zeros of these types with a stop within seconds, else the text of what was thrown.
std::string run_complaint(const fanfold::graph& g) {
    std::vector<fanfold::tensor> inputs;
    for (const std::size_t input : g.state().inputs) {
        const fanfold::value_type& type = g.state().values[input].type;
        inputs.emplace_back(type.type, type.shape.at(1));
    }
    const std::vector<fanfold::tensor_view> views(inputs.begin(), inputs.end());
    fanfold::workspace space;
    space.stop = fanfold::stop({}, std::chrono::steady_clock::now() + std::chrono::milliseconds(300));
    space.tiles = fanfold::tile_loop(space.stop);
    return text_of([&] { (void)g.run(views, space); });
}
std::string run_complaint(const model_file& m) { return run_complaint(load(m)); }

/// Nodes that make a tensor of these extents, all alike.
std::vector<std::string> filled(const std::string& name, const ints& extents) {
    return {node("Constant", {}, {name + " extents"}, {{"value_ints", extents}}),
            node("ConstantOfShape", {name + " extents"}, {name})};
}
model_file with_filled(std::int64_t opset, std::vector<std::pair<std::string, ints>> constants, std::string last,
                       std::vector<std::string> inputs, std::vector<std::string> initializers = {}) {
    model_file m{opset, {}, std::move(inputs), {undeclared("y")}, std::move(initializers)};
    for (const auto& [name, extents] : constants)
        for (std::string& one : filled(name, extents)) m.nodes.push_back(std::move(one));
    m.nodes.push_back(std::move(last));
    return m;
}

constexpr std::int64_t huge = std::int64_t{1} << 40, largest = INT64_MAX, smallest = INT64_MIN;

}  // namespace

TEST_CASE("numbers at the ends of 64 bits are refused, or mean what they say, without an overflow") {
    const auto far = [&](const char* op, const ints& weights) {
        return complaint({19,
                          {node(op, {"x", "w"}, {"y"}, {{"auto_pad", "SAME_UPPER"}, {"dilations", ints{1 << 30, 1}}})},
                          {value("x", fixed({0, 1, 5, 5}))},
                          {undeclared("y")},
                          {tensor("w", weights, {})}});
    };
    CHECK_THAT(far("Conv", {0, 1, huge, 1}), Contains("too large"));
    const std::string x = value("x", fixed({10, 10}));
    const auto sliced = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
        return run_complaint({13,
                              {node("Slice", {"x", "s", "e", "a", "t"}, {"y"})},
                              {x},
                              {undeclared("y")},
                              {tensor("s", {start}), tensor("e", {end}), tensor("a", {0}), tensor("t", {step})}});
    };
    CHECK(sliced(0, largest, std::int64_t{1} << 62).empty());
    CHECK(sliced(9, smallest, smallest).empty());
    CHECK_THAT(complaint({13,
                          {node("Split", {"x"}, {"y", "z"}, {{"axis", 1}})},
                          {value("x", fixed({0, largest}))},
                          {undeclared("y")}}),
               Contains("") && !Contains("negative"));
    CHECK_THAT(run_complaint({13,
                              {node("Pad", {"x", "p"}, {"y"})},
                              {value("x", fixed({3}))},
                              {undeclared("y")},
                              {tensor("p", {smallest, largest})}}),
               Contains("-9223372036854775808 elements before axis 0"));
    CHECK_THAT(complaint({13,
                          {node("GatherND", {"x", "i"}, {"y"}, {{"batch_dims", largest}})},
                          {value("x", fixed({3})), value("i", fixed({3, 1}), 7)},
                          {undeclared("y")}}),
               Contains("tuples for the axes of"));
    CHECK(complaint({17,
                     {node("MelWeightMatrix", {"b", "l", "r", "lo", "hi"}, {"y"})},
                     {value("hi", fixed({}))},
                     {undeclared("y")},
                     {tensor<std::int64_t>("b", {}, {8}, 7), tensor<std::int64_t>("l", {}, {1000}, 7),
                      tensor<std::int64_t>("r", {}, {0}, 7), tensor("lo", {}, {0})}})
              .empty());
}

TEST_CASE("more axes than a tensor has are refused") {
    ints axes;
    for (std::int64_t axis = 0; axis < 20; ++axis) axes.push_back(axis);
    CHECK_THAT(
        complaint(
            {11, {node("Unsqueeze", {"x"}, {"y"}, {{"axes", axes}})}, {value("x", fixed({}))}, {undeclared("y")}}),
        Contains("expected at most 8 axes, got 20"));
    CHECK_THAT(complaint({13,
                          {node("Unsqueeze", {"x", "a"}, {"y"})},
                          {value("x", fixed({}))},
                          {undeclared("y")},
                          {tensor("a", axes)}}),
               Contains("expected at most 8 axes, got 20"));
}

TEST_CASE("empty tensors of huge extents take no time") {
    CHECK_THAT(
        complaint(
            {11, {node("Unique", {"x"}, {"y"}, {{"axis", 0}})}, {}, {undeclared("y")}, {tensor("x", {huge, 0}, {})}}),
        Contains("slices without elements"));
    CHECK(run_complaint({11,
                         {node("NonMaxSuppression", {"b", "s"}, {"y"})},
                         {},
                         {undeclared("y")},
                         {tensor("b", {1, 0, 4}, {}), tensor("s", {1, huge, 0}, {})}})
              .empty());
    CHECK(complaint({17,
                     {node("STFT", {"x", "s", "", "l"}, {"y"})},
                     {},
                     {undeclared("y")},
                     {tensor("x", {0, huge, 1}, {}), tensor<std::int64_t>("s", {}, {1}, 7),
                      tensor<std::int64_t>("l", {}, {huge}, 7)}})
              .empty());
    CHECK_THAT(complaint({17,
                          {node("SplitToSequence", {"x"}, {"s"}, {{"axis", 1}}),
                           node("ConcatFromSequence", {"s"}, {"y"}, {{"axis", 0}})},
                          {value("x", fixed({0, huge}))},
                          {undeclared("y")}}),
               Contains("expected at most 65536 pieces"));
    model_file columns{17,
                       {node("FeatureVectorizer", {"x"}, {"y"}, {{"inputdimensions", ints{0}}}, "it", "ai.onnx.ml")},
                       {value("x", fixed({huge, 0}))},
                       {undeclared("y")}};
    columns.ml = 3;
    CHECK(run_complaint(columns).empty());
    for (const std::int64_t groups : {std::int64_t{1}, largest})
        CHECK_THAT(run_complaint({19,
                                  {node("DeformConv", {"x", "w", "o"}, {"y"}, {{"offset_group", groups}})},
                                  {value("x", fixed({1, 0, 1, 1})), value("w", fixed({1, 0, 1, 1})),
                                   value("o", fixed({1, 2, 1, 1}))},
                                  {undeclared("y")}}),
                   groups == 1 ? Contains("") : Contains("deformable_convolution: "));
    CHECK(run_complaint({11,
                         {node("ConvTranspose", {"x", "w"}, {"y"},
                               {{"output_shape", ints{1, 1}}, {"dilations", ints{1 << 20, 1}}})},
                         {value("x", fixed({1, 0, 5, 5}))},
                         {undeclared("y")},
                         {tensor("w", {0, 1, huge, 1}, {})}})
              .empty());
}

TEST_CASE("an operation stops soon, however much its numbers ask for") {
    const auto stops = [](const model_file& m) {
        const fanfold::graph g = load(m);
        const std::clock_t start = std::clock();
        CHECK(run_complaint(g) == "the deadline has passed");
        return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < (sanitized ? 20 : 4);
    };
    const std::string image = value("x", fixed({1, 1, 1000, 1000})), line = value("x", {N, d(1), d(1000000)});
    const attribute window{"kernel_shape", ints{500, 500}}, row{"kernel_shape", ints{500000}};
    for (const char* op : {"MaxPool", "AveragePool", "LpPool"}) {
        CAPTURE(op);
        CHECK(stops({13, {node(op, {"x"}, {"y"}, {window})}, {image}, {undeclared("y")}}));
        CHECK(stops({13, {node(op, {"x"}, {"y"}, {row})}, {line}, {undeclared("y")}}));
    }
    CHECK(stops(with_filled(13, {{"w", {1, 1, 500, 500}}}, node("Conv", {"x", "w"}, {"y"}), {image})));
    CHECK(stops(with_filled(13, {{"w", {1, 1, 300, 300}}}, node("ConvTranspose", {"x", "w"}, {"y"}), {image})));
    for (const int type : {6, 11}) {  // int32, float64
        const std::string square = value("x", fixed({3000, 3000}), type);
        CHECK(stops({13, {node("MatMul", {"x", "x"}, {"y"})}, {square}, {undeclared("y")}}));
    }
    CHECK(stops({13,
                 {node("Einsum", {"x", "x", "x"}, {"y"}, {{"equation", "ab,bc,cd->ad"}})},
                 {value("x", fixed({1000, 1000}))},
                 {undeclared("y")}}));
    CHECK(stops({17, {node("DFT", {"x"}, {"y"})}, {value("x", fixed({1, 499979, 1}))}, {undeclared("y")}}));
    CHECK(stops({16,
                 {node("RoiAlign", {"x", "r", "b"}, {"y"},
                       {{"sampling_ratio", 1024}, {"output_height", 1000}, {"output_width", 1000}})},
                 {image},
                 {undeclared("y")},
                 {tensor("r", {1, 4}, {0, 0, 9, 9}), tensor("b", {0})}}));
    CHECK_THAT(run_complaint({13,
                              {node("LRN", {"x"}, {"y"}, {{"size", 999999}})},
                              {value("x", fixed({1, 1000000, 1}))},
                              {undeclared("y")}}),
               Contains("expected at most 2^28 elements of windows"));
}

TEST_CASE("constants that take longer than is allowed are refused") {
    const model_file m =
        with_filled(13, {{"x", {1, 1, 1000, 1000}}, {"w", {1, 1, 500, 500}}}, node("Conv", {"x", "w"}, {"y"}), {});
    const fanfold::onnx::load_options brief{.limits = {.computing = std::chrono::milliseconds(1)}};
    CHECK_THAT(complaint(m, brief), Contains("expected constants that take at most 1 ms to compute"));
}

TEST_CASE("what is computed and packed at load stays within a multiple of the limits and the file") {
    const fanfold::onnx::load_options small{.limits = {.bytes_per_value = std::size_t{1} << 20}};
    model_file computed =
        with_filled(13, {{"w", {512, 256}}}, node("Add", {"x", "w0"}, {"y"}), {value("x", fixed({512, 256}))});
    computed.nodes.insert(computed.nodes.begin() + 2, node("Neg", {"w"}, {"w0"}));
    for (int i = 1; i < 200; ++i)
        computed.nodes.push_back(node("Neg", {"w" + std::to_string(i - 1)}, {"w" + std::to_string(i)}));
    CHECK_THAT(complaint(computed, small), Contains("expected constants computed at load of at most"));

    model_file packed{
        13, {}, {value("x", {N, d(256)})}, {undeclared("v0")}, {tensor("w", {256, 256}, floats(256 * 256))}};
    for (int i = 0; i < 200; ++i)
        packed.nodes.push_back(
            node("MatMul", {i == 0 ? "x" : "v" + std::to_string(i - 1), "w"}, {"v" + std::to_string(i)}));
    CHECK_THAT(complaint(packed, small), Contains("expected packed weights of at most"));
    CHECK(complaint(packed).empty());

    model_file sizes{13, {node("Shape", {"x"}, {"s0"})}, {value("x", {N})}, {undeclared("s16")}};
    for (int i = 0; i < 16; ++i)
        sizes.nodes.push_back(node("Concat", {"s" + std::to_string(i), "s" + std::to_string(i)},
                                   {"s" + std::to_string(i + 1)}, {{"axis", 0}}));
    CHECK(complaint(sizes).empty());
    CHECK_THAT(
        complaint(
            {18, {node("Split", {"x"}, {"y"}, {{"num_outputs", 1 << 20}})}, {value("x", {N})}, {undeclared("y")}}),
        Contains("expected 1 to 1024 pieces, got 1048576"));
}
