// SPDX-License-Identifier: MIT
#include <fanfold/verify/finite.hpp>

#include <limits>

#include "../catch.hpp"

using namespace fanfold;

namespace {

std::vector<fault> check(const tensor& t, std::size_t rows) {
    const tensor_view view = t;
    return any_verifier(fanfold::finite{})(batch_view({&view, 1}, rows));
}

}  // namespace

TEST_CASE("Finite answers of any size pass, the largest and the subnormal too") {
    CHECK(check(tensor::of<float>(
                    {1, 4}, {0.0F, -0.0F, std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()}),
                1)
              .empty());
    CHECK(check(tensor(element::float32, {0, 4}), 0).empty());
}

TEST_CASE("Answers of 16 bits are looked at, too") {
    const auto looked_at = []<class T>(T) {
        constexpr float inf = std::numeric_limits<float>::infinity();
        const T largest = T::from_bits(std::is_same_v<T, float16> ? 0x7BFF : 0x7F7F);
        CHECK(check(tensor::of<T>({2, 2}, {T(0.0F), T(-1.5F), largest, T::from_bits(1)}), 2).empty());
        const auto faults = check(tensor::of<T>({3, 2}, {T(1.0F), T(-inf), T(2.0F), T(3.0F), T(inf - inf), T(inf)}), 3);
        REQUIRE(faults.size() == 2);
        CHECK(faults[0].message == "answer 1 is -inf");
        CHECK(faults[0].rows == std::vector<std::size_t>{0});
        CHECK(faults[1].message == "answer 0 is nan");
    };
    looked_at(float16());
    looked_at(bfloat16());
}

TEST_CASE("Each row with NaN or infinity is named once, with its first such answer") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float inf = std::numeric_limits<float>::infinity();
    const auto faults = check(tensor::of<float>({4, 3}, {1, 2, 3, 4, nan, inf, 7, 8, 9, 1, 2, -inf}), 4);
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].rows == std::vector<std::size_t>{1});
    CHECK(faults[0].kind == fault_kind::not_finite);
    CHECK(faults[0].message == "answer 1 is nan");
    CHECK(faults[1].rows == std::vector<std::size_t>{3});
    CHECK(faults[1].message == "answer 2 is -inf");
}

TEST_CASE("Every position is looked at, in float64 too, and integers always pass") {
    for (std::size_t at = 0; at < 37; ++at) {
        tensor t(element::float64, {1, 37});
        t.as<double>()(0, at) = std::numeric_limits<double>::infinity();
        REQUIRE(check(t, 1).size() == 1);
    }
    CHECK(check(tensor(element::int64, {3, 3}), 3).empty());
}
