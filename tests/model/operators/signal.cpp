// tests/model/operators/signal.cpp - shapes and rows of transforms; numbers are checked in tests/kernel.
// SPDX-License-Identifier: MIT
#include <fanfold/model/operators/signal.hpp>

#include "../../catch.hpp"
#include "../run.hpp"

using namespace fanfold;

namespace {
const extent N = rows_extent;
value_type of(symbolic_shape s) { return {element::float32, std::move(s)}; }
const value_type number{element::int64, {}};
template <class Op>
std::string shape_with(const Op& op, const std::vector<argument>& in) {
    return op.answers(in)[0].shape.text();
}
}  // namespace

TEST_CASE("spectra of whole signals") {
    const fourier_transform half(kernel::transform::forward, spectrum::one_sided, 1);
    const fourier_transform whole(kernel::transform::inverse, spectrum::whole, -2);
    const tensor length = tensor::of<std::int64_t>({}, {16}), axis = tensor::of<std::int64_t>({}, {0});
    CHECK(shape_with(half, {of({N, 9, 1})}) == "[N, 5, 2]");
    CHECK(shape_with(whole, {of({N, 9, 2})}) == "[N, 9, 2]");
    CHECK(shape_with(whole, {of({N, 9, 2}), argument(tensor_view(length))}) == "[N, 16, 2]");
    CHECK(shape_with(whole, {of({N, 9, 2}), number}) == "[N, ?, 2]");
    CHECK(shape_with(whole, {of({N, 9, 2}), argument::none(), number}) == "[?, ?, ?]");
    CHECK_THROWS(shape_with(whole, {of({N, 9, 3})}));
    CHECK_THROWS(shape_with(fourier_transform(kernel::transform::forward, spectrum::whole, -1), {of({N, 9, 2})}));
    const std::vector<argument> along_rows{of({N, 9, 2}), argument::none(), argument(tensor_view(axis))};
    CHECK(whole.mixes_rows(along_rows));
    CHECK_FALSE(whole.mixes_rows(std::span(along_rows).first(1)));
}

TEST_CASE("spectra of frames") {
    const short_time_fourier_transform op(spectrum::one_sided);
    const tensor step = tensor::of<std::int64_t>({}, {3});
    const argument by(tensor_view{step});
    CHECK(shape_with(op, {of({N, 11, 1}), by, of({4})}) == "[N, 3, 3, 2]");
    CHECK(shape_with(op, {of({N, 11, 1}), number, argument::none(), number}) == "[N, ?, ?, 2]");
    CHECK_THROWS(shape_with(op, {of({N, 11, 1}), by}));
    CHECK_THROWS(shape_with(op, {of({N, 11, 1}), by, of({12})}));
}

TEST_CASE("windows and mel filters are as long as numbers say") {
    const window_weights hann(kernel::window_function::hann, kernel::window_ends::periodic, element::float64);
    const tensor length = tensor::of<std::int32_t>({}, {6});
    CHECK(shape_with(hann, {argument(tensor_view(length))}) == "[6]");
    CHECK(shape_with(hann, {number}) == "[?]");
    CHECK_THROWS(window_weights(kernel::window_function::hann, kernel::window_ends::periodic, element::int8));
    const value_type hertz = of({});
    CHECK(shape_with(mel_weights(), {number, argument(tensor_view(length)), number, hertz, hertz}) == "[4, ?]");
    CHECK_THROWS(shape_with(mel_weights(), {number, number, number, hertz}));
}
