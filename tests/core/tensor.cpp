// SPDX-License-Identifier: MIT
#include <fanfold/core/tensor.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

bool aligned(const void* at) { return reinterpret_cast<std::uintptr_t>(at) % 64 == 0; }

tensor counted(const shape& extents) {
    tensor made(element::float32, extents);
    const auto values = made.as<float>().flat();
    std::iota(values.begin(), values.end(), 0.0F);
    return made;
}

std::vector<float> values_of(const tensor_view& t) {
    const tensor dense(t);
    const auto flat = dense.as<float>().flat();
    return {flat.begin(), flat.end()};
}

void check_empty(const tensor& t) {
    CHECK(t.data() == nullptr);
    CHECK(t.shape() == shape{0});
    CHECK(t.size() == 0);
    CHECK(t.bytes() == 0);
}

}  // namespace

TEST_CASE("A new tensor is zero, dense and starts on a cache line") {
    for (const element type : {element::float32, element::float64, element::int32, element::int64, element::boolean}) {
        for (const std::int64_t count : {1, 3, 17, 1000}) {
            tensor const t(type, {count, 3});
            CHECK(t.type() == type);
            CHECK(t.shape() == shape{count, 3});
            CHECK(t.size() == static_cast<std::size_t>(3 * count));
            CHECK(t.bytes() == t.size() * size_of(type));
            CHECK(aligned(t.data()));
            CHECK(std::all_of(t.data(), t.data() + t.bytes(), [](std::byte b) { return b == std::byte{0}; }));
            CHECK(tensor_view(t).dense());
        }
    }
}

TEST_CASE("An uninitialized tensor is aligned and writable in full") {
    tensor t = tensor::uninitialized(element::int64, {5, 7});
    CHECK(aligned(t.data()));
    CHECK(t.type() == element::int64);
    CHECK(t.bytes() == 280);
    for (std::int64_t& value : t.as<std::int64_t>().flat()) value = 3;
    CHECK(t.as<std::int64_t>()(4, 6) == 3);
}

TEST_CASE("A tensor made by default is empty") { check_empty(tensor{}); }

TEST_CASE("A tensor of rank 0 holds one element") {
    tensor t = tensor::of<float>({}, {7.0F});
    CHECK(t.size() == 1);
    CHECK(t.as<float>()() == 7.0F);
    CHECK(values_of(t) == std::vector<float>{7.0F});
}

TEST_CASE("A tensor without elements keeps its shape and has no memory") {
    tensor t(element::float64, {3, 0, 2});
    CHECK(t.data() == nullptr);
    CHECK(t.shape() == shape{3, 0, 2});
    CHECK(t.type() == element::float64);
    CHECK(t.as<double>().flat().empty());
    CHECK(t.rows(2, 1).shape() == shape{1, 0, 2});
    const tensor copy = t;
    CHECK(copy.shape() == shape{3, 0, 2});
    CHECK(tensor::of<float>({0}, {}).size() == 0);
}

TEST_CASE("A tensor holds the values that it was made of") {
    const tensor t = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    CHECK(t.type() == element::float32);
    CHECK(t.as<float>()(0, 2) == 3.0F);
    CHECK(t.as<float>()(1, 0) == 4.0F);
    const std::vector<std::int32_t> ids{7, 8, 9};
    const tensor copied = tensor::of<std::int32_t>({3}, std::span<const std::int32_t>(ids));
    CHECK(copied.as<std::int32_t>()(2) == 9);
    const void* const first = copied.data();
    CHECK(first != ids.data());
    const tensor flags = tensor::of<bool>({3}, {true, false, true});
    CHECK(flags.bytes() == 3);
    CHECK(flags.as<bool>()(2));
}

TEST_CASE("Values that do not fill the shape are refused with both numbers") {
    REQUIRE_THROWS_AS(tensor::of<float>({2, 3}, {1, 2, 3, 4, 5}), std::invalid_argument);
    CHECK(text_of([] { (void)tensor::of<float>({2, 3}, {1, 2, 3, 4, 5}); }) == "tensor: 5 values for [2, 3]");
    REQUIRE_THROWS_AS(tensor::of<float>({}, {1, 2}), std::invalid_argument);
}

TEST_CASE("A tensor of more bytes than memory can address is refused, also where rounding up would wrap to few") {
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
    REQUIRE_THROWS_AS(tensor(element::float32, shape{largest}), std::invalid_argument);
    REQUIRE_THROWS_AS(tensor(element::float64, shape{largest / 4, 2}), std::invalid_argument);
    REQUIRE_THROWS_AS(tensor::uninitialized(element::float32, shape{largest / 2}), std::invalid_argument);
    REQUIRE_THROWS_AS(tensor::uninitialized(element::float64, shape{largest / 4}), std::invalid_argument);
    CHECK(text_of([] { tensor(element::float32, shape{largest / 2}); }) ==
          "tensor: [4611686018427387903] has more bytes than memory can address");
}

TEST_CASE("A buffer larger than memory can address is refused before it is asked for") {
    REQUIRE_THROWS_AS(detail::allocate_aligned(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
    REQUIRE_THROWS_AS(detail::allocate_aligned(std::size_t{1} << 63), std::bad_alloc);
}

TEST_CASE("A copy of a tensor has its own elements") {
    tensor first = counted({2, 3});
    tensor second = first;
    CHECK(second.data() != first.data());
    CHECK(aligned(second.data()));
    CHECK(values_of(second) == values_of(first));
    second.as<float>()(0, 0) = 100.0F;
    CHECK(first.as<float>()(0, 0) == 0.0F);
    tensor third(element::int32, {1});
    third = first;
    CHECK(third.type() == element::float32);
    CHECK(values_of(third) == values_of(first));
    CHECK(third.data() != first.data());
}

TEST_CASE("Moving a tensor hands its memory over and leaves an empty one") {
    tensor first(element::int64, {4});
    const std::byte* const memory = first.data();
    tensor second = std::move(first);
    CHECK(second.data() == memory);
    CHECK(second.shape() == shape{4});
    CHECK(second.type() == element::int64);
    check_empty(first);
    tensor third(element::float32, {9});
    third = std::move(second);
    CHECK(third.data() == memory);
    check_empty(second);
    static_assert(std::is_nothrow_move_constructible_v<tensor> && std::is_nothrow_move_assignable_v<tensor>);
}

TEST_CASE("A moved-from tensor can be used again") {
    tensor first = counted({2});
    const tensor taken = std::move(first);
    first = counted({3});
    CHECK(values_of(first) == std::vector<float>{0, 1, 2});
    CHECK(values_of(taken) == std::vector<float>{0, 1});
}

TEST_CASE("A tensor assigned to itself keeps its elements") {
    tensor t = counted({2, 2});
    tensor& same = t;
    t = same;
    CHECK(values_of(t) == std::vector<float>{0, 1, 2, 3});
    t = std::move(same);
    CHECK(values_of(t) == std::vector<float>{0, 1, 2, 3});
}

TEST_CASE("Swapped tensors hold each other's memory") {
    tensor a = counted({2}), b(element::boolean, {5});
    const std::byte *const of_a = a.data(), *const of_b = b.data();
    a.swap(b);
    CHECK(a.data() == of_b);
    CHECK(a.type() == element::boolean);
    CHECK(a.shape() == shape{5});
    CHECK(b.data() == of_a);
    CHECK(b.shape() == shape{2});
}

TEST_CASE("The elements of a tensor are seen as their own type only") {
    tensor t(element::float32, {2});
    static_assert(std::is_same_v<decltype(t.as<float>()), view<float>>);
    static_assert(std::is_same_v<decltype(std::as_const(t).as<float>()), view<const float>>);
    const void* const first = t.as<float>().data();
    CHECK(first == t.data());
    REQUIRE_THROWS_AS(t.as<std::int64_t>(), std::invalid_argument);
    CHECK(text_of([&] { (void)std::as_const(t).as<std::int64_t>(); }) == "tensor holds float32, asked for int64");
}

TEST_CASE("A temporary tensor cannot be seen as a view that would dangle") {
    static_assert(!std::is_convertible_v<tensor, tensor_view>);
    static_assert(!std::is_convertible_v<const tensor, tensor_view>);
    static_assert(!std::is_convertible_v<tensor, mutable_tensor_view>);
    static_assert(!std::is_convertible_v<const tensor&, mutable_tensor_view>);
    static_assert(std::is_convertible_v<const tensor&, tensor_view>);
    static_assert(std::is_convertible_v<tensor&, mutable_tensor_view>);
    SUCCEED();
}

TEST_CASE("A row slice shares the tensor's elements") {
    tensor t = counted({4, 3});
    const mutable_tensor_view rows = t.rows(1, 2);
    CHECK(rows.data() == t.data() + 12);
    CHECK(rows.shape() == shape{2, 3});
    rows.as<float>()(0, 0) = -1.0F;
    CHECK(t.as<float>()(1, 0) == -1.0F);
    const tensor& constant = t;
    CHECK(constant.rows(3, 1).data() == constant.data() + 36);
    static_assert(std::is_same_v<decltype(constant.rows(0, 1)), tensor_view>);
    REQUIRE_THROWS_AS(t.rows(3, 2), std::invalid_argument);
}

TEST_CASE("A tensor made from a strided view is dense, in the view's order") {
    const tensor t = counted({2, 3, 4});
    const tensor_view cut = tensor_view(t).slice(1, 1, 2).slice(2, 0, 3);
    REQUIRE_FALSE(cut.dense());
    const tensor copy(cut);
    CHECK(tensor_view(copy).dense());
    CHECK(copy.shape() == shape{2, 2, 3});
    CHECK(values_of(copy) == std::vector<float>{4, 5, 6, 8, 9, 10, 16, 17, 18, 20, 21, 22});
    const view<const float> transposed(t.as<float>().data(), {4, 6}, strides{1, 4});
    const tensor turned(transposed);
    CHECK(turned.as<float>()(3, 5) == 23.0F);
    CHECK(turned.as<float>()(1, 2) == 9.0F);
}

TEST_CASE("Copying fills a strided target and leaves what lies between alone") {
    tensor target = counted({3, 4});
    const tensor source = tensor::of<float>({3, 2}, {-1, -2, -3, -4, -5, -6});
    detail::copy_elements(source, mutable_tensor_view(target).slice(1, 1, 2));
    CHECK(values_of(target) == std::vector<float>{0, -1, -2, 3, 4, -3, -4, 7, 8, -5, -6, 11});
}

TEST_CASE("Copying turns row-major into column-major and back") {
    const tensor source = counted({2, 3});
    std::vector<float> columns(6);
    const view<float> turned(columns.data(), {2, 3}, strides{1, 2});
    detail::copy_elements(source, turned);
    CHECK(columns == std::vector<float>{0, 3, 1, 4, 2, 5});
    tensor back(element::float32, {2, 3});
    detail::copy_elements(turned, back);
    CHECK(values_of(back) == values_of(source));
}

TEST_CASE("Copying between other types or shapes is refused with both") {
    const tensor source(element::float32, {2, 3});
    tensor other_shape(element::float32, {3, 2});
    tensor other_type(element::int32, {2, 3});
    REQUIRE_THROWS_AS(detail::copy_elements(source, other_shape), std::invalid_argument);
    REQUIRE_THROWS_AS(detail::copy_elements(source, other_type), std::invalid_argument);
    CHECK(text_of([&] { detail::copy_elements(source, other_type); }) == "cannot copy float32 [2, 3] to int32 [2, 3]");
}
