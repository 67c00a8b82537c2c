// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/selection.hpp>

#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;

namespace {

tensor counted(const shape& extents) {
    tensor made(element::int32, extents);
    for (std::size_t i = 0; i < made.size(); ++i) made.as<std::int32_t>().data()[i] = static_cast<std::int32_t>(i);
    return made;
}
using list = std::vector<std::int32_t>;
list numbers_of(const tensor& from) {
    const auto all = from.as<std::int32_t>().flat();
    return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("non_zero names the indices of what is not zero, axis by axis", "[kernel][selection]") {
    const tensor in = tensor::of<float>({2, 3}, {0, 1, -0.0F, std::numeric_limits<float>::quiet_NaN(), 0, -2});
    REQUIRE(kernel::count_non_zero(in) == 3);
    std::int64_t out[6];
    kernel::non_zero(in, {out, shape{2, 3}});
    CHECK(std::vector<std::int64_t>(out, out + 6) == std::vector<std::int64_t>{0, 1, 1, 1, 0, 2});
    const tensor one = tensor::of<bool>({}, {true});
    kernel::non_zero(one, {out, shape{0, 1}});
    tensor many(element::uint8, {1000});
    for (std::size_t i = 0; i < 1000; i += 3) many.as<std::uint8_t>().data()[i] = 1;
    std::vector<std::int64_t> found(334);
    kernel::non_zero(many, {found.data(), shape{1, 334}});
    bool right = true;
    for (std::size_t i = 0; i < 334; ++i) right = right && found[i] == static_cast<std::int64_t>(3 * i);
    CHECK(right);
    CHECK_THROWS_WITH(kernel::non_zero(in, {out, shape{2, 2}}), "non_zero: float32 [2, 3] with 3 into int64 [2, 2]");
}

TEST_CASE("compress keeps the slices whose condition is true", "[kernel][selection]") {
    const tensor in = counted({2, 3, 2});
    const bool both[] = {false, true}, early[] = {true, false}, three[] = {true, false, true},
               far[] = {false, false, true};
    tensor rows(element::int32, {1, 3, 2}), columns(element::int32, {2, 2, 2}), none(element::int32, {2, 0, 2});
    kernel::compress(in, 0, both, rows);
    CHECK(numbers_of(rows) == list{6, 7, 8, 9, 10, 11});
    kernel::compress(in, 1, three, columns);
    CHECK(numbers_of(columns) == list{0, 1, 4, 5, 6, 7, 10, 11});
    tensor first(element::int32, {2, 1, 2});
    kernel::compress(in, 1, early, first);
    CHECK(numbers_of(first) == list{0, 1, 6, 7});
    kernel::compress(in, 1, {}, none);
    CHECK_THROWS_WITH(kernel::compress(in, 0, far, rows), "compress: a condition at 2 of int32 [2, 3, 2]");
    CHECK_THROWS_AS(kernel::compress(in, 0, three, rows), std::invalid_argument);
    CHECK_THROWS_AS(kernel::compress(in, 3, both, rows), std::invalid_argument);
    CHECK_THROWS_AS(kernel::compress(in, 0, both, columns), std::invalid_argument);
}

TEST_CASE("reverse_sequence turns the beginning of each batch around", "[kernel][selection]") {
    const tensor in = counted({3, 4, 2});
    tensor out(element::int32, {3, 4, 2});
    const std::int64_t lengths[] = {0, 4, 2}, times[] = {1, 2, 3, 0}, far[] = {0, 4, 5};
    const auto got = out.as<std::int32_t>();
    kernel::reverse_sequence(in, lengths, 0, 1, out);
    bool right = true;
    for (std::int64_t b = 0; b < 3; ++b)
        for (std::int64_t t = 0; t < 4; ++t)
            for (std::int64_t k = 0; k < 2; ++k)
                right = right && got(b, t, k) == (b * 4 + (t < lengths[b] ? lengths[b] - 1 - t : t)) * 2 + k;
    kernel::reverse_sequence(in, times, 1, 0, out);
    for (std::int64_t t = 0; t < 3; ++t)
        for (std::int64_t b = 0; b < 4; ++b)
            for (std::int64_t k = 0; k < 2; ++k)
                right = right && got(t, b, k) == ((t < times[b] ? times[b] - 1 - t : t) * 4 + b) * 2 + k;
    CHECK(right);
    CHECK_THROWS_WITH(kernel::reverse_sequence(in, far, 0, 1, out),
                      "reverse_sequence: a length of 5 in int32 [3, 4, 2]");
    CHECK_THROWS_AS(kernel::reverse_sequence(in, times, 0, 1, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::reverse_sequence(in, lengths, 0, 2, out), std::invalid_argument);
}
