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

TEST_CASE("Only five C++ types are element types") {
    static_assert(element_type<float> && element_type<double> && element_type<bool>);
    static_assert(element_type<std::int32_t> && element_type<std::int64_t>);
    static_assert(!element_type<const float> && !element_type<float&>);
    static_assert(!element_type<char> && !element_type<unsigned> && !element_type<std::uint64_t>);
    static_assert(!element_type<long double> && !element_type<std::int16_t>);
    SUCCEED();
}

TEST_CASE("An element type knows its size and name") {
    CHECK(size_of(element::float32) == sizeof(float));
    CHECK(size_of(element::float64) == sizeof(double));
    CHECK(size_of(element::int32) == sizeof(std::int32_t));
    CHECK(size_of(element::int64) == sizeof(std::int64_t));
    CHECK(size_of(element::boolean) == sizeof(bool));
    CHECK(name_of(element::float32) == "float32");
    CHECK(name_of(element::float64) == "float64");
    CHECK(name_of(element::int32) == "int32");
    CHECK(name_of(element::int64) == "int64");
    CHECK(name_of(element::boolean) == "bool");
}

TEST_CASE("Visiting an element type calls back with its C++ type, value-initialized") {
    for (const element type : {element::float32, element::float64, element::int32, element::int64, element::boolean}) {
        const bool same = visit_element(type, [&]<class T>(T value) { return element_of<T> == type && value == T{}; });
        CHECK(same);
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
