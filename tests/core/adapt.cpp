// SPDX-License-Identifier: MIT
#include <fanfold/core/adapt.hpp>

#include <deque>
#include <list>
#include <string>

#include "../catch.hpp"
#include "../text.hpp"

namespace {

struct image {
    std::vector<float> pixels;
    std::int64_t rows = 0, columns = 0;
};

const void* address(const fanfold::tensor_view& v) { return v.data(); }

}  // namespace

template <>
struct fanfold::adapt<image> {
    static tensor_view view(const image& i) { return fanfold::view<const float>(i.pixels.data(), {i.rows, i.columns}); }
};

using namespace fanfold;

TEST_CASE("A vector, an array and a span are tensors of rank 1 where they lie") {
    const std::vector<double> vector{1, 2, 3};
    CHECK(address(as_view(vector)) == vector.data());
    CHECK(describe(as_view(vector)) == "float64 [3]");
    const std::array<bool, 2> array{true, false};
    CHECK(address(as_view(array)) == array.data());
    CHECK(describe(as_view(array)) == "bool [2]");
    std::vector<std::int32_t> writable{4, 5};
    const std::span<std::int32_t> span = writable;
    CHECK(address(as_view(span)) == writable.data());
    CHECK(describe(as_view(span)) == "int32 [2]");
    const std::span<const std::int32_t> read_only = writable;
    CHECK(address(as_view(read_only)) == writable.data());
    CHECK(as_view(read_only).as<std::int32_t>()(1) == 5);
}

TEST_CASE("Empty containers are empty tensors") {
    CHECK(as_view(std::vector<float>{}).shape() == shape{0});
    CHECK(as_view(std::array<float, 0>{}).shape() == shape{0});
    CHECK(as_view(std::span<const float>{}).shape() == shape{0});
}

TEST_CASE("Tensors and views of every kind are seen where they lie") {
    tensor t = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    CHECK(address(as_view(t)) == t.data());
    CHECK(address(as_view(tensor_view(t))) == t.data());
    CHECK(address(as_view(mutable_tensor_view(t))) == t.data());
    CHECK(address(as_view(t.as<float>())) == t.data());
    const view<const float> strided(t.as<float>().data(), {2, 2}, strides{1, 2});
    CHECK(as_view(strided).steps()[1] == 2);
    CHECK(as_view(strided).as<float>()(0, 1) == 3.0F);
}

TEST_CASE("Only what holds elements in one piece of memory is viewable") {
    static_assert(viewable<std::vector<float>> && viewable<const std::vector<float>&> && viewable<std::array<bool, 3>>);
    static_assert(viewable<tensor> && viewable<tensor_view&> && viewable<view<const double>>);
    static_assert(!viewable<std::vector<bool>>);
    static_assert(!viewable<std::vector<char>> && !viewable<std::vector<std::vector<float>>>);
    static_assert(!viewable<std::list<float>> && !viewable<std::deque<float>>);
    static_assert(!viewable<float> && !viewable<std::string> && !viewable<float*>);
    static_assert(!viewable<view<char>> && !viewable<std::span<const char>>);
    SUCCEED();
}

TEST_CASE("A type of the user's is viewable once it says how") {
    static_assert(viewable<image>);
    const image i{{1, 2, 3, 4, 5, 6}, 3, 2};
    CHECK(address(as_view(i)) == i.pixels.data());
    CHECK(as_view(i).as<float>()(2, 1) == 6.0F);
}

TEST_CASE("A tensor is handed over as a view or a span without a copy") {
    tensor t = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
    const tensor_view read = t;
    const mutable_tensor_view write = t;
    CHECK(adapt<tensor_view>::from(read).data() == t.data());
    CHECK(adapt<tensor_view>::from(write).data() == t.data());
    CHECK(adapt<mutable_tensor_view>::from(write).data() == t.data());
    CHECK(adapt<view<const float>>::from(read).shape() == shape{2, 3});
    CHECK(adapt<view<const float>>::from(write).data() == t.as<float>().data());
    adapt<view<float>>::from(write)(0, 0) = 10.0F;
    const std::span<const float> span = adapt<std::span<const float>>::from(read);
    CHECK(span.data() == t.as<float>().data());
    CHECK(span.size() == 6);
    CHECK(span[0] == 10.0F);
    adapt<std::span<float>>::from(write)[5] = 60.0F;
    CHECK(t.as<float>()(1, 2) == 60.0F);
}

TEST_CASE("A container is a typed view where one is asked for, writable when the container is") {
    std::vector<float> vector{1, 2, 3};
    std::array<double, 2> array{4, 5};
    const view<const float> read = vector;
    CHECK(read.data() == vector.data());
    CHECK(read.shape() == shape{3});
    const view<float> write = vector;
    write(2) = 30.0F;
    CHECK(vector[2] == 30.0F);
    const view<double> of_array = array;
    CHECK(of_array.data() == array.data());
    static_assert(!std::is_convertible_v<const std::vector<float>&, view<float>>);
    static_assert(!std::is_convertible_v<const std::array<double, 2>&, view<double>>);
    static_assert(std::is_convertible_v<const std::vector<float>&, view<const float>>);
    static_assert(!std::is_convertible_v<std::vector<float>&, view<const double>>);
    static_assert(!std::is_convertible_v<std::vector<bool>&, view<const bool>>);
    static_assert(!std::is_convertible_v<tensor&, view<const float>>);
}

TEST_CASE("What writes is never made from what is read-only") {
    static_assert(castable_from<view<const float>> && castable_from<std::span<const bool>>);
    static_assert(castable_from<tensor_view> && castable_from<tensor_view, mutable_tensor_view>);
    static_assert(castable_from<view<float>, mutable_tensor_view> &&
                  castable_from<std::span<float>, mutable_tensor_view>);
    static_assert(castable_from<view<const float>, mutable_tensor_view>);
    static_assert(!castable_from<view<float>> && !castable_from<std::span<float>>);
    static_assert(!castable_from<mutable_tensor_view>);
    static_assert(!castable_from<std::vector<float>> && !castable_from<int>);
    SUCCEED();
}

TEST_CASE("Handing over as another element type, or a strided tensor as a span, is refused") {
    const tensor t = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    const tensor_view v = t;
    REQUIRE_THROWS_AS(adapt<view<const double>>::from(v), std::invalid_argument);
    CHECK(text_of([&] { (void)adapt<std::span<const bool>>::from(v); }) == "tensor holds float32, asked for bool");
    REQUIRE_THROWS_AS(adapt<std::span<const float>>::from(v.slice(1, 0, 1)), std::invalid_argument);
    CHECK(adapt<view<const float>>::from(v.slice(1, 1, 1))(1, 0) == 4.0F);
}
