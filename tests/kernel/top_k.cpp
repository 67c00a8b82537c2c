// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/top_k.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::extreme;

TEST_CASE("the k best along any axis come in order, the first of equals first", "[kernel][top_k]") {
    fanfold_test::numbers next(4);
    for (const element type : {element::float32, element::float16, element::int64, element::uint8})
        for (std::size_t axis = 0; axis < 3; ++axis)
            for (const std::int64_t k : {0, 1, 3, 6})
                for (const extreme which : {extreme::largest, extreme::smallest}) {
                    const shape extents = shape{4, 5, 3}.with(axis, k == 6 ? 6 : 40), few = extents.with(axis, k);
                    tensor in(type, extents), values(type, few), where(element::int64, few);
                    bool right = true;
                    visit_element(type, [&]<class T>(T) {
                        T* x = in.as<T>().data();
                        for (std::size_t i = 0; i < in.size(); ++i) x[i] = static_cast<T>(std::floor(next() * 10 + 10));
                        kernel::top_k(which, in, axis, values, where.as<std::int64_t>());
                        const std::int64_t step = dense_strides(extents)[axis], n = extents[axis];
                        for (std::int64_t row = 0; row < static_cast<std::int64_t>(in.size()) / n; ++row) {
                            const std::int64_t first = row / step * n * step + row % step;
                            const std::int64_t to = row / step * k * step + row % step;
                            std::vector<std::int64_t> order(static_cast<std::size_t>(n));
                            std::iota(order.begin(), order.end(), 0);
                            std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
                                const T a = x[first + i * step], b = x[first + j * step];
                                return which == extreme::largest ? a > b : a < b;
                            });
                            for (std::int64_t i = 0; i < k; ++i) {
                                const std::int64_t best = order[static_cast<std::size_t>(i)];
                                right = right && where.as<std::int64_t>().data()[to + i * step] == best;
                                right = right && values.as<T>().data()[to + i * step] == x[first + best * step];
                            }
                        }
                    });
                    INFO(name_of(type) << " axis " << axis << " k " << k);
                    CHECK(right);
                }
}

TEST_CASE("NaN is larger than every number; what does not fit is refused", "[kernel][top_k]") {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    const float x[] = {1, nan, inf, nan, -inf};
    float values[5];
    std::int64_t where[5];
    kernel::top_k(extreme::largest, view<const float>(x, {5}), 0, view<float>(values, {5}), {where, shape{5}});
    CHECK(std::vector<std::int64_t>(where, where + 5) == std::vector<std::int64_t>{1, 3, 2, 0, 4});
    kernel::top_k(extreme::smallest, view<const float>(x, {5}), 0, view<float>(values, {5}), {where, shape{5}});
    CHECK(std::vector<std::int64_t>(where, where + 5) == std::vector<std::int64_t>{4, 0, 2, 1, 3});
    tensor in(element::float32, {5}), more(element::float32, {6});
    CHECK_THROWS_WITH(kernel::top_k(extreme::largest, in, 0, more, {where, shape{6}}),
                      "top_k: float32 [5] along axis 0 into float32 [6] and int64 [6]");
    CHECK_THROWS_AS(kernel::top_k(extreme::largest, in, 1, in, {where, shape{5}}), std::invalid_argument);
}
