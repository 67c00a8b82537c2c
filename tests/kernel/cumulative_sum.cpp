// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/cumulative_sum.hpp>

#include <cmath>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::own_element;
using kernel::sum_from;

TEST_CASE("running sums along any axis, from either end, with and without the element itself", "[kernel][cumulative]") {
    for (const element type : {element::float32, element::float64, element::float16, element::int32, element::uint8})
        for (const shape& extents : {shape{6}, shape{3, 7}, shape{2, 5, 300}, shape{4, 0}})
            for (std::size_t axis = 0; axis < extents.rank(); ++axis)
                for (const own_element own : {own_element::counts, own_element::is_left_out})
                    for (const sum_from begin : {sum_from::start, sum_from::end}) {
                        tensor in(type, extents), out(type, extents);
                        bool right = true;
                        visit_element(type, [&]<class T>(T) {
                            T* x = in.as<T>().data();
                            for (std::size_t i = 0; i < in.size(); ++i)
                                x[i] = static_cast<T>(static_cast<float>(i * 7 % 5));
                            kernel::cumulative_sum(own, begin, in, axis, out);
                            const auto step = static_cast<std::size_t>(dense_strides(extents)[axis]);
                            const auto n = static_cast<std::size_t>(extents[axis]);
                            for (std::size_t i = 0; i < in.size(); ++i) {
                                const std::size_t at = i / step % n;
                                double sum = 0;
                                for (std::size_t k = 0; k < n; ++k) {
                                    const bool before = begin == sum_from::start ? k < at : k > at;
                                    if (before || (k == at && own == own_element::counts))
                                        sum += static_cast<double>(x[i + k * step - at * step]);
                                }
                                if (type == element::uint8) sum -= std::floor(sum / 256) * 256;
                                right = right && static_cast<double>(out.as<T>().data()[i]) == sum;
                            }
                        });
                        INFO(name_of(type) << " " << extents.text() << " axis " << axis);
                        CHECK(right);
                    }
}

TEST_CASE("running sums of integers wrap; what does not fit is refused", "[kernel][cumulative]") {
    const std::int8_t x[] = {100, 100, -128};
    std::int8_t z[3];
    kernel::cumulative_sum(own_element::counts, sum_from::start, view<const std::int8_t>(x, {3}), 0,
                           view<std::int8_t>(z, {3}));
    CHECK((z[0] == 100 && z[1] == -56 && z[2] == 72));
    tensor a(element::float32, {3}), b(element::float32, {4});
    CHECK_THROWS_WITH(kernel::cumulative_sum(own_element::counts, sum_from::start, a, 0, b),
                      "cumulative_sum: float32 [3] along axis 0 into float32 [4]");
    CHECK_THROWS_AS(kernel::cumulative_sum(own_element::counts, sum_from::start, a, 1, a), std::invalid_argument);
}
