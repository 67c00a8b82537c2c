// tests/onnx/operators/arithmetic.cpp - Add, Sub, Mul, Div with broadcasting in all their element types.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/arithmetic.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

TEST_CASE("arithmetic broadcasts as numpy does") {
    const std::string op = GENERATE(as<std::string>{}, "Add", "Sub", "Mul", "Div");
    const auto plain = [&](double a, double b) {
        return op == "Add" ? a + b : op == "Sub" ? a - b : op == "Mul" ? a * b : a / b;
    };
    const auto b_shape = GENERATE(ints{}, ints{1}, ints{5}, ints{3, 1}, ints{1, 5}, ints{1, 3, 5}, ints{1, 1, 1});
    const bool swapped = GENERATE(false, true);
    floats a = noise(4 * 15, 1), b = noise(volume(b_shape), 2);
    for (float& v : a) v += v < 0 ? -1.0F : 1.0F;
    for (float& v : b) v += v < 0 ? -1.0F : 1.0F;
    const auto names = swapped ? std::vector<std::string>{"b", "a"} : std::vector<std::string>{"a", "b"};
    const auto g = load(model_file{7,
                                   {node(op, names, {"y"})},
                                   {value("a", {N, d(3), d(5)})},
                                   {value("y", {N, d(3), d(5)})},
                                   {tensor("b", b_shape, b)}});
    std::vector<double> expected;
    for (std::size_t n = 0; n < 4; ++n)
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t j = 0; j < 5; ++j) {
                const std::size_t rank = b_shape.size();
                const std::size_t row = rank >= 2 && b_shape[rank - 2] != 1 ? i : 0;
                const std::size_t column = rank >= 1 && b_shape[rank - 1] != 1 ? j : 0;
                const std::size_t width = rank >= 1 ? static_cast<std::size_t>(b_shape[rank - 1]) : 1;
                const auto left = static_cast<double>(a[(n * 3 + i) * 5 + j]);
                const auto right = static_cast<double>(b[row * width + column]);
                expected.push_back(swapped ? plain(right, left) : plain(left, right));
            }
    CHECK(difference(run(g, {fanfold::tensor::of<float>({4, 3, 5}, std::span(a))}, 4)[0], expected) < 1e-6);
}

TEST_CASE("both operands may grow, and rows meet rows") {
    const auto g = load(model_file{13,
                                   {node("Mul", {"a", "b"}, {"y"})},
                                   {value("a", {N, d(1), d(2)}), value("b", {N, d(3), d(1)})},
                                   {value("y", {N, d(3), d(2)})}});
    const auto y = run(g,
                       {fanfold::tensor::of<float>({2, 1, 2}, {1, 2, 3, 4}),
                        fanfold::tensor::of<float>({2, 3, 1}, {1, 10, 100, 2, 20, 200})},
                       2);
    CHECK(difference(y[0], {1, 2, 10, 20, 100, 200, 6, 8, 60, 80, 600, 800}) == 0);
}

TEST_CASE("arithmetic on doubles and integers; division rounds towards zero") {
    const auto divided = [](auto first, int element) {
        using T = decltype(first);
        const auto g = load(model_file{13,
                                       {node("Div", {"a", "b"}, {"y"})},
                                       {value("a", {N}, element)},
                                       {value("y", {N}, element)},
                                       {tensor("b", ints{}, std::vector<T>{2}, element)}});
        const auto y = run(g, {fanfold::tensor::of<T>({3}, {T{7}, T{-7}, T{8}})}, 3);
        const auto out = y[0].template as<T>().flat();
        return std::vector<double>(out.begin(), out.end());
    };
    CHECK(divided(double{}, 11) == std::vector<double>{3.5, -3.5, 4});
    CHECK(divided(std::int32_t{}, 6) == std::vector<double>{3, -3, 4});
    CHECK(divided(std::int64_t{}, 7) == std::vector<double>{3, -3, 4});
}

TEST_CASE("integer division by zero is no crash, neither while folding nor at run time") {
    const auto y = run(load(model_file{13,
                                       {node("Div", {"a", "b"}, {"c"}), node("Div", {"c", "x"}, {"y"})},
                                       {value("x", {d(3)}, 7)},
                                       {value("y", {d(3)}, 7)},
                                       {tensor("a", ints{1, INT64_MIN, 6}), tensor("b", ints{0, -1, 2})}}),
                       {fanfold::tensor::of<std::int64_t>({3}, {0, -1, 1})}, 3);
    CHECK(y[0].as<std::int64_t>().flat()[2] == 3);
}

TEST_CASE("arithmetic refuses operands that do not fit, naming both") {
    const auto complain = [](std::vector<dim> a, std::vector<dim> b, int first = 1, int second = 1) {
        return complaint(model_file{
            13, {node("Add", {"a", "b"}, {"y"})}, {value("a", a, first), value("b", b, second)}, {undeclared("y")}});
    };
    CHECK_THAT(complain({N, d(3)}, {N, d(4)}), Contains("expected shapes that broadcast, got [N, 3] and [N, 4]"));
    CHECK_THAT(complain({N, d(3)}, {d(7), d(3)}), Contains("[N, 3] and [7, 3]"));
    CHECK_THAT(complain({N}, {N}, 1, 11), Contains("float32 [N] and float64 [N]"));
    CHECK_THAT(complain({N}, {N}, 9, 9), Contains("numeric type, got bool [N] and bool [N]"));
}

TEST_CASE("before opset 7 the second operand is aligned at an axis") {
    const auto g =
        load(model_file{6,
                        {node("Add", {"x", "b"}, {"y"}, {{"axis", std::int64_t{1}}, {"broadcast", std::int64_t{1}}})},
                        {value("x", {N, d(2), d(2)})},
                        {undeclared("y")},
                        {tensor("b", {2}, {10, 20})}});
    CHECK(difference(run(g, {fanfold::tensor::of<float>({1, 2, 2}, {1, 2, 3, 4})}, 1)[0], {11, 12, 23, 24}) == 0);
}

TEST_CASE("any number of operands: Sum, Mean, Max, and one alone") {
    const auto of = [](const char* op, std::vector<std::string> operands) {
        const auto g = load(model_file{13,
                                       {node(op, operands, {"y"})},
                                       {value("x", {N})},
                                       {undeclared("y")},
                                       {tensor("a", {1}, {4}), tensor("b", {1}, {-6})}});
        return run(g, {fanfold::tensor::of<float>({1}, {8})}, 1)[0];
    };
    CHECK(difference(of("Sum", {"x", "a", "b"}), {6}) == 0);
    CHECK(difference(of("Mean", {"x", "a", "b"}), {2}) == 0);
    CHECK(difference(of("Max", {"a", "x", "b"}), {8}) == 0);
    CHECK(difference(of("Min", {"x"}), {8}) == 0);
    CHECK_FALSE(text_of([&] { (void)of("Sum", {}); }).empty());
}

TEST_CASE("comparisons, logic, Where, Mod in both meanings, shifts") {
    const auto g = load(model_file{
        13,
        {node("Greater", {"x", "zero"}, {"c"}), node("Not", {"c"}, {"n"}), node("Where", {"n", "zero", "x"}, {"y"})},
        {value("x", {N})},
        {undeclared("y"), undeclared("c")},
        {tensor("zero", {1}, {0})}});
    const auto out = run(g, {fanfold::tensor::of<float>({3}, {-1, 0, 2})}, 3);
    CHECK(difference(out[0], {0, 0, 2}) == 0);
    CHECK(out[1].as<bool>()(2));
    CHECK_FALSE(out[1].as<bool>()(1));
    const auto remainder = [](std::int64_t like_c) {
        const auto m = load(model_file{13,
                                       {node("Mod", {"x", "three"}, {"y"}, {{"fmod", like_c}})},
                                       {value("x", {N}, 7)},
                                       {undeclared("y")},
                                       {tensor("three", {3})}});
        return run(m, {list({-7})}, 1)[0].as<std::int64_t>()(0);
    };
    CHECK(remainder(0) == 2);
    CHECK(remainder(1) == -1);
    CHECK_THAT(
        complaint(model_file{11, {node("BitShift", {"x", "x"}, {"y"})}, {value("x", {N}, 12)}, {undeclared("y")}}),
        Contains("attribute 'direction': expected LEFT or RIGHT"));
}
