// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>
#include <fanfold/kernel/gather.hpp>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;
using namespace fanfold_test;

namespace {

/// 0, 1, 2, ... as elements of `type`.
tensor counted(element type, const shape& extents) {
    tensor made(type, extents);
    visit_width(type, [&]<class Word>(Word) {
        for (std::size_t i = 0; i < made.size(); ++i) reinterpret_cast<Word*>(made.data())[i] = static_cast<Word>(i);
    });
    return made;
}
std::vector<std::uint64_t> words(const tensor& from) {
    std::vector<std::uint64_t> out;
    visit_width(from.type(), [&]<class Word>(Word) {
        for (std::size_t i = 0; i < from.size(); ++i) out.push_back(reinterpret_cast<const Word*>(from.data())[i]);
    });
    return out;
}
constexpr element every_width[] = {element::uint8, element::float16, element::float32, element::float64};

}  // namespace

TEST_CASE("gather takes slices along any axis, by indices of any rank", "[kernel][gather]") {
    for (const element type : every_width)
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const shape from{4, 5, 3};
            const tensor data = counted(type, from);
            for (const shape& by : {shape{}, shape{7}, shape{2, 3}, shape{0}}) {
                tensor indices(element::int64, by);
                for (std::size_t i = 0; i < indices.size(); ++i)
                    indices.as<std::int64_t>().data()[i] = static_cast<std::int64_t>(i * 5 % 6) - 3;
                std::vector<std::int64_t> extents;
                for (std::size_t a = 0; a < axis; ++a) extents.push_back(from[a]);
                extents.insert(extents.end(), by.begin(), by.end());
                for (std::size_t a = axis + 1; a < 3; ++a) extents.push_back(from[a]);
                tensor out(type, shape(extents));
                kernel::gather(data, axis, indices, out);
                const std::size_t inner = axis == 0 ? 15 : axis == 1 ? 3 : 1, n = static_cast<std::size_t>(from[axis]);
                const auto got = words(out);
                bool right = true;
                for (std::size_t i = 0; i < got.size(); ++i) {
                    std::int64_t index = indices.as<std::int64_t>().data()[i / inner % indices.size()];
                    if (index < 0) index += from[axis];
                    const std::size_t o = i / inner / indices.size();
                    right = right && got[i] == (o * n + static_cast<std::size_t>(index)) * inner + i % inner;
                }
                INFO(name_of(type) << " axis " << axis << " " << by.text());
                CHECK(right);
            }
        }
}

TEST_CASE("gather_elements takes one element per index", "[kernel][gather]") {
    for (const element type : every_width)
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const shape from{4, 5, 3}, by = shape{3, 4, 2}.with(axis, 6);
            const tensor data = counted(type, from);
            tensor indices(element::int32, by), out(type, by);
            for (std::size_t i = 0; i < indices.size(); ++i)
                indices.as<std::int32_t>().data()[i] = static_cast<std::int32_t>(i * 7 % 6) - 3;
            kernel::gather_elements(data, axis, indices, out);
            const auto got = words(out);
            const auto index = indices.as<std::int32_t>();
            bool right = true;
            std::size_t at = 0;
            for (std::int64_t i = 0; i < by[0]; ++i)
                for (std::int64_t j = 0; j < by[1]; ++j)
                    for (std::int64_t k = 0; k < by[2]; ++k) {
                        std::int64_t where[] = {i, j, k};
                        where[axis] = (index(i, j, k) + from[axis]) % from[axis];
                        right =
                            right && got[at++] == static_cast<std::uint64_t>((where[0] * 5 + where[1]) * 3 + where[2]);
                    }
            CHECK(right);
        }
}

TEST_CASE("gather_nd takes slices by tuples, batch by batch", "[kernel][gather]") {
    const tensor data = counted(element::float32, {2, 3, 4});
    const auto run = [&](const tensor& indices, std::size_t batch, const shape& extents) {
        tensor out(element::float32, extents);
        kernel::gather_nd(data, indices, batch, out);
        return words(out);
    };
    using list = std::vector<std::uint64_t>;
    CHECK(run(tensor::of<std::int64_t>({2, 3}, {1, 0, 2, 0, -1, -1}), 0, {2}) == list{14, 11});
    CHECK(run(tensor::of<std::int64_t>({1, 2, 2}, {1, 2, 0, 1}), 0, {1, 2, 4}) == list{20, 21, 22, 23, 4, 5, 6, 7});
    CHECK(run(tensor::of<std::int64_t>({2, 1}, {2, 0}), 1, {2, 4}) == list{8, 9, 10, 11, 12, 13, 14, 15});
    CHECK(run(tensor::of<std::int64_t>({2, 3, 1}, {3, 2, 1, 0, 1, 2}), 2, {2, 3}) == list{3, 6, 9, 12, 17, 22});
    CHECK(run(tensor::of<std::int64_t>({2, 2, 2}, {0, 1, 2, 3, 1, 0, 2, 2}), 1, {2, 2}) == list{1, 11, 16, 22});
    CHECK(run(tensor::of<std::int64_t>({1, 0}, {}), 0, {1, 2, 3, 4}).size() == 24);
}

TEST_CASE("gathers refuse wrong shapes and indices", "[kernel][gather]") {
    const tensor data = counted(element::float32, {4, 5});
    const tensor far = tensor::of<std::int64_t>({1}, {4}), near = tensor::of<std::int64_t>({1}, {-4});
    tensor row(element::float32, {1, 5}), wrong(element::float32, {5}), other(element::int32, {1, 5});
    kernel::gather(data, 0, near, row);
    CHECK_THROWS_WITH(kernel::gather(data, 0, far, row), "gather: index 4 is outside an extent of 4");
    CHECK_THROWS_WITH(kernel::gather(data, 0, near, wrong), "gather: float32 [4, 5] by int64 [1] into float32 [5]");
    CHECK_THROWS_AS(kernel::gather(data, 0, near, other), std::invalid_argument);
    CHECK_THROWS_AS(kernel::gather(data, 2, near, row), std::invalid_argument);
    CHECK_THROWS_AS(kernel::gather_elements(data, 0, near, wrong), std::invalid_argument);
    CHECK_THROWS_AS(kernel::gather_nd(data, near, 1, wrong), std::invalid_argument);
}
