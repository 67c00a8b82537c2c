// SPDX-License-Identifier: MIT
#include <fanfold/onnx/operators/window.hpp>

#include "../../catch.hpp"
#include "../model_writer.hpp"

using namespace written;

namespace {

std::string complaint_of(std::vector<attribute> attributes) {
    return complaint(model{
        13, {node("MaxPool", {"x"}, {"y"}, attributes, "p")}, {value("x", {N, d(1), d(6), d(6)})}, {undeclared("y")}});
}

}  // namespace

TEST_CASE("SAME puts the odd element of padding at the end or at the start") {
    using fanfold::extent;
    const fanfold::value_type image{fanfold::element::float32, {fanfold::rows_extent, extent(1), extent(6), extent(5)}};
    for (const bool upper : {true, false}) {
        fanfold::onnx::window_attributes w;
        w.size = {3, 2};
        w.stride = {2, 1};
        fanfold::onnx::detail::pad_same(w, image, 2, upper);
        CHECK(w.padding == (upper ? std::array<std::int64_t, 4>{0, 0, 1, 1} : std::array<std::int64_t, 4>{1, 1, 0, 0}));
    }
}

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
