// tests/onnx/operators/gather.cpp - Gather, Scatter and their like, Pad, in their versions.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/gather.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

namespace {

const auto x = fanfold::tensor::of<float>({1, 3}, {1, 2, 3});
const attribute axis{"axis", std::int64_t{1}};

fanfold::tensor one(std::int64_t opset, const std::string& n, std::vector<std::string> initializers = {}) {
    const auto g = load(model_file{opset, {n}, {value("x", {N, d(3)})}, {undeclared("y")}, std::move(initializers)});
    return run(g, {x}, 1).front();
}

}  // namespace

TEST_CASE("Gather along an axis, by element, by tuples") {
    const std::vector<std::string> indices{tensor("i", {2, -3}), tensor("e", {1, 2}, ints{2, 0}, 7),
                                           tensor("t", {1, 1, 1}, ints{1}, 7)};
    CHECK(difference(one(13, node("Gather", {"x", "i"}, {"y"}, {axis}), indices), {3, 1}) == 0);
    CHECK(difference(one(13, node("GatherElements", {"x", "e"}, {"y"}, {axis}), indices), {3, 1}) == 0);
    CHECK(difference(one(13, node("GatherND", {"x", "t"}, {"y"}, {{"batch_dims", std::int64_t{1}}}), indices), {2}) ==
          0);
}

TEST_CASE("Scatter replaces, or adds, multiplies, takes the largest or smallest") {
    const std::vector<std::string> updates{tensor("i", {1, 2}, ints{0, 0}, 7), tensor("u", {1, 2}, {10, 20})};
    const auto scattered = [&](std::int64_t opset, const char* name, std::vector<attribute> more) {
        more.push_back(axis);
        return one(opset, node(name, {"x", "i", "u"}, {"y"}, more), updates);
    };
    CHECK(difference(scattered(18, "ScatterElements", {{"reduction", std::string("add")}}), {31, 2, 3}) == 0);
    CHECK(difference(scattered(18, "ScatterElements", {{"reduction", std::string("max")}}), {20, 2, 3}) == 0);
    CHECK(difference(scattered(10, "Scatter", {}), {20, 2, 3}) == 0);
    CHECK_THAT(text_of([&] {
                   (void)scattered(18, "ScatterElements", {{"reduction", std::string("avg")}});
               }),
               Contains("attribute 'reduction': expected none, add, mul, max or min, got 'avg'"));
    const std::vector<std::string> tuples{tensor("i", {1, 2}, ints{0, 1}, 7), tensor("u", {1}, {9})};
    CHECK(difference(one(13, node("ScatterND", {"x", "i", "u"}, {"y"}), tuples), {1, 9, 3}) == 0);
}

TEST_CASE("Pad: counts and value as attributes, as inputs, for some axes") {
    const std::vector<double> padded{7, 1, 2, 3};
    CHECK(difference(one(2, node("Pad", {"x"}, {"y"}, {{"pads", ints{0, 1, 0, 0}}, {"value", 7.0F}})), padded) == 0);
    const std::vector<std::string> given{tensor("p", {0, 1, 0, 0}), tensor("v", ints{}, floats{7}), tensor("q", {1, 0}),
                                         tensor("a", {-1})};
    CHECK(difference(one(13, node("Pad", {"x", "p", "v"}, {"y"}), given), padded) == 0);
    CHECK(difference(one(18, node("Pad", {"x", "q", "v", "a"}, {"y"}), given), padded) == 0);
    CHECK(difference(one(18, node("Pad", {"x", "q", "", "a"}, {"y"}), given), {0, 1, 2, 3}) == 0);
    CHECK(difference(one(13, node("Pad", {"x", "p"}, {"y"}, {{"mode", std::string("reflect")}}), given),
                     {2, 1, 2, 3}) == 0);
    CHECK(difference(one(19, node("Pad", {"x", "p"}, {"y"}, {{"mode", std::string("wrap")}}), given), {3, 1, 2, 3}) ==
          0);
    CHECK_THAT(text_of([&] {
                   (void)one(13, node("Pad", {"x", "p"}, {"y"}, {{"mode", std::string("odd")}}), given);
               }),
               Contains("attribute 'mode'"));
    CHECK_THAT(text_of([] { (void)one(2, node("Pad", {"x"}, {"y"})); }), Contains("attribute 'pads', got none"));
}
