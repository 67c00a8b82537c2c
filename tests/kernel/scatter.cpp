// SPDX-License-Identifier: MIT
#include <fanfold/kernel/scatter.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using kernel::scatter_mode;

namespace {

double combined(scatter_mode mode, double x, double y) {
    switch (mode) {
        case scatter_mode::add: return x + y;
        case scatter_mode::mul: return x * y;
        case scatter_mode::max: return std::max(x, y);
        case scatter_mode::min: return std::min(x, y);
        case scatter_mode::replace: break;
    }
    return y;
}
constexpr scatter_mode every_mode[] = {scatter_mode::replace, scatter_mode::add, scatter_mode::mul, scatter_mode::max,
                                       scatter_mode::min};

tensor small_numbers(element type, const shape& extents, std::uint64_t seed) {
    tensor made(type, extents);
    fanfold_test::numbers next(seed);
    visit_element(type, [&]<class T>(T) {
        for (std::size_t i = 0; i < made.size(); ++i)
            made.as<T>().data()[i] = static_cast<T>(static_cast<float>(static_cast<int>(next() * 2 + 3)));
    });
    return made;
}
std::vector<double> doubles(const tensor& from) {
    std::vector<double> out;
    visit_element(from.type(), [&]<class T>(T) {
        for (const T v : from.as<T>().flat()) out.push_back(static_cast<double>(v));
    });
    return out;
}

}  // namespace

TEST_CASE("scatter_elements writes and combines one element per index, equal indices in order", "[kernel][scatter]") {
    const shape whole{4, 5, 3};
    for (const element type : {element::float32, element::float16, element::int8, element::uint64, element::float64})
        for (const scatter_mode mode : every_mode)
            for (std::size_t axis = 0; axis < 3; ++axis) {
                const shape by = shape{3, 4, 2}.with(axis, 4);
                const tensor data = small_numbers(type, whole, 1), updates = small_numbers(type, by, 2);
                tensor indices(element::int64, by), out(type, whole);
                for (std::size_t i = 0; i < indices.size(); ++i)
                    indices.as<std::int64_t>().data()[i] = static_cast<std::int64_t>(i * 7 % 5) - 2;
                kernel::scatter_elements(mode, data, axis, indices, updates, out);
                std::vector<double> expected = doubles(data);
                const std::vector<double> with = doubles(updates);
                const auto index = indices.as<std::int64_t>();
                std::size_t i = 0;
                for (std::int64_t x = 0; x < by[0]; ++x)
                    for (std::int64_t y = 0; y < by[1]; ++y)
                        for (std::int64_t z = 0; z < by[2]; ++z) {
                            std::int64_t at[] = {x, y, z};
                            at[axis] = (index(x, y, z) + whole[axis]) % whole[axis];
                            double& there = expected[static_cast<std::size_t>((at[0] * 5 + at[1]) * 3 + at[2])];
                            there = combined(mode, there, with[i++]);
                        }
                INFO(name_of(type) << " axis " << axis);
                CHECK(doubles(out) == expected);
            }
}

TEST_CASE("scatter_nd writes and combines slices, in place too", "[kernel][scatter]") {
    for (const scatter_mode mode : every_mode) {
        const tensor data = small_numbers(element::float32, {4, 3, 2}, 3);
        const tensor pairs = tensor::of<std::int64_t>({3, 2}, {1, 2, 0, 0, 1, -1});
        const tensor updates = small_numbers(element::float32, {3, 2}, 4);
        tensor out(element::float32, {4, 3, 2}), same = data;
        kernel::scatter_nd(mode, data, pairs, updates, out);
        kernel::scatter_nd(mode, same, pairs, updates, same);
        std::vector<double> expected = doubles(data);
        const std::vector<double> with = doubles(updates);
        const std::size_t starts[] = {10, 0, 10};
        for (std::size_t t = 0; t < 3; ++t)
            for (std::size_t k = 0; k < 2; ++k)
                expected[starts[t] + k] = combined(mode, expected[starts[t] + k], with[t * 2 + k]);
        CHECK(doubles(out) == expected);
        CHECK(doubles(same) == expected);
    }
}

TEST_CASE("scatters refuse wrong shapes, types and indices", "[kernel][scatter]") {
    const tensor data(element::float32, {4, 3}), bits(element::boolean, {4, 3});
    const tensor indices = tensor::of<std::int64_t>({1, 1}, {4}), fine = tensor::of<std::int64_t>({1, 1}, {1});
    const tensor one(element::float32, {1, 1}), row(element::float32, {1, 3}), bit(element::boolean, {1, 1});
    tensor out(element::float32, {4, 3}), flags(element::boolean, {4, 3});
    const auto mode = scatter_mode::add;
    CHECK_THROWS_WITH(kernel::scatter_elements(mode, data, 0, indices, one, out),
                      "scatter_elements: index 4 is outside an extent of 4");
    CHECK_THROWS_AS(kernel::scatter_elements(mode, data, 0, fine, row, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::scatter_elements(mode, data, 2, fine, one, out), std::invalid_argument);
    CHECK_THROWS_AS(kernel::scatter_nd(mode, data, fine, one, out), std::invalid_argument);
    kernel::scatter_nd(mode, data, fine, row, out);
    kernel::scatter_elements(scatter_mode::replace, bits, 0, fine, bit, flags);
    CHECK_THROWS_WITH(kernel::scatter_elements(mode, bits, 0, fine, bit, flags),
                      "scatter_elements: bool can only be replaced");
}
