// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/strided.hpp>
#include <fanfold/kernel/transpose.hpp>

#include <algorithm>
#include <numeric>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

TEST_CASE("every order of the axes of tensors of every width, amid poison", "[kernel][transpose]") {
    const shape shapes[] = {{},          {7},          {33, 50},        {16, 32},   {1, 40, 1, 17},
                            {3, 17, 35}, {2, 3, 5, 7}, {2, 1, 4, 3, 5}, {4, 64, 9}, {20, 0, 3},
                            {3, 600},    {700, 2}};
    for (const shape& from : shapes)
        for (const element type : {element::uint8, element::float16, element::float32, element::float64}) {
            std::vector<std::size_t> order(from.rank());
            std::iota(order.begin(), order.end(), 0U);
            do {
                std::vector<std::int64_t> extents(from.rank());
                strides steps{};
                for (std::size_t a = 0; a < order.size(); ++a) {
                    extents[a] = from[order[a]];
                    steps[a] = dense_strides(from)[order[a]];
                }
                const shape to(extents);
                bool right = true;
                visit_width(type, [&]<class Word>(Word) {
                    std::vector<Word> in(from.volume()), room(from.volume() + 64, static_cast<Word>(0xA5));
                    std::vector<Word> expected = room;
                    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<Word>(i * 2654435761U);
                    const auto at = [](auto* p) {
                        return reinterpret_cast<std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(p)>>,
                                                                   const std::byte, std::byte>*>(p);
                    };
                    const Word* source = in.data();
                    kernel::transpose(tensor_view(at(source), type, from), order,
                                      mutable_tensor_view(at(room.data() + 32), type, to));
                    Word* z = expected.data() + 32;
                    kernel::detail::for_each_run<1>(
                        to, {steps}, [&](const std::array<std::int64_t, 1>& start, std::size_t n, const auto& step) {
                            for (std::size_t i = 0; i < n; ++i)
                                *z++ = in[static_cast<std::size_t>(start[0] + static_cast<std::int64_t>(i) * step[0])];
                        });
                    right = room == expected;
                });
                INFO(from.text() << " " << name_of(type));
                CHECK(right);
            } while (std::next_permutation(order.begin(), order.end()));
        }
}

TEST_CASE("strided inputs are transposed, wrong orders refused", "[kernel][transpose]") {
    const std::vector<float> x = numbers(3).some(600);
    std::vector<float> z(200);
    const std::size_t order[] = {1, 0}, twice[] = {1, 1}, far[] = {2, 0};
    const view<const float> in(x.data(), {10, 20}, {60, 2});
    const view<float> out(z.data(), {20, 10});
    kernel::transpose(in, order, out);
    bool right = true;
    for (std::int64_t i = 0; i < 10; ++i)
        for (std::int64_t j = 0; j < 20; ++j) right = right && same_bits(out(j, i), in(i, j));
    CHECK(right);
    CHECK_THROWS_WITH(kernel::transpose(in, twice, out),
                      "transpose: float32 [10, 20] in the order [1, 1] into float32 [20, 10]");
    CHECK_THROWS_AS(kernel::transpose(in, far, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::transpose(in, order, view<float>(z.data(), {10, 20})), std::invalid_argument);
    CHECK_THROWS_AS(kernel::transpose(in, order, view<float>(z.data(), {20, 10}, {1, 20})), std::invalid_argument);
}
