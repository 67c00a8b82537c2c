// tests/onnx/operators/selection.cpp - Range, OneHot, EyeLike, Trilu, NonZero, Compress, Unique, TopK, CumSum,
// ReverseSequence: attributes, versions, answers whose shape depends on elements.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/selection.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const auto x = fanfold::tensor::of<float>({2, 3}, {3, 0, 2, 5, 4, 4});

std::vector<fanfold::tensor> one(std::int64_t opset, const std::string& n, std::vector<std::string> initializers = {},
                                 std::vector<std::string> outputs = {undeclared("y")}) {
    return run(load(model_file{opset, {n}, {value("x", {N, d(3)})}, std::move(outputs), std::move(initializers)}), {x},
               2);
}
ints integers(const fanfold::tensor& t) {
    const auto values = t.as<std::int64_t>().flat();
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("TopK: the number is an attribute before opset 10, an input since; largest or smallest") {
    const std::vector<std::string> both{undeclared("v"), undeclared("i")}, k{tensor("k", {2})};
    const auto old = one(9, node("TopK", {"x"}, {"v", "i"}, {{"k", std::int64_t{2}}}), {}, both);
    CHECK(difference(old[0], {3, 2, 5, 4}) == 0);
    CHECK(integers(old[1]) == ints{0, 2, 0, 1});
    const auto least = one(11, node("TopK", {"x", "k"}, {"v", "i"}, {{"largest", std::int64_t{0}}}), k, both);
    CHECK(difference(least[0], {0, 2, 4, 4}) == 0);
}

TEST_CASE("as many answers as there are: NonZero, Compress, Unique") {
    CHECK(integers(one(13, node("NonZero", {"x"}, {"y"}))[0]) == ints{0, 0, 1, 1, 1, 0, 2, 0, 1, 2});
    const std::vector<std::string> marks{tensor("c", {3}, std::vector<std::uint8_t>{0, 0, 1}, 9)};
    CHECK(difference(one(11, node("Compress", {"x", "c"}, {"y"}, {{"axis", std::int64_t{1}}}), marks)[0], {2, 4}) == 0);
    CHECK(difference(one(11, node("Compress", {"x", "c"}, {"y"}), marks)[0], {2}) == 0);
    const auto found = one(11, node("Unique", {"x"}, {"y", "", "", "n"}), {}, {undeclared("y"), undeclared("n")});
    CHECK(difference(found[0], {0, 2, 3, 4, 5}) == 0);
    CHECK(integers(found[1]) == ints{1, 1, 1, 2, 1});
    const auto seen = one(11, node("Unique", {"x"}, {"y"}, {{"sorted", std::int64_t{0}}}));
    CHECK(difference(seen[0], {3, 0, 2, 5, 4}) == 0);
}

TEST_CASE("CumSum, Trilu, EyeLike, ReverseSequence") {
    const std::vector<std::string> axis{tensor("a", ints{}, ints{1}, 7)};
    CHECK(difference(one(14, node("CumSum", {"x", "a"}, {"y"}), axis)[0], {3, 3, 5, 5, 9, 13}) == 0);
    const attribute exclusive{"exclusive", std::int64_t{1}}, reverse{"reverse", std::int64_t{1}};
    CHECK(difference(one(14, node("CumSum", {"x", "a"}, {"y"}, {exclusive, reverse}), axis)[0], {2, 2, 0, 8, 4, 0}) ==
          0);
    CHECK(difference(one(14, node("Trilu", {"x"}, {"y"}))[0], {3, 0, 2, 0, 4, 4}) == 0);
    CHECK(difference(one(14, node("Trilu", {"x"}, {"y"}, {{"upper", std::int64_t{0}}}))[0], {3, 0, 0, 5, 4, 0}) == 0);
    CHECK(difference(one(9, node("EyeLike", {"x"}, {"y"}, {{"k", std::int64_t{1}}}))[0], {0, 1, 0, 0, 0, 1}) == 0);
    const attribute batch{"batch_axis", std::int64_t{0}}, time{"time_axis", std::int64_t{1}};
    const auto y = one(10, node("ReverseSequence", {"x", "l"}, {"y"}, {batch, time}), {tensor("l", {2, 3})});
    CHECK(difference(y[0], {0, 3, 2, 4, 4, 5}) == 0);
}

TEST_CASE("Range and OneHot") {
    const auto numbers = [](std::vector<std::string> initializers) {
        return load(model_file{11,
                               {node("Range", {"a", "b", "c"}, {"y"})},
                               {value("x", {N})},
                               {undeclared("y")},
                               std::move(initializers)});
    };
    const auto g =
        numbers({tensor("a", ints{}, ints{1}, 7), tensor("b", ints{}, ints{8}, 7), tensor("c", ints{}, ints{3}, 7)});
    CHECK(g.state().steps.empty());  // known at load
    CHECK(output_type(g) == "int64 [3]");
    const auto codes = load(model_file{11,
                                       {node("OneHot", {"i", "d", "v"}, {"y"})},
                                       {value("i", {N}, 7)},
                                       {undeclared("y")},
                                       {tensor("d", {2}), tensor("v", {2}, {-1, 1})}});
    CHECK(output_type(codes) == "float32 [N, 2]");
    CHECK(difference(run(codes, {list({1, 0})}, 2)[0], {-1, 1, 1, -1}) == 0);
}
