// SPDX-License-Identifier: MIT
#include <fanfold/kernel/cast.hpp>

#include <cmath>
#include <limits>

#include "../catch.hpp"
#include "helpers.hpp"

using namespace fanfold;

namespace {

constexpr element every_type[] = {element::float32, element::float64, element::float16, element::bfloat16,
                                  element::int8,    element::int16,   element::int32,   element::int64,
                                  element::uint8,   element::uint16,  element::uint32,  element::uint64,
                                  element::boolean};

template <class To, class From>
To cast_one(From x) {
    To out{};
    kernel::cast(view<const From>(&x, {}), view<To>(&out, {}));
    return out;
}

}  // namespace

TEST_CASE("small numbers go from every type to every type, whatever the strides", "[kernel][cast]") {
    const std::int64_t n = 600;
    for (const element from : every_type)
        for (const element to : every_type) {
            tensor in(from, {n}), out(to, {2 * n});
            const bool bits = from == element::boolean || to == element::boolean;
            for (std::int64_t i = 0; i < n; ++i)
                visit_element(from, [&]<class T>(T) {
                    in.as<T>().data()[i] = static_cast<T>(static_cast<float>(bits ? i % 2 : i % 100));
                });
            const auto width = static_cast<std::int64_t>(size_of(from));
            kernel::cast(tensor_view(in.data() + (n - 1) * width, from, {n}, {-1}),
                         mutable_tensor_view(out.data(), to, {n}, {2}));
            bool good = true;
            visit_element(to, [&]<class T>(T) {
                const T* got = out.as<T>().data();
                for (std::int64_t i = 0; i < n; ++i) {
                    const std::int64_t expected = bits ? (n - 1 - i) % 2 : (n - 1 - i) % 100;
                    good = good && static_cast<double>(got[2 * i]) == static_cast<double>(expected) &&
                           static_cast<double>(got[2 * i + 1]) == 0;
                }
            });
            INFO(name_of(from) << " to " << name_of(to));
            CHECK(good);
        }
}

TEST_CASE("floating point becomes integers towards zero and within their range", "[kernel][cast]") {
    const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(cast_one<std::int32_t>(-1.9F) == -1);
    CHECK(cast_one<std::uint8_t>(255.9F) == 255);
    CHECK(cast_one<std::uint8_t>(-3.0F) == 0);
    CHECK(cast_one<std::int8_t>(-128.5F) == -128);
    CHECK(cast_one<std::int8_t>(inf) == 127);
    CHECK(cast_one<std::int32_t>(nan) == 0);
    CHECK(cast_one<std::int64_t>(9.3e18F) == std::numeric_limits<std::int64_t>::max());
    CHECK(cast_one<std::int64_t>(-inf) == std::numeric_limits<std::int64_t>::min());
    CHECK(cast_one<std::int64_t>(-9223372036854775808.0) == std::numeric_limits<std::int64_t>::min());
    CHECK(cast_one<std::uint64_t>(1.8e19) == 18000000000000000000U);
    CHECK(cast_one<std::uint64_t>(2e19) == std::numeric_limits<std::uint64_t>::max());
    CHECK(cast_one<std::int16_t>(float16(-7.75F)) == -7);
    CHECK(cast_one<bool>(nan));
    CHECK(cast_one<bool>(0.5F));
    CHECK(!cast_one<bool>(-0.0));
}

TEST_CASE("integers wrap among themselves and round once to floating point", "[kernel][cast]") {
    CHECK(cast_one<std::uint8_t>(std::int64_t{-1}) == 255);
    CHECK(cast_one<std::int8_t>(std::uint64_t{200}) == -56);
    CHECK(cast_one<std::uint64_t>(std::int8_t{-1}) == std::numeric_limits<std::uint64_t>::max());
    CHECK(cast_one<float>(std::uint64_t{1} << 63) == 0x1p63F);
    CHECK(cast_one<float>((std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1) == 0x1p60F + 0x1p37F);
    CHECK(cast_one<bfloat16>((std::int64_t{1} << 62) + (std::int64_t{1} << 54) + 1).bits == bfloat16(0x1.02p62F).bits);
    CHECK(cast_one<bfloat16>(-(std::int64_t{1} << 62) - (std::int64_t{1} << 54) - 1).bits ==
          bfloat16(-0x1.02p62F).bits);
    CHECK(static_cast<float>(cast_one<float16>(std::int32_t{70000})) == std::numeric_limits<float>::infinity());
}

TEST_CASE("double to 16 bits rounds once", "[kernel][cast]") {
    const double half_way = 1 + 0x1p-11;  // between two float16
    CHECK(cast_one<float16>(half_way).bits == 0x3c00);
    CHECK(cast_one<float16>(half_way + 0x1p-40).bits == 0x3c01);
    CHECK(cast_one<float16>(-half_way - 0x1p-40).bits == 0xbc01);
    CHECK(cast_one<float16>(half_way - 0x1p-40).bits == 0x3c00);
    CHECK(cast_one<float16>(1e300).bits == 0x7c00);
    CHECK(cast_one<float16>(-1e-300).bits == 0x8000);
    CHECK(cast_one<bfloat16>(1 + 0x1p-8 + 0x1p-45).bits == 0x3f81);
    CHECK(std::isnan(static_cast<float>(cast_one<float16>(std::numeric_limits<double>::quiet_NaN()))));
}

TEST_CASE("cast refuses other shapes", "[kernel][cast]") {
    tensor a(element::float32, {4}), b(element::int32, {5});
    CHECK_THROWS_WITH(kernel::cast(a, b), "cast: float32 [4] into int32 [5]");
}
