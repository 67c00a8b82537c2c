// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/arg_extreme.hpp>

#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;
using kernel::extreme;
using kernel::tie;

TEST_CASE("the largest and the smallest are found along any axis, first or last of equals", "[kernel][arg_extreme]") {
    numbers next(4);
    for (const element type :
         {element::float32, element::float64, element::float16, element::int32, element::uint8, element::uint64})
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const shape whole{6, 70, 5};
            std::vector<double> values;
            tensor in(type, whole);
            visit_element(type, [&]<class T>(T) {
                for (std::size_t i = 0; i < whole.volume(); ++i) {
                    values.push_back(std::floor(static_cast<double>(next()) * 4 + 4));
                    in.as<T>().data()[i] = static_cast<T>(static_cast<float>(values.back()));
                }
            });
            for (const extreme which : {extreme::largest, extreme::smallest})
                for (const tie equal : {tie::first, tie::last}) {
                    tensor out(element::int64, whole.with(axis, 1));
                    kernel::arg_extreme(which, equal, in, axis, out.as<std::int64_t>());
                    bool right = true;
                    const auto step = static_cast<std::size_t>(dense_strides(whole)[axis]);
                    for (std::size_t start = 0, answer = 0; start < values.size(); ++start) {
                        if (start / step % static_cast<std::size_t>(whole[axis]) != 0) continue;
                        std::int64_t best = 0;
                        for (std::int64_t k = 1; k < whole[axis]; ++k) {
                            const double x = values[start + static_cast<std::size_t>(k) * step];
                            const double y = values[start + static_cast<std::size_t>(best) * step];
                            const bool ahead = which == extreme::largest ? x > y : x < y;
                            if (ahead || (x == y && equal == tie::last)) best = k;
                        }
                        right = right && out.as<std::int64_t>().data()[answer++] == best;
                    }
                    INFO(name_of(type) << " axis " << axis);
                    CHECK(right);
                }
        }
}

TEST_CASE("NaN beats every number; without the axis or with 1 at it", "[kernel][arg_extreme]") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> x{1, nan, 3, nan, 2};
    std::int64_t at = 0;
    const view<const float> in(x.data(), {1, 5});
    kernel::arg_extreme(extreme::largest, tie::first, in, 1, {&at, shape{1}});
    CHECK(at == 1);
    kernel::arg_extreme(extreme::smallest, tie::last, in, 1, {&at, shape{1, 1}});
    CHECK(at == 3);
    CHECK_THROWS_WITH(kernel::arg_extreme(extreme::largest, tie::first, in, 2, {&at, shape{1}}),
                      "arg_extreme of float32 [1, 5] along axis 2 into int64 [1]");
    CHECK_THROWS_AS(kernel::arg_extreme(extreme::largest, tie::first, in, 1, {&at, shape{2}}), std::invalid_argument);
    CHECK_THROWS_AS(
        kernel::arg_extreme(extreme::largest, tie::first, view<const float>(x.data(), {1, 0}), 1, {&at, shape{1}}),
        std::invalid_argument);
}
