// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/generate.hpp>

#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;

namespace {

std::vector<double> doubles(const tensor& from) {
    std::vector<double> out;
    visit_element(from.type(), [&]<class T>(T) {
        for (const T v : from.as<T>().flat()) out.push_back(static_cast<double>(v));
    });
    return out;
}
using list = std::vector<double>;

}  // namespace

TEST_CASE("ranges have the length and the elements of their definition", "[kernel][generate]") {
    CHECK(kernel::range_length(1.0, 5.0, 2.0) == 2);
    CHECK(kernel::range_length(1.0, 5.1, 2.0) == 3);
    CHECK(kernel::range_length(10.0, 4.0, -2.0) == 3);
    CHECK(kernel::range_length(10.0, 4.0, 2.0) == 0);
    for (std::int64_t start = -7; start < 8; ++start)
        for (std::int64_t limit = -7; limit < 8; ++limit)
            for (const std::int64_t delta : {-3, -1, 1, 2}) {
                std::int64_t count = 0;
                for (std::int64_t x = start; delta > 0 ? x < limit : x > limit; x += delta) ++count;
                CHECK(kernel::range_length(start, limit, delta) == count);
            }
    const auto low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
    CHECK(kernel::range_length(low, high, std::int64_t{4}) == (std::int64_t{1} << 62));
    CHECK_THROWS_AS(kernel::range_length(0.0, 1.0, 0.0), std::invalid_argument);
    CHECK_THROWS_AS(kernel::range_length(std::int64_t{0}, std::int64_t{1}, std::int64_t{0}), std::invalid_argument);

    const tensor start = tensor::of<std::int16_t>({}, {10}), delta = tensor::of<std::int16_t>({}, {-2});
    tensor out(element::int16, {600});
    kernel::range(start, delta, out);
    CHECK((doubles(out)[3] == 4 && doubles(out)[599] == -1188));
    const tensor from = tensor::of<float>({}, {0.5F}), by = tensor::of<float>({}, {0.25F});
    tensor real(element::float32, {3});
    kernel::range(from, by, real);
    CHECK(doubles(real) == list{0.5, 0.75, 1});
    CHECK_THROWS_AS(kernel::range(from, delta, real), std::invalid_argument);
}

TEST_CASE("the diagonal of ones lies anywhere or nowhere", "[kernel][generate]") {
    for (const element type : {element::float32, element::float16, element::int64, element::boolean})
        for (std::int64_t diagonal = -5; diagonal < 6; ++diagonal) {
            tensor out(type, {3, 4});
            kernel::eye(diagonal, out);
            const list got = doubles(out);
            for (std::size_t i = 0; i < 12; ++i)
                CHECK(got[i] ==
                      (static_cast<std::int64_t>(i % 4) - static_cast<std::int64_t>(i / 4) == diagonal ? 1 : 0));
        }
    tensor out(element::float32, {3});
    CHECK_THROWS_AS(kernel::eye(0, out), std::invalid_argument);
}

TEST_CASE("one_hot puts the new axis anywhere; indices beyond leave it cold", "[kernel][generate]") {
    const tensor values = tensor::of<float>({2}, {2, 5});
    const tensor a = tensor::of<std::int64_t>({2, 2}, {0, -1, 3, 7}), b = tensor::of<float>({2, 2}, {0, -1, 3, -9});
    for (const tensor* indices : {&a, &b}) {
        tensor last(element::float32, {2, 2, 4}), first(element::float32, {4, 2, 2});
        kernel::one_hot(*indices, values, 2, last);
        kernel::one_hot(*indices, values, 0, first);
        CHECK(doubles(last) == list{5, 2, 2, 2, 2, 2, 2, 5, 2, 2, 2, 5, 2, 2, 2, 2});
        CHECK(doubles(first) == list{5, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 5, 5, 2});
    }
    tensor wrong(element::float32, {2, 4});
    CHECK_THROWS_AS(kernel::one_hot(a, values, 0, wrong), std::invalid_argument);
}
