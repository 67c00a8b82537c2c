// tests/onnx/operators/gemm.cpp - Gemm and MatMul against plain loops, operands known at load or at run time.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/gemm.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;
using Catch::Matchers::Contains;

TEST_CASE("Gemm agrees with a plain loop for every attribute and every form of C") {
    constexpr std::int64_t M = 5, K = 7, C = 19;
    const bool swap_a = GENERATE(false, true);
    const bool swap_b = GENERATE(false, true);
    const bool known_b = GENERATE(false, true);
    const auto scale = GENERATE(std::pair{1.0F, 1.0F}, std::pair{0.5F, -2.0F});
    const auto c_shape = GENERATE(ints{-1}, ints{}, ints{1}, ints{C}, ints{1, C}, ints{1, 1}, ints{M, 1}, ints{M, C});
    const bool has_c = !(c_shape.size() == 1 && c_shape[0] == -1);
    const bool known_c = GENERATE(false, true);
    if (!has_c && known_c) return;

    const ints a_shape = swap_a ? ints{K, M} : ints{M, K};
    const ints b_shape = swap_b ? ints{C, K} : ints{K, C};
    const floats a = noise(M * K, 1);
    const floats b = noise(K * C, 2);
    const floats c = has_c ? noise(volume(c_shape), 3) : floats{};
    std::vector<std::string> names{"a", "b"};
    std::vector<std::string> inputs{value("a", fixed(a_shape))};
    std::vector<std::string> initializers;
    std::vector<fanfold::tensor> given;
    const auto of = [](const ints& dims, const floats& values) {
        return fanfold::tensor::of<float>(fanfold::shape(std::span(dims)), std::span(values));
    };
    given.push_back(of(a_shape, a));
    if (known_b)
        initializers.push_back(tensor("b", b_shape, b));
    else
        inputs.push_back(value("b", fixed(b_shape))), given.push_back(of(b_shape, b));
    if (has_c) {
        names.push_back("c");
        if (known_c)
            initializers.push_back(tensor("c", c_shape, c));
        else
            inputs.push_back(value("c", fixed(c_shape))), given.push_back(of(c_shape, c));
    }
    const auto g = load(model_file{13,
                                   {node("Gemm", names, {"y"},
                                         {{"alpha", scale.first},
                                          {"beta", scale.second},
                                          {"transA", std::int64_t{swap_a}},
                                          {"transB", std::int64_t{swap_b}}})},
                                   inputs,
                                   {value("y", fixed({M, C}))},
                                   initializers});
    std::vector<double> expected;
    for (std::size_t m = 0; m < M; ++m)
        for (std::size_t n = 0; n < C; ++n) {
            double sum = 0;
            for (std::size_t k = 0; k < K; ++k)
                sum += static_cast<double>(swap_a ? a[k * M + m] : a[m * K + k]) *
                       static_cast<double>(swap_b ? b[n * K + k] : b[k * C + n]);
            double add = 0;
            if (has_c) {
                const std::size_t rank = c_shape.size();
                const std::size_t row = rank == 2 && c_shape[0] != 1 ? m : 0;
                const std::size_t column = rank > 0 && c_shape[rank - 1] != 1 ? n : 0;
                add =
                    static_cast<double>(c[row * (rank > 0 ? static_cast<std::size_t>(c_shape[rank - 1]) : 1) + column]);
            }
            expected.push_back(static_cast<double>(scale.first) * sum + static_cast<double>(scale.second) * add);
        }
    CHECK(difference(run(g, given, M)[0], expected) < 1e-5);
}

TEST_CASE("Gemm with a known second operand is one step, activation included") {
    const auto g = load(model_file{13,
                                   {node("Gemm", {"x", "w", "b"}, {"h"}), node("Relu", {"h"}, {"y"})},
                                   {value("x", {N, d(3)})},
                                   {value("y", {N, d(2)})},
                                   {tensor("w", {3, 2}, {1, 2, 3, 4, 5, 6}), tensor("b", {2}, {-30, 1})}});
    CHECK(g.state().steps.size() == 1);
    const auto y = run(g, {fanfold::tensor::of<float>({2, 3}, {1, 1, 1, 1, 2, 3})}, 2);
    CHECK(difference(y[0], {0, 13, 0, 29}) == 0);
    CHECK(g.row_mixer().empty());
}

TEST_CASE("Gemm and MatMul refuse operands that do not fit, naming both") {
    const auto complain = [](const char* op, std::vector<dim> a, std::vector<dim> b, int element = 1) {
        return complaint(model_file{
            13, {node(op, {"a", "b"}, {"y"})}, {value("a", a, element), value("b", b, element)}, {undeclared("y")}});
    };
    CHECK_THAT(complain("Gemm", {N, d(3)}, {d(4), d(2)}), Contains("float32 [N, 3]") && Contains("float32 [4, 2]"));
    CHECK_THAT(complain("Gemm", {N, d(3), d(1)}, {d(3), d(2)}), Contains("as input 0, got float32 [N, 3, 1]"));
    CHECK_THAT(complain("Gemm", {N, d(3)}, {d(3), d(2)}, 2), Contains("uint8 [N, 3]"));
    CHECK_THAT(complain("MatMul", {N, d(3)}, {d(3), d(2)}, 2), Contains("uint8 [N, 3]"));
    CHECK_THAT(complain("MatMul", {N, d(2), d(3)}, {d(5), d(3), d(2)}), Contains("broadcast"));
    CHECK_THAT(complain("MatMul", {}, {d(5)}), Contains("rank 1 or more"));
    CHECK_THAT(complaint(model_file{13,
                                    {node("Gemm", {"a", "b", "c"}, {"y"})},
                                    {value("a", {N, d(3)}), value("c", {N, d(3)})},
                                    {undeclared("y")},
                                    {tensor("b", {3, 2}, floats(6))}}),
               Contains("broadcast"));
    CHECK_THAT(complaint(model_file{13,
                                    {node("Gemm", {"a", "b", "c"}, {"y"})},
                                    {value("a", {d(1), d(3)}), value("c", fixed({4, 2}))},
                                    {undeclared("y")},
                                    {tensor("b", {3, 2}, floats(6))}}),
               Contains("expected C that broadcasts to float32 [1, 2], got float32 [4, 2]"));
}

TEST_CASE("a product over the rows themselves mixes them") {
    const auto g =
        load(model_file{13, {node("MatMul", {"a", "a"}, {"y"}, {}, "gram")}, {value("a", {N})}, {undeclared("y")}});
    CHECK(g.row_mixer() == "gram");
    CHECK(difference(run(g, {fanfold::tensor::of<float>({3}, {1, 2, 3})}, 3)[0], {14}) == 0);
}

TEST_CASE("MatMul agrees with a plain loop: vectors, stacks, broadcast stacks") {
    struct operands {
        ints a, b, answer;
    };
    const auto s = GENERATE(
        operands{{4, 6}, {6, 17}, {4, 17}}, operands{{6}, {6, 17}, {17}}, operands{{4, 6}, {6}, {4}},
        operands{{6}, {6}, {}}, operands{{2, 3, 4, 6}, {6, 5}, {2, 3, 4, 5}}, operands{{4, 6}, {3, 6, 5}, {3, 4, 5}},
        operands{{2, 1, 4, 6}, {3, 6, 5}, {2, 3, 4, 5}}, operands{{2, 3, 4, 6}, {2, 1, 6, 5}, {2, 3, 4, 5}},
        operands{{3, 4, 6}, {3, 6, 5}, {3, 4, 5}}, operands{{6}, {2, 6, 5}, {2, 5}}, operands{{2, 4, 6}, {6}, {2, 4}},
        operands{{2, 3, 1, 6}, {2, 3, 6, 1}, {2, 3, 1, 1}}, operands{{1, 1, 6}, {4, 6, 3}, {4, 1, 3}},
        operands{{3, 0}, {0, 2}, {3, 2}});
    const bool known_b = GENERATE(false, true);
    const floats a = noise(volume(s.a), 1);
    const floats b = noise(volume(s.b), 2);
    std::vector<std::string> inputs{value("a", fixed(s.a))};
    std::vector<fanfold::tensor> given{fanfold::tensor::of<float>(fanfold::shape(std::span(s.a)), std::span(a))};
    std::vector<std::string> initializers;
    if (known_b)
        initializers.push_back(tensor("b", s.b, b));
    else {
        inputs.push_back(value("b", fixed(s.b)));
        given.push_back(fanfold::tensor::of<float>(fanfold::shape(std::span(s.b)), std::span(b)));
    }
    const auto g =
        load(model_file{13, {node("MatMul", {"a", "b"}, {"y"})}, inputs, {value("y", fixed(s.answer))}, initializers});

    ints a4 = s.a, b4 = s.b;
    if (a4.size() == 1) a4.insert(a4.begin(), 1);
    if (b4.size() == 1) b4.push_back(1);
    while (a4.size() < 4) a4.insert(a4.begin(), 1);
    while (b4.size() < 4) b4.insert(b4.begin(), 1);
    std::vector<double> expected;
    const auto at = [](const floats& v, const ints& dims, ints i) {
        std::int64_t flat = 0;
        for (std::size_t axis = 0; axis < 4; ++axis) flat = flat * dims[axis] + (dims[axis] == 1 ? 0 : i[axis]);
        return static_cast<double>(v[static_cast<std::size_t>(flat)]);
    };
    for (std::int64_t i = 0; i < std::max(a4[0], b4[0]); ++i)
        for (std::int64_t j = 0; j < std::max(a4[1], b4[1]); ++j)
            for (std::int64_t m = 0; m < a4[2]; ++m)
                for (std::int64_t n = 0; n < b4[3]; ++n) {
                    double sum = 0;
                    for (std::int64_t k = 0; k < a4[3]; ++k) sum += at(a, a4, {i, j, m, k}) * at(b, b4, {i, j, k, n});
                    expected.push_back(sum);
                }
    const auto rows = static_cast<std::size_t>(s.a[0]);
    CHECK(difference(run(g, given, rows)[0], expected) < 1e-5);
}

TEST_CASE("products of doubles and integers, and old Gemm") {
    const auto g = load(
        model_file{6,
                   {node("Gemm", {"x", "w", "c"}, {"y"}, {{"alpha", 2.0F}, {"broadcast", std::int64_t{1}}}),
                    node("MatMul", {"i", "j"}, {"k"})},
                   {value("x", {N, d(2)}, 11), value("i", {N, d(2)}, 7)},
                   {undeclared("y"), undeclared("k")},
                   {tensor("w", {2, 1}, std::vector<double>{1, 2}, 11), tensor("c", {1}, std::vector<double>{0.5}, 11),
                    tensor("j", {2, 1}, std::vector<std::int64_t>{3, -4}, 7)}});
    const auto y =
        run(g, {fanfold::tensor::of<double>({1, 2}, {3, 4}), fanfold::tensor::of<std::int64_t>({1, 2}, {5, 6})}, 1);
    CHECK(y[0].as<double>().flat()[0] == 22.5);
    CHECK(y[1].as<std::int64_t>().flat()[0] == -9);
}
