// tests/onnx/operators/choice.cpp - words that stand for one of a few meanings.
// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/choice.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

TEST_CASE("a word that is none of those known is refused, naming them") {
    using namespace written;
    CHECK_THAT(complaint(model_file{
                   13,
                   {node("DepthToSpace", {"x"}, {"y"}, {{"blocksize", std::int64_t{1}}, {"mode", std::string("RCD")}})},
                   {value("x", {N, d(1), d(1), d(1)})},
                   {undeclared("y")}}),
               Catch::Matchers::Contains("attribute 'mode': expected one of DCR, CRD, got 'RCD'"));
}
