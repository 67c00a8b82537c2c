// SPDX-License-Identifier: MIT
#include <fanfold/core/view.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

std::vector<float> counted(std::size_t count) {
    std::vector<float> values(count);
    std::iota(values.begin(), values.end(), 0.0F);
    return values;
}

const void* address(const tensor_view& v) { return v.data(); }

}  // namespace

TEST_CASE("A view reads and writes the caller's elements in row-major order") {
    std::vector<float> values = counted(6);
    const view<float> v(values.data(), {2, 3});
    CHECK(v.data() == values.data());
    CHECK(v.rank() == 2);
    CHECK(v.extent(1) == 3);
    CHECK(v.step(0) == 3);
    CHECK(v.size() == 6);
    CHECK(v(1, 2) == 5.0F);
    CHECK(&v(1, 0) == &values[3]);
    v(0, 1) = 10.0F;
    CHECK(values[1] == 10.0F);
}

TEST_CASE("A view without data is empty") {
    const view<float> v;
    CHECK(v.data() == nullptr);
    CHECK(v.shape() == shape{0});
    CHECK(v.size() == 0);
    CHECK(v.dense());
    CHECK(v.flat().empty());
    const tensor_view t;
    CHECK(t.data() == nullptr);
    CHECK(t.size() == 0);
    CHECK(t.bytes() == 0);
    CHECK(t.flat_bytes().empty());
}

TEST_CASE("A view of a span has rank 1") {
    std::vector<float> values = counted(4);
    const view<float> v = std::span<float>(values);
    CHECK(v.shape() == shape{4});
    CHECK(v.data() == values.data());
    CHECK(v(3) == 3.0F);
}

TEST_CASE("A view of rank 0 has one element") {
    float value = 3.0F;
    const view<float> v(&value, shape{});
    CHECK(v() == 3.0F);
    CHECK(v.dense());
    CHECK(v.flat().size() == 1);
}

TEST_CASE("A strided view finds its elements by its steps") {
    std::vector<float> values = counted(6);
    const view<const float> columns(values.data(), {3, 2}, strides{1, 3});
    CHECK(columns(0, 1) == 3.0F);
    CHECK(columns(2, 0) == 2.0F);
    CHECK(columns(2, 1) == 5.0F);
}

TEST_CASE("A view's element is read with a negative step") {
    std::vector<float> values = counted(4);
    const view<const float> backwards(values.data() + 3, {4}, strides{-1});
    CHECK(backwards(0) == 3.0F);
    CHECK(backwards(3) == 0.0F);
    CHECK_FALSE(backwards.dense());
}

TEST_CASE("A view is dense when its elements lie in row-major order without gaps") {
    std::vector<float> values = counted(24);
    float* const at = values.data();
    CHECK(view<float>(at, {4, 6}).dense());
    CHECK_FALSE(view<float>(at, {4, 6}, strides{1, 4}).dense());
    CHECK_FALSE(view<float>(at, {4, 3}, strides{6, 1}).dense());
    CHECK_FALSE(view<float>(at, {3}, strides{2}).dense());
    CHECK_FALSE(view<float>(at, {3}, strides{0}).dense());
}

TEST_CASE("The step of an axis with one element does not matter for density") {
    std::vector<float> values = counted(6);
    CHECK(view<float>(values.data(), {1, 6}, strides{1, 1}).dense());
    CHECK(view<float>(values.data(), {6, 1}, strides{1, 100}).dense());
    CHECK(view<float>(values.data(), {1, 1}, strides{-5, 77}).dense());
}

TEST_CASE("A view without elements is dense, whatever its steps") {
    float none = 0;
    CHECK(view<float>(&none, {0, 3}, strides{1, 0}).dense());
    CHECK(view<float>(&none, {3, 0}, strides{1, 3}).dense());
    CHECK(view<float>(&none, {0, 3}, strides{1, 0}).flat().empty());
}

TEST_CASE("The flat elements of a dense view are the caller's, and a strided one is refused by its shape") {
    std::vector<float> values = counted(6);
    const std::span<float> flat = view<float>(values.data(), {2, 3}).flat();
    CHECK(flat.data() == values.data());
    CHECK(flat.size() == 6);
    const view<float> strided(values.data(), {3, 2}, strides{1, 3});
    REQUIRE_THROWS_AS(strided.flat(), std::invalid_argument);
    CHECK(text_of([&] { (void)strided.flat(); }) == "view: [3, 2] is strided; flat() needs a dense one");
}

TEST_CASE("A writable view reads as a read-only one, not the other way round") {
    std::vector<float> values = counted(6);
    const view<const float> v = view<float>(values.data(), {3, 2}, strides{1, 3});
    CHECK(v.data() == values.data());
    CHECK(v(2, 1) == 5.0F);
    static_assert(!std::is_convertible_v<view<const float>, view<float>>);
    static_assert(!std::is_convertible_v<view<float>, view<const double>>);
    static_assert(std::is_convertible_v<mutable_tensor_view, tensor_view>);
    static_assert(!std::is_convertible_v<tensor_view, mutable_tensor_view>);
    static_assert(std::is_convertible_v<view<float>, mutable_tensor_view>);
    static_assert(!std::is_convertible_v<view<const float>, mutable_tensor_view>);
    static_assert(!std::is_convertible_v<view<char>, tensor_view>);
}

TEST_CASE("A typed view becomes a tensor view of its element type and back, steps included") {
    std::vector<std::int64_t> values{0, 1, 2, 3, 4, 5};
    const view<std::int64_t> typed(values.data(), {3, 2}, strides{1, 3});
    const mutable_tensor_view any = typed;
    CHECK(any.type() == element::int64);
    CHECK(any.shape() == shape{3, 2});
    CHECK(address(any) == values.data());
    CHECK(any.bytes() == 48);
    CHECK_FALSE(any.dense());
    const view<std::int64_t> back = any.as<std::int64_t>();
    CHECK(back.data() == values.data());
    CHECK(back(2, 1) == 5);
    back(2, 1) = 50;
    CHECK(values[5] == 50);
    static_assert(std::is_same_v<decltype(tensor_view(any).as<std::int64_t>()), view<const std::int64_t>>);
}

TEST_CASE("A tensor view asked for another element type names both") {
    const std::vector<float> values = counted(2);
    const tensor_view v = view<const float>(values);
    REQUIRE_THROWS_AS(v.as<double>(), std::invalid_argument);
    CHECK(text_of([&] { (void)v.as<double>(); }) == "tensor holds float32, asked for float64");
    CHECK(text_of([&] { (void)v.as<bool>(); }) == "tensor holds float32, asked for bool");
}

TEST_CASE("A row slice of a view shares its elements") {
    std::vector<float> values = counted(12);
    const mutable_tensor_view v = view<float>(values.data(), {4, 3});
    const mutable_tensor_view middle = v.rows(1, 2);
    CHECK(middle.shape() == shape{2, 3});
    CHECK(address(middle) == &values[3]);
    CHECK(middle.dense());
    CHECK(middle.as<float>()(1, 2) == 8.0F);
    middle.as<float>()(0, 0) = -1.0F;
    CHECK(values[3] == -1.0F);
    CHECK(v.rows(0, 4).shape() == v.shape());
}

TEST_CASE("A slice along another axis keeps the steps and is strided") {
    std::vector<double> values(24);
    std::iota(values.begin(), values.end(), 0.0);
    const tensor_view v = view<double>(values.data(), {2, 3, 4});
    const tensor_view cut = v.slice(1, 1, 2).slice(2, 3, 1);
    CHECK(cut.shape() == shape{2, 2, 1});
    CHECK(address(cut) == &values[7]);
    CHECK_FALSE(cut.dense());
    CHECK(cut.as<double>()(0, 1, 0) == 11.0);
    CHECK(cut.as<double>()(1, 1, 0) == 23.0);
}

TEST_CASE("A slice of a view with a negative step moves backwards") {
    std::vector<float> values = counted(4);
    const tensor_view backwards = view<const float>(values.data() + 3, {4}, strides{-1});
    const tensor_view cut = backwards.slice(0, 1, 2);
    CHECK(address(cut) == &values[2]);
    CHECK(cut.as<float>()(1) == 1.0F);
}

TEST_CASE("A slice may be empty, also at the end and of an empty tensor") {
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    CHECK(v.rows(2, 0).shape() == shape{0, 3});
    CHECK(v.rows(0, 0).dense());
    CHECK(v.slice(1, 3, 0).shape() == shape{2, 0});
    CHECK(v.slice(1, 3, 0).dense());
    const tensor_view none(nullptr, element::float32, {5, 0});
    CHECK(none.rows(3, 1).shape() == shape{1, 0});
    CHECK(none.rows(3, 1).data() == nullptr);
}

TEST_CASE("A slice beyond the axis is refused with what was asked for and what there is") {
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    REQUIRE_THROWS_AS(v.rows(1, 2), std::invalid_argument);
    REQUIRE_THROWS_AS(v.rows(3, 0), std::invalid_argument);
    REQUIRE_THROWS_AS(v.slice(1, 0, 4), std::invalid_argument);
    REQUIRE_THROWS_AS(v.slice(2, 0, 1), std::invalid_argument);
    REQUIRE_THROWS_AS(v.slice(100, 0, 0), std::invalid_argument);
    CHECK(text_of([&] { (void)v.rows(1, 2); }) == "slice of 2 from 1 along axis 0 of [2, 3]");
}

TEST_CASE("A slice whose end would overflow is refused") {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    REQUIRE_THROWS_AS(v.rows(most, 2), std::invalid_argument);
    REQUIRE_THROWS_AS(v.rows(most, 1), std::invalid_argument);
    REQUIRE_THROWS_AS(v.rows(1, most), std::invalid_argument);
}

TEST_CASE("A reshaped view shares its elements") {
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    const tensor_view column = v.reshaped({6, 1});
    CHECK(address(column) == values.data());
    CHECK(column.shape() == shape{6, 1});
    CHECK(column.as<float>()(4, 0) == 4.0F);
}

TEST_CASE("Another volume or a strided view cannot be reshaped, and the text says which") {
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    REQUIRE_THROWS_AS(v.reshaped({7}), std::invalid_argument);
    CHECK(text_of([&] { (void)v.reshaped({7}); }) == "cannot reshape [2, 3] to [7]");
    const tensor_view strided = view<float>(values.data(), {3, 2}, strides{1, 3});
    REQUIRE_THROWS_AS(strided.reshaped({6}), std::invalid_argument);
    CHECK(text_of([&] { (void)strided.reshaped({6}); }) == "cannot reshape strided [3, 2] to [6]");
}

TEST_CASE("The bytes of a dense tensor view are the caller's, and a strided one is refused by its shape") {
    std::vector<float> values = counted(6);
    const tensor_view v = view<float>(values.data(), {2, 3});
    const void* const first = v.flat_bytes().data();
    CHECK(first == values.data());
    CHECK(v.flat_bytes().size() == 24);
    const tensor_view strided = view<float>(values.data(), {3, 2}, strides{1, 3});
    REQUIRE_THROWS_AS(strided.flat_bytes(), std::invalid_argument);
    CHECK(text_of([&] { (void)strided.flat_bytes(); }) == "tensor [3, 2] is strided; a dense one is needed");
}

TEST_CASE("A tensor view is described by type and shape") {
    std::array<bool, 6> values{};
    CHECK(describe(view<bool>(values.data(), {2, 3})) == "bool [2, 3]");
}
