// SPDX-License-Identifier: MIT
#include <fanfold/core/function_ref.hpp>

#include <memory>
#include <type_traits>
#include <utility>

#include "../catch.hpp"

using namespace fanfold;

namespace {

int twice(int value) { return 2 * value; }

struct counter {
    int calls = 0;
    int operator()(int by) { return calls += by; }
};

}  // namespace

TEST_CASE("A function reference calls the callable itself, not a copy") {
    counter count;
    const function_ref<int(int)> f = count;
    CHECK(f(2) == 2);
    CHECK(f(3) == 5);
    CHECK(count.calls == 5);
}

TEST_CASE("A copied function reference refers to the same callable") {
    counter count;
    const function_ref<int(int)> f = count;
    function_ref<int(int)> g = f;
    g(1);
    counter other;
    g = other;
    g(10);
    CHECK(count.calls == 1);
    CHECK(other.calls == 10);
}

TEST_CASE("An empty function reference says so") {
    function_ref<void()> f;
    CHECK_FALSE(static_cast<bool>(f));
    const auto nothing = [] {};
    f = nothing;
    CHECK(static_cast<bool>(f));
}

TEST_CASE("A function reference takes a const callable, a temporary for the length of a call, and a function") {
    const auto add = [](int value) { return value + 1; };
    const auto apply = [](function_ref<int(int)> f) { return f(20); };
    CHECK(apply(add) == 21);
    CHECK(apply([base = 5](int value) { return base + value; }) == 25);
    CHECK(apply(twice) == 40);
    int (*const pointer)(int) = twice;
    CHECK(apply(pointer) == 40);
}

TEST_CASE("Arguments pass through: moved, by reference, unchanged") {
    std::unique_ptr<int> kept;
    const auto keep = [&](std::unique_ptr<int> given) { kept = std::move(given); };
    const function_ref<void(std::unique_ptr<int>)> f = keep;
    f(std::make_unique<int>(7));
    REQUIRE(kept != nullptr);
    CHECK(*kept == 7);
    const auto raise = [](int& value) -> int& { return ++value; };
    const function_ref<int&(int&)> g = raise;
    int value = 1;
    CHECK(&g(value) == &value);
    CHECK(value == 2);
}

TEST_CASE("A function reference without a result drops the callable's") {
    counter count;
    const function_ref<void(int)> f = count;
    f(4);
    CHECK(count.calls == 4);
}

TEST_CASE("A function reference converts the result") {
    const function_ref<double(int)> f = twice;
    CHECK(f(3) == 6.0);
}

TEST_CASE("An exception passes through a function reference") {
    const auto fail = [] { throw 42; };
    const function_ref<void()> f = fail;
    REQUIRE_THROWS_AS(f(), int);
}

TEST_CASE("A callable with another signature is no function reference") {
    static_assert(std::is_constructible_v<function_ref<int(int)>, counter&>);
    static_assert(!std::is_constructible_v<function_ref<int(int)>, const counter&>);
    static_assert(!std::is_constructible_v<function_ref<int(int, int)>, counter&>);
    static_assert(!std::is_constructible_v<function_ref<int*(int)>, counter&>);
    static_assert(sizeof(function_ref<int(int)>) == 2 * sizeof(void*));
    SUCCEED();
}
