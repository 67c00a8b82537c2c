// SPDX-License-Identifier: MIT
#include <fanfold/core/element.hpp>

#include <string>
#include <type_traits>

#include "../catch.hpp"

using namespace fanfold;

TEST_CASE("A C++ type names its element type, const or not") {
    CHECK(element_of<float> == element::float32);
    CHECK(element_of<double> == element::float64);
    CHECK(element_of<std::int32_t> == element::int32);
    CHECK(element_of<std::int64_t> == element::int64);
    CHECK(element_of<bool> == element::boolean);
    CHECK(element_of<const float> == element::float32);
    CHECK(element_of<const bool> == element::boolean);
}

TEST_CASE("Numbers of fixed width are element types, whatever else is none") {
    static_assert(element_type<float> && element_type<double> && element_type<bool>);
    static_assert(element_type<std::int8_t> && element_type<std::int32_t> && element_type<std::uint64_t>);
    static_assert(element_type<float16> && element_type<bfloat16>);
    static_assert(!element_type<const float> && !element_type<float&>);
    static_assert(!element_type<char> && !element_type<long double> && !element_type<char8_t>);
    SUCCEED();
}

constexpr element all_elements[] = {element::float32, element::float64, element::float16, element::bfloat16,
                                    element::int8,    element::int16,   element::int32,   element::int64,
                                    element::uint8,   element::uint16,  element::uint32,  element::uint64,
                                    element::boolean};

TEST_CASE("An element type knows its size and name") {
    for (const element type : all_elements)
        CHECK(visit_element(type, [&]<class T>(T) { return sizeof(T); }) == size_of(type));
    CHECK(name_of(element::float32) == "float32");
    CHECK(name_of(element::bfloat16) == "bfloat16");
    CHECK(name_of(element::uint8) == "uint8");
    CHECK(name_of(element::int64) == "int64");
    CHECK(name_of(element::boolean) == "bool");
    CHECK(is_floating(element::float16));
    CHECK_FALSE(is_floating(element::int32));
}

TEST_CASE("Visiting an element type calls back with its C++ type, value-initialized") {
    for (const element type : all_elements) {
        const bool same = visit_element(type, [&]<class T>(T value) { return element_of<T> == type && value == T{}; });
        CHECK(same);
        CHECK(visit_width(type, [&]<class T>(T) { return sizeof(T); }) == size_of(type));
    }
}

TEST_CASE("Visiting an element type passes the callable's result on, references too") {
    std::size_t last = 0;
    std::size_t& result = visit_element(element::float64, [&]<class T>(T) -> std::size_t& { return last = sizeof(T); });
    CHECK(&result == &last);
    CHECK(last == 8);
    static_assert(visit_element(element::boolean, []<class T>(T) { return std::is_same_v<T, bool>; }));
}

TEST_CASE("An exception of the visitor passes through") {
    REQUIRE_THROWS_AS(visit_element(element::int32, [](auto) { throw 7; }), int);
}
