// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/hardmax.hpp>

#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("hardmax puts a 1 at the first largest element along any axis", "[kernel][hardmax]") {
    numbers next(4);
    for (const element type : {element::float32, element::float64, element::float16, element::bfloat16})
        for (const shape& extents : {shape{7, 10}, shape{3, 16, 5}, shape{2, 3, 1, 70}, shape{1}, shape{100, 3}})
            for (std::size_t axis = 0; axis < extents.rank(); ++axis) {
                tensor in(type, extents), out(type, extents);
                bool right = true;
                visit_element(type, [&]<class T>(T) {
                    T* x = in.as<T>().data();
                    for (std::size_t i = 0; i < in.size(); ++i) x[i] = T(std::floor(next() * 4));
                    kernel::hardmax(in, axis, out);
                    const auto step = static_cast<std::size_t>(dense_strides(extents)[axis]);
                    const auto n = static_cast<std::size_t>(extents[axis]);
                    for (std::size_t i = 0; i < in.size(); ++i) {
                        const std::size_t start = i - i / step % n * step;
                        std::size_t best = start;
                        for (std::size_t k = 1; k < n; ++k)
                            if (x[start + k * step] > x[best]) best = start + k * step;
                        right = right && static_cast<double>(out.as<T>().data()[i]) == (i == best ? 1 : 0);
                    }
                });
                INFO(name_of(type) << " " << extents.text() << " axis " << axis);
                CHECK(right);
            }
}

TEST_CASE("hardmax takes NaN for the largest, and refuses what does not fit", "[kernel][hardmax]") {
    const float x[] = {3, std::numeric_limits<float>::quiet_NaN(), 9};
    float z[3];
    kernel::hardmax(view<const float>(x, {3}), 0, view<float>(z, {3}));
    CHECK((z[0] == 0 && z[1] == 1 && z[2] == 0));
    tensor whole(element::int32, {3});
    CHECK_THROWS_AS(kernel::hardmax(whole, 0, whole), std::invalid_argument);
    CHECK_THROWS_AS(kernel::hardmax(view<const float>(x, {3}), 1, view<float>(z, {3})), std::invalid_argument);
}
