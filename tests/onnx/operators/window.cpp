// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/window.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

namespace {

std::string complaint_of(std::vector<attribute> attributes) {
    return complaint(model_file{
        13, {node("MaxPool", {"x"}, {"y"}, attributes, "p")}, {value("x", {N, d(1), d(6), d(6)})}, {undeclared("y")}});
}

}  // namespace

TEST_CASE("Attributes of a window that do not fit are refused by name") {
    using Catch::Matchers::Contains;
    CHECK_THAT(complaint_of({}), Contains("expected attribute 'kernel_shape', got none"));
    CHECK_THAT(complaint_of({{"kernel_shape", ints{2}}}),
               Contains("'kernel_shape': expected 2 numbers from 1 to 2^30, got 1"));
    CHECK_THAT(complaint_of({{"kernel_shape", ints{2, 2}}, {"strides", ints{0, 1}}}), Contains("'strides'"));
    CHECK_THAT(complaint_of({{"kernel_shape", ints{2, 2}}, {"pads", ints{1, 1}}}),
               Contains("'pads': expected 4 numbers"));
    CHECK_THAT(
        complaint_of({{"kernel_shape", ints{2, 2}}, {"pads", ints{1, 0, 0, 0}}, {"auto_pad", std::string("VALID")}}),
        Contains("expected no 'pads' beside auto_pad 'VALID'"));
    CHECK_THAT(complaint_of({{"kernel_shape", ints{2, 2}}, {"auto_pad", std::string("BOTH")}}), Contains("got 'BOTH'"));
}
