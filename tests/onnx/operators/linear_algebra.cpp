// tests/onnx/operators/linear_algebra.cpp - Einsum and Det.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/linear_algebra.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

TEST_CASE("Einsum and Det of matrices of a batch") {
    const auto g = load(model_file{
        12,
        {node("Einsum", {"x", "w"}, {"y"}, {{"equation", std::string("nij,jk->nik")}}), node("Det", {"y"}, {"d"})},
        {value("x", {N, d(2), d(2)})},
        {undeclared("y"), undeclared("d")},
        {tensor("w", {2, 2}, floats{0, 1, 2, 0})}});
    CHECK(g.row_mixer().empty());
    const auto y = run(g, {fanfold::tensor::of<float>({1, 2, 2}, {1, 2, 3, 4})}, 1);
    CHECK(difference(y[0], {4, 1, 8, 3}) == 0);
    CHECK(difference(y[1], {4}) < 1e-6);
    CHECK_FALSE(
        complaint(model_file{12, {node("Einsum", {"x"}, {"y"})}, {value("x", {N})}, {undeclared("y")}}).empty());
}
