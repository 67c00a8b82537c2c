// SPDX-License-Identifier: MIT
#include <fanfold/core/eigen_tensor.hpp>

#include <type_traits>

#include "../catch.hpp"
#include "../text.hpp"

using namespace fanfold;

namespace {

template <class Tensor>
Tensor counted() {
    Tensor t(2, 3, 4);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) t(i, j, k) = static_cast<typename Tensor::Scalar>(100 * i + 10 * j + k);
    return t;
}

const void* address(const tensor_view& v) { return v.data(); }

}  // namespace

TEST_CASE("A row-major Eigen tensor is a dense tensor where it lies") {
    const auto t = counted<Eigen::Tensor<float, 3, Eigen::RowMajor>>();
    const tensor_view v = as_view(t);
    CHECK(address(v) == t.data());
    CHECK(describe(v) == "float32 [2, 3, 4]");
    CHECK(v.dense());
    CHECK(v.as<float>()(1, 2, 3) == 123.0F);
}

TEST_CASE("A column-major Eigen tensor is a strided tensor with its own axes") {
    const auto t = counted<Eigen::Tensor<double, 3>>();
    const tensor_view v = as_view(t);
    CHECK(address(v) == t.data());
    CHECK(describe(v) == "float64 [2, 3, 4]");
    CHECK_FALSE(v.dense());
    CHECK(v.steps()[0] == 1);
    CHECK(v.steps()[1] == 2);
    CHECK(v.steps()[2] == 6);
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) CHECK(&v.as<double>()(i, j, k) == &t(i, j, k));
    const tensor dense(v);
    CHECK(dense.as<double>()(1, 0, 3) == 103.0);
}

TEST_CASE("An Eigen tensor of rank 0, and one without elements, are tensors of their shape") {
    Eigen::Tensor<float, 0> one;
    one() = 4.0F;
    CHECK(as_view(one).shape() == shape{});
    CHECK(as_view(one).as<float>()() == 4.0F);
    const Eigen::Tensor<float, 2> none(0, 3);
    CHECK(as_view(none).shape() == shape{0, 3});
    CHECK(as_view(none).dense());
}

TEST_CASE("A tensor becomes an Eigen tensor map without a copy, and back") {
    tensor t(element::float32, {2, 3, 4});
    t.as<float>()(1, 0, 2) = 5.0F;
    const auto read = as_tensor_map<float, 3>(tensor_view(t));
    static_assert(std::is_same_v<decltype(read), const tensor_map<const float, 3>>);
    CHECK(read.data() == t.as<float>().data());
    CHECK(read.dimension(0) == 2);
    CHECK(read.dimension(2) == 4);
    CHECK(read(1, 0, 2) == 5.0F);
    auto write = as_tensor_map<float, 3>(mutable_tensor_view(t));
    write(0, 2, 3) = 7.0F;
    CHECK(t.as<float>()(0, 2, 3) == 7.0F);
    CHECK(address(as_view(read)) == t.data());
    CHECK(as_view(read).shape() == t.shape());
    CHECK(address(as_view(write)) == t.data());
}

TEST_CASE("An Eigen tensor or map is a typed view where one is asked for, writable when it is") {
    auto columns = counted<Eigen::Tensor<float, 3>>();
    const view<const float> read = columns;
    CHECK(&read(1, 2, 3) == &columns(1, 2, 3));
    const view<float> write = columns;
    write(0, 2, 1) = -1.0F;
    CHECK(columns(0, 2, 1) == -1.0F);
    static_assert(std::is_convertible_v<tensor_map<float, 2>&, view<float>>);
    static_assert(std::is_convertible_v<tensor_map<const float, 2>&, view<const float>>);
    static_assert(!std::is_convertible_v<tensor_map<const float, 2>&, view<float>>);
    static_assert(!std::is_convertible_v<const Eigen::Tensor<float, 3>&, view<float>>);
}

TEST_CASE("A tensor map of another rank is refused with both") {
    const tensor t(element::float32, {2, 3});
    const auto wrong = [&] { (void)as_tensor_map<float, 4>(tensor_view(t)); };
    REQUIRE_THROWS_AS(wrong(), std::invalid_argument);
    CHECK(text_of(wrong) == "tensor [2, 3] as a map of rank 4");
}

TEST_CASE("A tensor map of another element type, or of a strided tensor, is refused") {
    const tensor t(element::float32, {2, 3});
    const auto other_type = [&] { (void)as_tensor_map<double, 2>(tensor_view(t)); };
    REQUIRE_THROWS_AS(other_type(), std::invalid_argument);
    CHECK(text_of(other_type) == "tensor holds float32, asked for float64");
    const auto strided = [&] { (void)as_tensor_map<float, 2>(tensor_view(t).slice(1, 0, 2)); };
    REQUIRE_THROWS_AS(strided(), std::invalid_argument);
    CHECK(text_of(strided).find("[2, 2] is strided") != std::string::npos);
}

TEST_CASE("A tensor expression names the Eigen tensor that owns its value, of its rank and layout") {
    const auto t = counted<Eigen::Tensor<float, 3, Eigen::RowMajor>>();
    const auto sum = t + t;
    using expression = std::remove_cvref_t<decltype(sum)>;
    static_assert(materializable<expression> && !viewable<expression>);
    static_assert(std::is_same_v<adapt<expression>::plain, Eigen::Tensor<float, 3, Eigen::RowMajor>>);
    const adapt<expression>::plain value(sum);
    CHECK(as_view(value).as<float>()(1, 2, 3) == 246.0F);
    const auto chip = t.chip<0>(1);
    using narrower = std::remove_cvref_t<decltype(chip)>;
    static_assert(materializable<narrower>);
    const adapt<narrower>::plain row(chip);
    CHECK(as_view(row).shape() == shape{3, 4});
    CHECK(as_view(row).as<float>()(2, 3) == 123.0F);
}

TEST_CASE("A tensor is handed over as a row-major tensor map, writable only where it may be written") {
    static_assert(castable_from<tensor_map<const float, 4>>);
    static_assert(castable_from<tensor_map<float, 4>, mutable_tensor_view>);
    static_assert(castable_from<tensor_map<const float, 4>, mutable_tensor_view>);
    static_assert(!castable_from<tensor_map<float, 4>>);
    static_assert(!castable_from<Eigen::Tensor<float, 4, Eigen::RowMajor>>);
    static_assert(!castable_from<Eigen::TensorMap<const Eigen::Tensor<float, 2>>>);
    const tensor t = tensor::of<float>({2, 2}, {1, 2, 3, 4});
    CHECK(adapt<tensor_map<const float, 2>>::from(t)(1, 0) == 3.0F);
}
